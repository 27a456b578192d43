"""The page that stands where a report should be: why it could not be made."""

from __future__ import annotations

from shokubai.config.model import Language
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
) -> str:
    """A page that says so, with the reason (``message``), the failed cell, and further words for who repairs it.

    ``back`` is the relative link to the week's index; empty for none.
    """
    return render(
        "failure.html",
        language,
        title=title,
        message=plain_text(message),
        cell=cell,
        detail=plain_text(detail),
        back=back,
    )
