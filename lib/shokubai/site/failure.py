"""The page that stands where a report should be: why it could not be made."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from shokubai.config.model import Language
from shokubai.display.words import say
from shokubai.site.document import render
from shokubai.site.sanitize import plain_text


def render_failure_page(
    *,
    title: str,
    language: Language,
    message: str,
    cell: int | None = None,
    detail: str = "",
    back: str = "../index.html",
    last_good: str = "",
) -> str:
    """A page that says so, with the reason (``message``), the failed cell, and further words for who repairs it.

    ``back`` is the relative link to the week's index, ``last_good`` the one to an older report of the same week
    that was kept; empty for none.
    """
    return render(
        "failure.html",
        language,
        title=title,
        message=plain_text(message),
        cell=cell,
        detail=plain_text(detail),
        back=quote(back),
        last_good=quote(last_good),
    )


def mark_last_good(page: str, *, language: Language, week: str, newest: str) -> str:
    """A report's page with a notice on top: it is of that week, and a newer attempt failed.

    ``newest`` is the link to that one's page.
    """
    words = escape(say(language, "page.failure.is_last_good", week=week))
    link = f'<a href="{quote(newest)}">{escape(say(language, "page.failure.why"))}</a>'
    start = '<main id="content">'
    return page.replace(start, f'{start}\n<div class="callout critical" role="note"><p>{words} {link}</p></div>', 1)
