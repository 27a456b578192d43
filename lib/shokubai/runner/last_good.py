"""When making a report fails, the good one it would have replaced stays beside the failure page, marked as old."""

from __future__ import annotations

import shutil
from pathlib import Path

from shokubai import site
from shokubai.config.model import Language
from shokubai.runner.publish import LAST_GOOD, REPORT_SUFFIXES


def keep_last_good(folder: Path, *, report: str, week: str, staging: Path, language: Language) -> dict[str, Path]:
    """Copies in ``staging`` of the last good report, by the suffix to publish them under; none if there is none.

    A report is good when it has facts; failed ones never do.
    """
    is_newest = (folder / f"{report}.facts.json").is_file()
    kept = {}
    for suffix in REPORT_SUFFIXES:
        old = folder / f"{report}{'' if is_newest else LAST_GOOD}{suffix}"
        if old.is_file():
            copy = staging / f"last_good{suffix}"
            if is_newest and suffix == ".html":
                page = old.read_text(encoding="utf-8")
                marked = site.mark_last_good(page, language=language, week=week, newest=f"{report}.html")
                copy.write_text(marked, encoding="utf-8")
            else:
                shutil.copyfile(old, copy)
            kept[f"{LAST_GOOD}{suffix}"] = copy
    return kept
