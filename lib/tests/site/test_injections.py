"""Hostile texts in every place where data reaches a page: nothing runs, charts are drawn, the text is there as text.

Each page is opened as it is and without its Content-Security-Policy, which must not be what saves it.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest

from shokubai.config.model import Organization, Source, Text
from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import Window
from shokubai.display import figures, sections, tables
from shokubai.display.exhibit import FACTS_MIME, PLOTLY_MIME, Facts, Figure, Notice, Notices
from shokubai.display.format import Locale
from shokubai.display.frames import HOURLY_COMPLETENESS, STATUS_COUNTS, TEAM_WEEKS, Events, Periods
from shokubai.site import mark_last_good, render_failure_page, render_page, write_front_page, write_week_index
from shokubai.site.document import write_text
from shokubai.slo.model import BUDGET_HISTORY, SILENCES
from shokubai.tables.contracts import ALERTS, METRIC_HOURS, QUERIES, SRE_REQUESTS

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[3]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")

FOREIGN = """() => {
    const found = [];
    const say = (element, what) => found.push(`${element.tagName} ${what}: ${element.outerHTML.slice(0, 200)}`);
    const refused = "iframe, object, embed, base, form, input:not(#filter), button, video, audio, source, math, "
        + "template, meta[http-equiv=refresh], link:not([rel=icon]), svg a, svg script, svg image, "
        + "svg use[href^=data], svg foreignObject, svg animate, svg set, main [id=facts], main style, "
        + "main [style*=url]:not(svg *)";
    document.querySelectorAll(refused).forEach((element) => say(element, "is there"));
    for (const element of document.querySelectorAll("*")) {
        for (const { name, value } of element.attributes) {
            if (/^on/i.test(name)) say(element, name);
            const isLink = /^(href|src|srcdoc|action|formaction|data|xlink:href|background)$/i.test(name);
            const refusedLink = /^(javascript:|vbscript:|view-source:|data:text|\\/\\/|\\\\\\\\)/i;
            if (isLink && refusedLink.test(value.replace(/[^!-~]/g, ""))) say(element, name);
        }
    }
    document.querySelectorAll("a[href]").forEach((a) => {
        if (!["http:", "https:", "mailto:", "file:"].includes(a.protocol)) say(a, a.protocol);
    });
    const scripts = [...document.scripts].filter((script) => script.type !== "application/json");
    // Ours: one unpacks plotly, which takes the place of its packed form, and one draws.
    if (scripts.length > 3) scripts.forEach((script) => say(script, "too many"));
    return found;
}"""
# What readers do, and all that their browsers tell elements of; harmless links are not followed.
ACT = """() => {
    document.addEventListener("click", (event) => {
        const link = event.target.closest("a");
        if (link && ["http:", "https:", "mailto:", "file:"].includes(link.protocol)) event.preventDefault();
    });
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
    for (const element of document.querySelectorAll("body, body *")) {
        for (const name of ["mouseover", "mouseenter", "focus", "blur", "toggle", "animationstart", "begin", "load",
            "error", "beforeinput"]) {
            element.dispatchEvent(new Event(name));
        }
    }
    document.querySelectorAll("a, summary").forEach((element) => {
        element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    });
}"""
# Plotly takes one hover in 50 ms.
HOVER = """async ([plots, most]) => {
    const texts = [];
    for (const plot of document.querySelectorAll(plots)) {
        for (const trace of plot._fullData.slice(-3)) {
            const count = Math.min(most, trace._module.hoverPoints ? plot.calcdata[trace.index].length : 0);
            for (let n = 0; n < count; n += 1) {
                Plotly.Fx.hover(plot, [{ curveNumber: trace.index, pointNumber: n }]);
                await new Promise((resolve) => setTimeout(resolve, 55));
                texts.push(plot.querySelector(".hoverlayer")?.textContent ?? "");
            }
        }
        Plotly.Fx.unhover(plot);
    }
    return texts;
}"""


def _load_payloads() -> tuple[str, ...]:
    spec = importlib.util.spec_from_file_location("injections", Path(__file__).with_name("injections.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    payloads: tuple[str, ...] = module.PAYLOADS
    return payloads


PAYLOADS = _load_payloads()
JOINED = " ¶ ".join(PAYLOADS)
BURN_RATES = ("Burn rates at the end", "週の終わりの値")
ADDRESS = "javascript:window.pwned=1"


def squeezed(text: str) -> str:
    """A text without what browsers and plotly change: white space, control characters, colours of terminals."""
    return re.sub(r"[\s\x00-\x1f\x7f\ufffd]|&nbsp;", "", TERMINAL.sub("", text))


def not_in(shown: str) -> list[str]:
    """The payloads that a reader cannot read in what is shown."""
    shown = squeezed(shown)
    return [payload for payload in PAYLOADS if squeezed(payload) not in shown]


@contextmanager
def opened(browser: Any, file: Path, html: str, *, with_policy: bool, stumbles: str = "-") -> Iterator[Any]:
    """A page after everything on it was drawn, clicked and pointed at; in the end nothing may have gone wrong.

    Plotly may stumble over figures that make no sense, with errors that begin with ``stumbles``.
    """
    if not with_policy:
        html, removed = POLICY.subn("", html)
        assert removed == 1
    write_text(file, html)
    context = browser.new_context(offline=True, viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("popup", lambda popup: wrong.append(f"popup: {popup.url}"))
    page.on("request", lambda request: request.url in (file.as_uri(), "data:,") or wrong.append(request.url))
    page.on("framenavigated", lambda frame: frame.url == file.as_uri() or wrong.append(f"went to {frame.url}"))
    try:
        page.goto(file.as_uri())
        for n in range(page.locator(".plot").count()):
            page.locator(f"#chart-{n}").scroll_into_view_if_needed()
            page.wait_for_selector(f"#chart-{n}[data-drawn] .main-svg", timeout=30_000)
        assert page.evaluate(FOREIGN) == []
        page.evaluate(ACT)
        for element in (".annotation-text-g", ".xtick", ".legendtext", ".bars .point"):
            for drawn in page.locator(element).all()[:2]:
                drawn.hover(force=True)
                drawn.click(force=True)
        page.wait_for_timeout(100)
        assert page.evaluate(FOREIGN) == []
        yield page
        assert page.evaluate("window.pwned") is None
        assert page.evaluate("({}).polluted") is None
        assert page.url == file.as_uri()
        assert page.evaluate("getComputedStyle(document.querySelector('main')).display") == "block"
        assert page.evaluate("getComputedStyle(document.querySelector('main')).visibility") == "visible"
        assert [error for error in wrong if not error.startswith(stumbles)] == []
    finally:
        context.close()


def spoiled(frame: pd.DataFrame, *, but: Sequence[str] = ()) -> pd.DataFrame:
    """As many rows as there are payloads, one in each text of a row."""
    rows = frame.iloc[[n % len(frame) for n in range(len(PAYLOADS))]].reset_index(drop=True)
    for column in rows.columns:
        if isinstance(rows[column].dtype, pd.StringDtype) and column not in but:
            rows[column] = pd.Series(PAYLOADS, dtype=rows[column].dtype)
    return rows


def own_exhibits(samples: ModuleType, locale: Locale) -> list[Any]:
    """Everything that reports are made of, with a payload in every text that comes from outside."""
    window = samples.WINDOW
    at = pd.date_range(window.start, window.end, periods=len(PAYLOADS) + 2, unit="us")[1:-1].tz_convert("UTC")
    first = samples.sample_statuses("en")
    verdicts = itertools.cycle(first)
    statuses = [
        replace(status, slo=replace(status.slo, name=f"slo-{n}", display_name=payload))
        for n, (payload, status) in enumerate(zip(PAYLOADS, verdicts, strict=False))
    ]
    history = BUDGET_HISTORY.conform(
        pd.DataFrame({"at": at[:24], "sli_ratio": 0.999, "budget_left_ratio": [0.9 - n / 100 for n in range(24)]})
    )
    everything = replace(first[0], slo=replace(first[0].slo, display_name=JOINED))
    routes = samples.sample_routes()
    routes = spoiled(routes.assign(budget_spent_count=5.0), but=["slo_name"]).assign(
        slo_name=[status.slo.name for status in statuses]
    )
    events = samples.sample_events()
    events = Events(
        spoiled(events.deployments, but=["service_name"]).assign(deployed_at=at),
        spoiled(events.incidents, but=["service_name"]).assign(
            started_at=at, mitigated_at=at + timedelta(minutes=9), resolved_at=at + timedelta(minutes=9)
        ),
    )
    alerts = ALERTS.conform(
        pd.DataFrame(
            {
                "fired_at": at,
                "resolved_at": at,
                "service_name": PAYLOADS,
                "alert_name": PAYLOADS,
                "severity": PAYLOADS,
            }
        )
    )
    queries = QUERIES.conform(
        pd.DataFrame({"name": PAYLOADS, "sha256": PAYLOADS, "milliseconds": 1.0, "bytes": 1, "row_count": 1})
    )
    requests = SRE_REQUESTS.conform(
        pd.DataFrame(
            {
                **dict.fromkeys(("request_id", "team", "kind", "summary"), PAYLOADS),
                **dict.fromkeys(("opened_at", "first_response_at", "closed_at"), at),
            }
        )
    )
    team_weeks = TEAM_WEEKS.conform(
        pd.DataFrame(
            {
                **dict.fromkeys(("team", "display_name", "href", "sentence", "contact"), PAYLOADS),
                **{f"{name}_count": 1 for name in ("met", "missed", "not_enough_data")},
            }
        )
    )
    silences = SILENCES.conform(
        pd.DataFrame(
            {
                "service_name": PAYLOADS,
                "started_at": at,
                "ended_at": at + timedelta(hours=1),
                "expected_count": 4.0,
                "kind": "telemetry_gap",
            }
        )
    )
    states = HOURLY_COMPLETENESS.conform(
        pd.DataFrame({"service_name": PAYLOADS, "hour": at.floor("h"), "request_count": 1, "state": "data"})
    )
    codes = STATUS_COUNTS.conform(
        pd.DataFrame({"service_name": PAYLOADS, "http_response_status_code": 500, "request_count": 1})
    )
    metrics = samples.sample_metrics()
    names = metrics["metric_name"].unique()
    joined = metrics["metric_name"].map({name: " ¶ ".join(PAYLOADS[n :: len(names)]) for n, name in enumerate(names)})
    metrics = METRIC_HOURS.conform(metrics.assign(service_name=joined, metric_name=joined, unit="x " + joined))
    values: dict[str, Any] = {"locale": locale, "events": events}
    periods = Periods(window, None, None)
    traffic = samples.sample_traffic().assign(service_name=JOINED)
    latency = samples.sample_latency().assign(service_name=JOINED)
    mine = {"periods": periods, "service": JOINED, **values}
    return [
        sections.header(
            title=JOINED,
            week=samples.WEEK,
            window=window,
            data_complete_through=window.end,
            locale=locale,
            gaps=list(PAYLOADS),
            eyebrow=JOINED,
            facts={JOINED: JOINED},
        ),
        sections.headline(statuses, locale=locale),
        sections.verdict_cards(statuses, locale=locale),
        sections.callout("late_data", locale=locale, level="warning", services=JOINED, at=JOINED),
        Notices(
            tuple(Notice("critical", p, p, body=p, action=p, when=p) for p in PAYLOADS),
            PAYLOADS[0],
        ),
        figures.budget({s.slo.name: history for s in statuses}, statuses=statuses, **values),
        figures.objectives(statuses, locale=locale),
        figures.burn(samples.sample_burn(62), status=everything, window=window, **values),
        figures.sli_minutes(
            _steps(window), status=everything, episodes=pd.DataFrame(_EPISODES), window=window, **values
        ),
        figures.traffic(traffic, **mine),
        figures.errors(traffic, statuses=[everything], **mine),
        figures.latency(latency, statuses=[everything], **mine),
        *figures.saturation(metrics, window=window, **values),
        figures.completeness(states, silences=silences, window=window, locale=locale),
        tables.verdicts(statuses, locale=locale),
        tables.burn_rates(statuses, locale=locale),
        tables.routes_by_budget(routes, statuses=statuses, locale=locale, limit=len(PAYLOADS)),
        tables.routes_by_change(routes, locale=locale, limit=len(PAYLOADS)),
        tables.busiest_routes(routes, locale=locale, limit=len(PAYLOADS)),
        tables.changes(events, alerts=alerts, window=window, locale=locale),
        tables.statuses(codes, services=list(PAYLOADS), locale=locale),
        tables.silences(silences, locale=locale),
        tables.metrics(metrics, locale=locale),
        tables.provenance(
            {"warehouse": JOINED, "code_version": list(PAYLOADS), "notebook": JOINED, "parameters": JOINED},
            locale=locale,
        ),
        tables.queries(queries, locale=locale),
        tables.sre_requests(requests, locale=locale),
        tables.teams(team_weeks, locale=locale),
        Facts({"status": "made", JOINED: list(PAYLOADS), "team": {payload: payload for payload in PAYLOADS}}),
    ]


_EPISODES: dict[str, Any] = {
    "started_at": pd.to_datetime([], utc=True),
    "ended_at": pd.to_datetime([], utc=True),
}


def _steps(window: Window) -> pd.DataFrame:
    at = pd.date_range(window.start, window.end, freq="5min", inclusive="left", unit="us").tz_convert("UTC")
    return pd.DataFrame({"started_at": at, "valid_count": 20, "bad_count": 1, "bad_ratio": 0.05})


@pytest.mark.parametrize("with_policy", [True, False])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_reports_say_hostile_names_as_text(
    browser: Any, samples: ModuleType, tmp_path: Path, language: Any, with_policy: bool
) -> None:
    exhibits = own_exhibits(samples, Locale(language, samples.TOKYO))
    html = render_page(
        samples.notebook_of(*exhibits),
        title=JOINED,
        language=language,
        description=JOINED,
        links={"week": PAYLOADS[0], "previous": f"javascript:{PAYLOADS[0]}"},
    )
    charts = len([exhibit for exhibit in exhibits if isinstance(exhibit, Figure)])
    with opened(browser, tmp_path / "report.html", html, with_policy=with_policy) as page:
        assert page.locator(".plot .main-svg").first.is_visible()
        assert page.locator(".plot[data-drawn]").count() == charts
        assert not_in(page.title()) == []
        for place in ("h1", ".eyebrow", ".subtitle ~ dl", ".cards", ".callout", ".notices", "main"):
            assert not_in(page.locator(place).first.text_content()) == [], place
        told = [table.text_content() for table in page.locator("main > .table").all()]
        # Burn rates are told only of objectives that burned; every other table has all texts.
        assert len(told) == 13
        assert [text[:40] for text in told if not_in(text) and not text.strip().startswith(BURN_RATES)] == []
        # The lines' names at their ends, the objectives' names, and the services beside their strips.
        for n in (0, 1):
            assert not_in(page.locator(f"#chart-{n}").text_content()) == []
        facts = json.loads(page.locator("#facts").text_content())
        assert facts["team"] == {payload: payload for payload in PAYLOADS}
        page.evaluate(HOVER, [".plot", 1])
        if language == "en" and not with_policy:
            # The strips of services, with names and texts of each; deployments and incidents are marks like these.
            assert not_in("".join(page.evaluate(HOVER, [f"#chart-{charts - 1}", len(PAYLOADS)]))) == []


def foreign_figure(text: str, others: Sequence[str]) -> dict[str, Any]:
    """A figure by somebody else, who put texts wherever plotly takes one or something else."""
    points = list(range(len(others)))
    link = f'<a href="javascript:window.pwned=1" target="_blank">{text}</a>'
    words = {"text": text, "font": {"family": text, "color": text}}
    axis = {"title": words, "tickprefix": text, "ticksuffix": link, "tickformat": text, "hoverformat": text}
    encoded = {"dtype": text, "bdata": text, "shape": text}
    return {
        "data": [
            {
                "type": "bar",
                "x": list(others),
                "y": [n + 1 for n in points],
                "name": link,
                "text": list(others),
                "hovertext": list(others),
                "customdata": [[other, link] for other in others],
                "ids": list(others),
                "hovertemplate": f"%{{x}} %{{text}} %{{customdata[0]}} %{{customdata[1]}} {link}<extra>{text}",
                "texttemplate": f"%{{text}} {link}",
                "marker": {"color": list(others), "pattern": {"shape": text}},
                "legendgroup": text,
                "legendgrouptitle": {"text": link},
                "meta": {"words": text, "__proto__": {"polluted": 1}},
                "uid": text,
            },
            {"type": "scatter", "mode": "lines+text", "x": encoded, "y": encoded, "text": encoded, "name": text},
            {"type": "scatter", "y": {"dtype": "f4", "bdata": text}, "customdata": {"dtype": "u1", "bdata": [text]}},
            {"type": "scatter", "y": {"dtype": "u1", "bdata": "AQID", "shape": text}, "x": {"from": text, "step": 1}},
            {"type": "pie", "labels": list(others), "values": [1 for _ in others], "domain": {"x": [0.8, 1]}},
            {"type": text, "x": [1], "y": [1], "name": link},
        ],
        "layout": {
            "title": {"text": link, "subtitle": {"text": link}},
            "height": 900,
            "showlegend": True,
            "legend": {"title": {"text": link}},
            "xaxis": axis,
            "yaxis": {**axis, "tickmode": "array", "tickvals": points, "ticktext": list(others)},
            "annotations": [
                {"text": other, "hovertext": link, "x": n, "y": n, "captureevents": True}
                for n, other in enumerate(others)
            ],
            "shapes": [{"type": "rect", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "name": text, "label": {"text": link}}],
            "images": [{"source": "https://example.com/x.png"}, {"source": text}],
            "updatemenus": [{"buttons": [{"label": link, "method": "skip"}]}],
            "sliders": [{"steps": [{"label": link}]}],
            "font": {"family": f"{text};}}</style><script>window.pwned=1</script>"},
            "paper_bgcolor": text,
            "template": {"layout": {"title": words, "annotationdefaults": {"text": link}}, "data": {text: [{}]}},
            "meta": {text: link, "__proto__": {"polluted": 1}},
            "uirevision": text,
            "__proto__": {"polluted": 1},
            "modebar": {"add": [text]},
        },
        "config": {"plotlyServerURL": "https://example.com", "displayModeBar": True},
        "frames": [{"name": text, "data": [{"name": link}]}],
    }


def shown(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


@pytest.mark.parametrize("with_policy", [True, False])
def test_outputs_of_anybody_run_nothing(browser: Any, samples: ModuleType, tmp_path: Path, with_policy: bool) -> None:
    about = {"title": JOINED, "alt": JOINED, "note": JOINED, "equivalent": JOINED, "size": JOINED}
    streams = [{"output_type": "stream", "name": payload, "text": [payload, "\n"]} for payload in PAYLOADS]
    errors = [{"output_type": "error", "ename": p, "evalue": p, "traceback": [p, p]} for p in PAYLOADS]
    outputs = [
        *(shown({"text/html": payload, "text/plain": payload}) for payload in PAYLOADS),
        *(shown({"text/html": f"<table><tr><th>{p}</th><td>{p}</td></tr></table>"}) for p in PAYLOADS),
        *(shown({"text/markdown": payload}) for payload in PAYLOADS),
        *(shown({"text/plain": payload}) for payload in PAYLOADS),
        *streams,
        *errors,
        *(
            shown({PLOTLY_MIME: foreign_figure(text, PAYLOADS[n::7])}, {"shokubai": about} if n == 0 else None)
            for n, text in enumerate(PAYLOADS[:7])
        ),
        shown({"image/png": PAYLOADS[0], "text/plain": JOINED}),
        shown({"image/png": "iVBORw0KGgo=", "text/plain": JOINED}),
        shown({"application/javascript": "window.pwned=1", "text/latex": JOINED, "image/svg+xml": "<svg>"}),
        shown({FACTS_MIME: {payload: [payload, float("nan")] for payload in PAYLOADS}}),
    ]
    notebook = samples.notebook_of(*outputs)
    notebook["cells"] += [{"cell_type": "markdown", "metadata": {}, "source": payload} for payload in PAYLOADS]
    # Parameters as papermill injects them are code; nobody sees them.
    notebook["cells"].insert(
        0,
        {
            "cell_type": "code",
            "source": f"team = {JOINED!r}",
            "metadata": {"tags": ["injected-parameters"]},
            "outputs": [],
        },
    )
    html = render_page(notebook, title=JOINED, language="en")
    stumbles = "error: Cannot read properties of undefined"
    with opened(browser, tmp_path / "outputs.html", html, with_policy=with_policy, stumbles=stumbles) as page:
        assert page.locator(".plot[data-drawn]").count() == 7
        for n in range(7):
            assert page.locator(f"#chart-{n} .bars .point").count() == len(PAYLOADS[n::7])
        text = page.locator("main").text_content()
        assert not_in(text) == []
        assert not_in("".join(page.locator("pre.output").all_text_contents())) == []
        assert not_in("".join(page.locator(".callout.critical .title").all_text_contents())) == []
        assert not_in("".join(page.locator(".callout.critical pre").all_text_contents())) == []
        drawn = page.locator(".annotation-text").all_text_contents()
        assert len(drawn) == len(PAYLOADS)
        facts = json.loads(page.locator("#facts").text_content())
        assert facts == {payload: [payload, None] for payload in PAYLOADS}
        page.evaluate(HOVER, [".plot", 2])


@pytest.mark.parametrize("with_policy", [True, False])
def test_pages_around_reports_say_hostile_texts_as_text(browser: Any, tmp_path: Path, with_policy: bool) -> None:
    organization = Organization(
        name=Text(JOINED, JOINED),
        vision=Text(JOINED, JOINED),
        mission=Text(JOINED, JOINED),
        zone=ZoneInfo("Asia/Tokyo"),
        language="en",
        calendar=BusinessCalendar("JP"),
        source=Source(Path("organization.yaml"), 1),
    )
    week = tmp_path / "weekly" / "2026-W44"
    week.mkdir(parents=True)
    reports = []
    for n, payload in enumerate(PAYLOADS):
        told = {"severity": "critical", "text": {"en": {"title": payload}}}
        facts = {
            "status": "made",
            "team_display_name": {"en": payload},
            "findings": [told],
            "slos": [{"verdict": payload}],
        }
        (week / f"{n}.facts.json").write_text(json.dumps(facts), encoding="utf-8")
        reports.append(
            {
                "notebook": payload,
                "team": payload,
                "title": {"en": payload},
                "status": ("made", "failed", payload)[n % 3],
                "html": payload,
                "last_good": payload,
                "facts": f"{n}.facts.json",
                "error": {"message": payload},
            }
        )
    manifest = {
        "run": JOINED,
        "week": JOINED,
        "generated_at": "2026-11-02T00:04:00+09:00",
        "code_version": JOINED,
        "reports": reports,
    }
    (week / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    index = write_week_index(week, manifest, organization)
    front = write_front_page(tmp_path, organization)
    failure = render_failure_page(
        title=JOINED, language="en", message=JOINED, cell=3, detail=JOINED, back=PAYLOADS[0], last_good=ADDRESS
    )
    marked = mark_last_good(failure, language="en", week=JOINED, newest=ADDRESS)
    pages = {
        index: ("h1", ".eyebrow", ".mission", "main", ".foot"),
        front: ("h1", ".mission", ".entries"),
        tmp_path / "failure.html": (".eyebrow", "pre.reason", "pre.output"),
        tmp_path / "marked.html": (".eyebrow", "pre.reason", "pre.output"),
    }
    write_text(tmp_path / "failure.html", failure)
    write_text(tmp_path / "marked.html", marked)
    for file, places in pages.items():
        html = file.read_text(encoding="utf-8")
        with opened(browser, file, html, with_policy=with_policy) as page:
            for place in places:
                assert not_in("".join(page.locator(place).all_text_contents())) == [], (file.name, place)
            if file == index:
                reasons = {squeezed(reason) for reason in page.locator("pre.reason").all_text_contents()}
                assert reasons == {squeezed(payload) for n, payload in enumerate(PAYLOADS) if n % 3}
                page.locator("#filter").fill(PAYLOADS[0])
                same = [payload for payload in PAYLOADS[::3] if PAYLOADS[0].lower() in payload.lower()]
                assert page.locator("#teams > li:visible").count() == len(same)


PARAMETERS: dict[str, dict[str, Any]] = {
    "organization.yaml": {
        "name": {"en": JOINED, "ja": JOINED},
        "vision": {"en": JOINED, "ja": JOINED},
        "mission": {"en": JOINED, "ja": JOINED},
        "time_zone": "Asia/Tokyo",
        "language": "en",
        "calendar": {"country": "JP"},
    },
    "teams/alpha.yaml": {
        "name": {"en": JOINED, "ja": JOINED},
        "language": "en",
        "contact": JOINED,
        "owns": [{"service": "shop"}],
    },
    "warehouses/main.yaml": {
        "engine": "duckdb",
        "tables": {
            name: {"path": f"{{outputs}}/{name}.parquet"}
            for name in ("requests", "deployments", "incidents", "alerts", "metrics", "sre_requests")
        },
    },
    "runs/weekly.yaml": {
        "team_notebooks": ["weekly_team_report"],
        "organization_notebooks": ["sre_overview"],
        "warehouse": "main",
        "teams": "all",
    },
}


def objective(n: int, display_name: str) -> dict[str, Any]:
    requests = {name: {"type": "shokubai", "spec": {"requests": name}} for name in ("successful", "all")}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": f"shop-{n}", "displayName": display_name},
        "spec": {
            "description": display_name,
            "service": "shop",
            "indicator": {
                "metadata": {"name": f"shop-{n}"},
                "spec": {
                    "ratioMetric": {
                        "counter": True,
                        "good": {"metricSource": requests["successful"]},
                        "total": {"metricSource": requests["all"]},
                    }
                },
            },
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"target": 0.999}],
        },
    }


def write_project(folder: Path) -> None:
    """An organisation and its logs. JSON is YAML, too."""
    short = [payload for payload in PAYLOADS if len(payload) < 64][::12]
    slos = {f"slos/shop-{n}.yaml": objective(n, payload) for n, payload in enumerate(short)}
    for name, content in (PARAMETERS | slos).items():
        file = folder / "parameters" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    outputs = folder / "outputs"
    outputs.mkdir()
    at = pd.date_range("2026-10-26", "2026-11-01", periods=len(PAYLOADS), tz="Asia/Tokyo", unit="us").tz_convert(
        "UTC"
    )
    texts = pd.Series(PAYLOADS, dtype="str")

    def payloads(*names: str) -> dict[str, pd.Series]:
        return dict.fromkeys(names, texts)

    requests = pd.DataFrame(
        {
            "timestamp": at,
            "service_name": [("shop", payload)[n % 2] for n, payload in enumerate(PAYLOADS)],
            **payloads("http_route", "http_request_method"),
            "http_response_status_code": pd.array([500 if n % 3 else 200 for n in range(len(texts))], dtype="Int64"),
            "duration_seconds": 0.2,
            **payloads("user_key", "region", "service_version", "trace_id"),
        }
    )
    frames = {
        "requests": pd.concat([requests.assign(timestamp=at + timedelta(seconds=n)) for n in range(60)]),
        "deployments": pd.DataFrame(
            {
                "deployed_at": at,
                "service_name": "shop",
                **payloads("service_version", "deployment_id", "description"),
            }
        ),
        "incidents": pd.DataFrame(
            {
                **payloads("incident_id", "title", "severity"),
                "service_name": "shop",
                "started_at": at,
                "detected_at": at,
                "mitigated_at": at + timedelta(minutes=5),
                "resolved_at": at + timedelta(minutes=5),
            }
        ),
        "alerts": pd.DataFrame(
            {"fired_at": at, "resolved_at": at, "service_name": "shop", **payloads("alert_name", "severity")}
        ),
        "metrics": pd.DataFrame(
            {
                "timestamp": at,
                "service_name": "shop",
                **payloads("metric_name", "unit"),
                "value": 1.0,
                "limit_value": 2.0,
            }
        ),
        "sre_requests": pd.DataFrame(
            {
                **payloads("request_id", "kind", "summary"),
                "team": "alpha",
                **dict.fromkeys(("opened_at", "first_response_at", "closed_at"), at),
            }
        ),
    }
    connection = duckdb.connect()
    for name, frame in frames.items():
        connection.register("frame", frame)
        connection.execute(f"COPY (SELECT * FROM frame) TO '{outputs / name}.parquet' (FORMAT parquet)")


@pytest.mark.notebooks
def test_a_run_over_hostile_logs_makes_pages_that_run_nothing(browser: Any, tmp_path: Path) -> None:
    write_project(tmp_path)
    command = ["run", "weekly", "--week", "2026-W44"]
    folders = ["--parameters", str(tmp_path / "parameters"), "--outputs", str(tmp_path / "outputs")]
    ended = subprocess.run(
        [sys.executable, "-c", "from shokubai.cli import main; main()", *command, *folders],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    week = tmp_path / "outputs" / "weekly" / "2026-W44"
    report, front = week / "alpha" / "weekly_team_report.html", tmp_path / "outputs" / "index.html"
    for file in (report, week / "organization" / "sre_overview.html", week / "index.html", front):
        html = file.read_text(encoding="utf-8")
        for with_policy in (True, False):
            with opened(browser, file, html, with_policy=with_policy) as page:
                assert not_in(page.locator("main").text_content()) == [], file.name
                if file == report:
                    assert page.locator(".plot[data-drawn]").count() >= 6
                    told = page.locator("main > .table", has_text="Events of the week").first.text_content()
                    assert not_in(told) == []
