"""How large reports are, and how long a browser takes until all their charts are drawn.

``python lib/tests/bench/page.py outputs/weekly/2026-W44/*/weekly_team_report.html`` prints it as JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

CHROMIUM = "/usr/bin/chromium"
# Higher than any report: everything is in view at once, so that the page draws all of it as soon as it can.
VIEW = {"width": 1400, "height": 30_000}
# When the last chart was drawn, in milliseconds since the page began to load.
WATCH = """
    const watch = () => {
        const plots = [...document.querySelectorAll(".plot")];
        const isReady = document.readyState === "complete" && plots.every((plot) => plot.dataset.drawn);
        if (isReady) document.documentElement.dataset.drawnAfter = performance.now();
        else requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
"""


def measure(reports: Sequence[Path], rounds: int) -> dict[str, Any]:
    """Bytes of the reports, raw and compressed, and milliseconds until all charts are drawn in headless Chromium.

    ``drawn_ms`` has one value per round for every report, by its path, and their median. All reports take turns, each
    in a context of its own. Raises ValueError without a report or a round.
    """
    if not reports or rounds < 1:
        raise ValueError("measure: at least one report and one round are needed")
    raw = [len(report.read_bytes()) for report in reports]
    compressed = [len(gzip.compress(report.read_bytes(), 6)) for report in reports]
    drawn = _draw(reports, rounds)
    return {
        "reports": len(reports),
        "raw_bytes": {"largest": max(raw), "median": median(raw)},
        "gzip_bytes": {"largest": max(compressed), "median": median(compressed)},
        "drawn_ms": {
            "median": median(ms for values in drawn.values() for ms in values),
            "largest": max(median(values) for values in drawn.values()),
            "reports": {name: {"rounds": values, "median": median(values)} for name, values in drawn.items()},
        },
    }


def _draw(reports: Sequence[Path], rounds: int) -> dict[str, list[float]]:
    from playwright.sync_api import sync_playwright

    drawn: dict[str, list[float]] = {str(report): [] for report in reports}
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            for report in reports:
                context = browser.new_context(offline=True, viewport=VIEW)
                page = context.new_page()
                page.add_init_script(WATCH)
                page.goto(report.absolute().as_uri())
                page.wait_for_selector("html[data-drawn-after]", state="attached", timeout=120_000)
                drawn[str(report)].append(round(float(page.locator("html").get_attribute("data-drawn-after")), 1))
                context.close()
        browser.close()
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure reports in a browser.")
    parser.add_argument("reports", type=Path, nargs="+", metavar="REPORT.html")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    json.dump(measure(given.reports, given.rounds), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
