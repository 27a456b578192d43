"""Executed notebooks and their facts become a site of plain files that open anywhere.

export   ``render_page(notebook, *, title, language, description="", links={}) -> str``
         and ``extract_facts(notebook)``
failure  ``render_failure_page(*, title, language, message, …) -> str`` and ``mark_last_good(page, …)``
index    ``write_week_index(directory, manifest, organization) -> Path`` and
         ``write_front_page(outputs, organization) -> Path``
document ``write_text(path, text)``: atomically
``warm_up()`` reads and compiles once what all pages need, before processes are forked that make some.
"""

from shokubai.config.model import LANGUAGES
from shokubai.display import exhibit, prose, words
from shokubai.site import document
from shokubai.site.document import write_text
from shokubai.site.export import LinkName, extract_facts, render_page
from shokubai.site.failure import mark_last_good, render_failure_page
from shokubai.site.index import write_front_page, write_week_index

__all__ = [
    "LinkName",
    "extract_facts",
    "mark_last_good",
    "render_failure_page",
    "render_page",
    "warm_up",
    "write_front_page",
    "write_text",
    "write_week_index",
]


def warm_up() -> None:
    """Fill every cache that making pages and exhibits fills. For a process that others are forked from."""
    for language in LANGUAGES:
        words.vocabulary(language)
        prose.vocabulary(language)
    exhibit.warm_up()
    document.warm_up()
