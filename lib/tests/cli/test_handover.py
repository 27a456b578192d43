"""`shokubai handover` on facts written by hand, and on the reports of a real run."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from click.testing import CliRunner
from markdown_it import MarkdownIt

from shokubai import config, tables
from shokubai.cli import main
from shokubai.core.windows import Week

PROJECT = Path(__file__).resolve().parents[3]

ORGANIZATION = "name: Aoba\ntime_zone: Asia/Tokyo\nlanguage: en\ncalendar: {country: JP}\n"
SRE = 'sre: {name: Sato, contact: "#sre"}\n'
FILES = {
    "parameters/organization.yaml": ORGANIZATION + SRE,
    "parameters/teams/shop.yaml": 'name: Shop\ncontact: "@shop"\nowns: [{service: shop}]\n',
    "parameters/teams/stock.yaml": "name: {en: Stock, ja: 在庫}\nlanguage: ja\nowns: [{service: shop}]\n",
    "parameters/warehouses/main.yaml": "engine: duckdb\ntables:\n  requests: {path: requests.parquet}\n",
    "parameters/runs/weekly.yaml": "team_notebooks: [weekly_team_report]\nwarehouse: main\nteams: all\n",
}
SLOWER = {
    "id": "shop|GET /carts|route_slower",
    "rule": "route_slower",
    "case": "slower",
    "service": "shop",
    "method": "GET",
    "route": "/carts",
    "subject": "",
    "subject_name": "",
    "severity": "warning",
    "state": "new",
    "weeks": 1,
    "started_at": "2026-10-27T05:00:00Z",
    "ended_at": None,
    "numbers": {
        "p95_seconds": 0.97,
        "reference_p95_seconds": 0.5,
        "comparable_p95_seconds": 0.5,
        "last_month_p95_seconds": 0.52,
        "slower_count": 1480.4,
        "slower_low_ratio": 0.26,
        "slower_high_ratio": 0.27,
        "requests_count": 5533,
    },
    "candidate": {
        "kind": "deployment",
        "at": "2026-10-27T05:00:00Z",
        "identifier": "2026.10.27.1",
        "description": "Rank results",
    },
}
STILL = {
    **SLOWER,
    "case": "still_slower",
    "state": "continuing",
    "weeks": 2,
    "started_at": None,
    "candidate": None,
    "numbers": {"p95_seconds": 0.98, "reference_p95_seconds": 0.5, "requests_count": 6000},
}
GAP = {
    **SLOWER,
    "id": "shop|telemetry_gap|data_gap",
    "rule": "data_gap",
    "case": "telemetry_gap",
    "method": "",
    "route": "",
    "subject": "telemetry_gap",
    "started_at": "2026-10-28T00:00:00Z",
    "ended_at": "2026-10-28T02:00:00Z",
    "numbers": {"longest_seconds": 7200, "expected_count": 120},
    "candidate": None,
}
QUEUE = {
    **GAP,
    "id": "shop|queue.oldest_message.age|queue_age",
    "rule": "queue_age",
    "case": "above_limit",
    "subject": "queue.oldest_message.age",
    "numbers": {"peak_seconds": 90, "limit_seconds": 60, "above_seconds": 7200},
}
GOOD = {
    **SLOWER,
    "id": "shop|GET /stock|route_slower",
    "route": "/stock",
    "case": "resolved",
    "severity": "good",
    "state": "resolved",
}


def facts(team, week, *findings):
    window = Week.parse(week).window(ZoneInfo("Asia/Tokyo"))
    return {
        "schema": "shokubai/weekly_team_report/v1",
        "status": "made",
        "team": team,
        "week": week,
        "window": {"start": window.start.isoformat(), "end": window.end.isoformat()},
        "provenance": {"warehouse": "main"},
        "slos": [],
        "routes": [{"service_name": "shop", "http_request_method": "GET", "http_route": "/carts"}],
        "findings": list(findings),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with the reports of two teams in two weeks, entered."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    write("shop", "2026-W43", GAP, QUEUE)
    write("shop", "2026-W44", GOOD, SLOWER, GAP)
    write("stock", "2026-W44", GAP)
    return tmp_path


def write(team, week, *findings, name="weekly_team_report"):
    file = Path("outputs", "weekly", week, team, f"{name}.facts.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(facts(team, week, *findings)))


def invoke(*arguments):
    return CliRunner().invoke(main, ["handover", *arguments])


LIST = """\
2026-W44: open findings
shop|GET /carts|route_slower
    shop · Attention · new · GET /carts (shop) became slower: p95 970 ms instead of 500 ms
shop|telemetry_gap|data_gap
    shop · Attention · new · shop sent no telemetry for 2 h
shop|telemetry_gap|data_gap
    stock · Attention · new · shop sent no telemetry for 2 h
"""


@pytest.mark.parametrize("arguments", [(), ("--list",)])
def test_open_findings_of_the_newest_week_are_listed(folder, arguments):
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (0, LIST, "")


def test_another_week_team_and_language_are_listed(folder):
    result = invoke("--list", "--week", "2026-W43", "--team", "shop", "--language", "ja")
    assert (result.exit_code, result.stdout) == (
        0,
        "2026-W43: open findings\n"
        "shop|telemetry_gap|data_gap\n"
        "    shop · 注意 · 新規 · shop のテレメトリーが2時間途絶えました\n"
        "shop|queue.oldest_message.age|queue_age\n"
        "    shop · 注意 · 新規 · shop のメッセージが最長で1分30秒滞留しました。目標は1分以内です\n",
    )


def test_when_only_good_news_is_left_none_is_listed(folder):
    write("shop", "2026-W45", GOOD)
    assert invoke().stdout == "2026-W45: open findings\nnone\n"


PACKET = """\
# GET /carts (shop) became slower: p95 970 ms instead of 500 ms

- Finding: `shop|GET /carts|route_slower` (Attention · new)
- Service: `shop`
- Route: `GET /carts`
- Team: Shop (@\u2060shop)
- Supported by SRE: Sato (&#35;\u2060sre)
- Report: [weekly\\_team\\_report.html](<outputs/weekly/2026-W44/shop/weekly_team_report.html>) \
(2026-W44, Mon 26 Oct – Sun 1 Nov 2026, times in Asia/Tokyo)

## What was seen

It has been slower since Tue 27 Oct 14:00. p95 was 500 ms in the comparable week and 520 ms on the same business \
days of last month. About 1,480 requests more than usual waited longer than the earlier p95: 26 to 27 percentage \
points more (95% interval).

## Since when

Time: since Tue 27 Oct 14:00. First reported for 2026-W44; this is its week 1.

Candidate: 2026.10.27.1 was deployed at Tue 27 Oct 14:00 (“Rank results”). It lies near the onset; whether it is \
related is for you to check.

## Evidence

This query shows it again; in a notebook, give it as text to shokubai.open().sql():

```sql
…
```

Over the rows that it returns: `SUM(request_count) = 5533`

## Hypothesis

Not verified: what 2026.10.27.1 changed may have to do with it, since it was deployed near the onset. Please confirm \
it or rule it out.

## First step

Compare a slow trace with one from before Tue 27 Oct 14:00, and look at what 2026.10.27.1 changed.

## How it is checked

The weekly report marks this as recovered in production by itself, or says that there is no effect after two weeks. \
Nobody needs to report back.
"""
LINE = '"shop|GET /carts|route_slower": {owner: "Shop", reply: "Handed over with a packet", handed_over: 2026-W44}'


def test_a_packet(folder):
    result = invoke("shop|GET /carts|route_slower")
    assert result.exit_code == 0
    [query] = re.findall(r"```sql\n(.*?)```", result.stdout, re.DOTALL)
    assert "http_request_method = 'GET' AND http_route = '/carts'" in query
    assert result.stdout.replace(query, "…\n") == PACKET
    assert "cause" not in PACKET
    assert result.stderr == (
        f"once it is handed over, add this line to parameters/replies/shop.yaml, or let --record add it:\n{LINE}\n"
    )


def test_a_packet_in_jiras_markup_and_japanese(folder):
    result = invoke("carts", "--format", "jira", "--language", "ja")
    lines = result.stdout.splitlines()
    assert lines[0] == "h1. GET /carts (shop) が遅くなりました:p95は500 msから970 msへ"
    assert "* サービス: {{shop}}" in lines
    assert "* SREの支援担当: Sato (&#35;sre)" in lines
    assert "h2. 仮説" in lines
    assert lines.count("{code:sql}") == lines.count("{code}") == 1
    assert (
        "本番で回復したこと、または2週間たっても効果が見られないことは、週次レポートが自動で示します。報告は不要です。"
        in lines
    )


def test_a_packet_in_a_file_links_from_there(folder):
    result = invoke("carts", "--to", "issues/one.md")
    assert (result.exit_code, result.stdout) == (0, "issues/one.md\n")
    text = Path("issues/one.md").read_text()
    assert "(<../outputs/weekly/2026-W44/shop/weekly_team_report.html>)" in text


def test_the_newest_week_that_has_the_finding_is_taken(folder):
    assert "(2026-W43, " in invoke("queue").stdout
    assert "(2026-W44, " in invoke("telemetry", "--team", "shop").stdout
    assert "(2026-W43, " in invoke("telemetry", "--week", "2026-W43").stdout


def test_a_week_later_the_packet_still_knows_when_it_began(folder):
    write("shop", "2026-W45", STILL)
    text = invoke("carts").stdout
    assert "GET /carts (shop) is still slow" in text
    assert "Time: since Tue 27 Oct 14:00. First reported for 2026-W44; this is its week 2." in text
    assert "Candidate: 2026.10.27.1 was deployed" in text


def test_what_an_earlier_finding_said_is_not_taken_for_the_same(folder):
    write("shop", "2026-W46", {**STILL, "weeks": 1})
    text = invoke("carts").stdout
    assert "When it began, the week's data does not tell. First reported for 2026-W46; this is its week 1." in text
    assert "Candidate" not in text
    assert "None yet: when it began is not known" in text


def test_gains_and_traces_of_the_facts_are_handed_over(folder):
    gain = {
        "slo": "fast",
        "slo_name": "Fast carts",
        "bad_count": 1480.4,
        "budget_ratio": 0.412,
        "reference_ratio": 0.01,
    }
    write("shop", "2026-W44", {**SLOWER, "gains": [gain], "trace_ids": ["a1", "b2", "c3", "d4"]})
    text = invoke("carts").stdout
    assert (
        "## Expected gain\n\n- Without it, about 1,480 fewer requests would have been bad this week: 41% of the "
        "error budget of Fast carts.\n"
    ) in text
    assert "Traces to begin with:\n\n- `a1`\n- `b2`\n- `c3`\n\n## Hypothesis" in text


def test_without_gains_none_is_promised(folder):
    assert "Expected gain" not in invoke("carts").stdout


def test_nobody_of_sre_is_made_up(folder):
    Path("parameters/organization.yaml").write_text(ORGANIZATION)
    result = invoke("carts")
    assert "Supported by" not in result.stdout
    assert result.stderr.splitlines()[0] == (
        "note: the issue names nobody of SRE; to name somebody, write sre: {name: …, contact: …} into "
        "parameters/organization.yaml, or into parameters/teams/shop.yaml for this team alone"
    )


def test_a_warehouse_that_is_gone_costs_only_the_query(folder):
    Path("parameters/warehouses/other.yaml").write_text(Path("parameters/warehouses/main.yaml").read_text())
    Path("parameters/warehouses/main.yaml").unlink()
    Path("parameters/runs/weekly.yaml").write_text(FILES["parameters/runs/weekly.yaml"].replace("main", "other"))
    result = invoke("carts")
    assert result.exit_code == 0
    assert "```" not in result.stdout
    assert "No query can show this finding again; the report has its numbers and charts." in result.stdout
    assert result.stderr.splitlines()[0] == (
        "note: the issue has no query: the warehouse that the report was made from is no longer in the parameters"
    )


LAKE = """\
engine: bigquery
project: aoba-logs
location: US
dataset: shokubai
byte_cap: 50 GiB
run_byte_cap: 500 GiB
price_per_tib: 6.25
currency: USD
tables:
  requests: {table: logs.requests}
  metrics: {table: logs.metrics}
"""


def test_a_query_for_bigquery_names_shokubais_own_tables(folder):
    Path("parameters/warehouses/main.yaml").write_text(LAKE)
    text = invoke("carts").stdout
    assert "paste it into BigQuery's console:" in text
    assert "hour_latency AS (\n    SELECT * FROM `aoba-logs.shokubai.hour_latency`\n  )" in text
    assert "WHERE http_request_method = 'GET' AND http_route = '/carts'" in text


def test_a_log_in_bigquery_that_cannot_be_asked_costs_only_the_query(folder, monkeypatch):
    """What stands for a table of the log depends on its columns, which BigQuery tells whoever is logged in."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "missing.json"))
    Path("parameters/warehouses/main.yaml").write_text(LAKE)
    result = invoke("queue")
    assert result.exit_code == 0
    assert "No query can show this finding again" in result.stdout
    assert result.stderr.startswith("note: the issue has no query: ")


def test_the_last_good_report_stands_in_for_one_that_failed(folder):
    write("shop", "2026-W45", SLOWER, name="weekly_team_report.last_good")
    assert "(<outputs/weekly/2026-W45/shop/weekly_team_report.last_good.html>)" in invoke("carts").stdout


def test_recording_adds_the_line_once(folder):
    first = invoke("carts", "--record")
    assert (first.exit_code, first.stderr) == (0, "parameters/replies/shop.yaml: recorded\n")
    assert first.stdout.startswith("# GET /carts")
    assert Path("parameters/replies/shop.yaml").read_text() == f"{LINE}\n"
    again = invoke("carts", "--record")
    assert (again.exit_code, again.stderr) == (0, "parameters/replies/shop.yaml: recorded before\n")
    assert yaml.safe_load(Path("parameters/replies/shop.yaml").read_text())[SLOWER["id"]]["handed_over"] == "2026-W44"


def test_what_is_recorded_keeps_the_parameters_valid(folder):
    assert invoke("carts", "--record").exit_code == 0
    parameters, problems = config.check(Path("parameters"))
    assert parameters is not None
    assert [problem for problem in problems if problem.level == "error"] == []


def test_a_reply_that_is_there_is_not_touched_and_nothing_is_written(folder):
    replies = Path("parameters/replies/shop.yaml")
    replies.parent.mkdir()
    text = f'# ours\n"{SLOWER["id"]}": {{owner: Sato, reply: on it}}\n'
    replies.write_text(text)
    result = invoke("carts", "--record", "--to", "one.md")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"parameters/replies/shop.yaml:2: {SLOWER['id']} has a reply already; nothing was changed. Add to it there: "
        "handed_over: 2026-W44\n"
    )
    assert (replies.read_text(), Path("one.md").exists()) == (text, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("shop",),
            "'shop' is part of 2 ids; write more of the one that is meant:\n"
            "  shop|telemetry_gap|data_gap\n  shop|GET /carts|route_slower\n",
        ),
        (
            ("shop|telemetry_gap|data_gap",),
            "shop|telemetry_gap|data_gap is in the reports of several teams: shop, stock; name one with --team "
            "TEAM\n",
        ),
        (("/stock",), "shop|GET /stock|route_slower is good news in 2026-W44: there is nothing to hand over\n"),
        (
            ("shop|GET /cart|route_slow",),
            "no finding of any week has 'shop|GET /cart|route_slow' in its id; the nearest are:\n"
            "  shop|GET /carts|route_slower\n  shop|GET /stock|route_slower\n"
            "  shop|telemetry_gap|data_gap\n  shop|queue.oldest_message.age|queue_age\n"
            "List what is open with: shokubai handover --list\n",
        ),
        (
            ("carts", "--team", "stock"),
            "no finding of any week has 'carts' in its id in the reports of team stock; the nearest are:\n"
            "  shop|telemetry_gap|data_gap\nList what is open with: shokubai handover --list\n",
        ),
        (
            ("carts", "--week", "2026-W43"),
            "no finding of 2026-W43 has 'carts' in its id; the nearest are:\n"
            "  shop|telemetry_gap|data_gap\n  shop|queue.oldest_message.age|queue_age\n"
            "List what is open with: shokubai handover --list\n",
        ),
        (
            ("carts", "--week", "2026-W40"),
            "no weekly report of 2026-W40 with facts in outputs; make it with `shokubai run`, or name the folder "
            "with --outputs DIR\n",
        ),
        (
            ("--outputs", "elsewhere"),
            "no weekly report with facts in elsewhere; make it with `shokubai run`, or name the folder with "
            "--outputs DIR\n",
        ),
        (
            ("carts", "--team", "shops"),
            "no team is called 'shops' in parameters/teams; there are: shop, stock; did you mean 'shop'?\n",
        ),
        (
            ("--record",),
            "--list writes and records nothing; name one FINDING_ID without --list for that\n",
        ),
        (
            ("carts", "--list"),
            "--list writes and records nothing; name one FINDING_ID without --list for that\n",
        ),
        (("",), "no finding of any week has '' in its id"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_what_cannot_be_used_is_one_message(folder, arguments, message):
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message)


def test_hostile_texts_do_nothing(folder):
    route = "/x`](https://evil.example)<img src=x>@team {code}\n/close"
    hostile = {**SLOWER, "id": f"shop|GET {route}|route_slower", "route": route}
    hostile["candidate"] = {
        **SLOWER["candidate"],
        "identifier": "@boss {code}",
        "description": "![x](https://e.example)",
    }
    write("shop", "2026-W45", hostile)
    page = Page()
    page.feed(MarkdownIt("gfm-like", {"html": True}).disable("linkify").render(invoke("evil").stdout))
    assert page.tags <= {"h1", "h2", "p", "ul", "li", "pre", "code", "a"}
    assert page.links == ["outputs/weekly/2026-W45/shop/weekly_team_report.html"]
    assert not re.search(r"@\w|\w://", page.text)
    assert not re.search(r"^/", invoke("evil", "--format", "gitlab").stdout.partition("```sql")[0], re.MULTILINE)
    jira = invoke("evil", "--format", "jira").stdout
    assert "{noformat}" in jira
    outside = re.sub(r"\{noformat\}.*?\{noformat\}", "", jira, flags=re.DOTALL)
    assert "{code" not in outside
    assert "\n/close" not in outside
    listed = invoke("--list").stdout
    assert len(listed.splitlines()) == 3


class Page(HTMLParser):
    """The elements of a page, where its links lead, and its text outside of code."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text, self.depth = set(), [], "", 0

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]
        self.depth += tag == "code"

    def handle_endtag(self, tag):
        self.depth -= tag == "code"

    def handle_data(self, data):
        self.text += "" if self.depth else data


@pytest.mark.notebooks
def test_every_finding_of_a_real_run_can_be_handed_over(weekly_outputs, monkeypatch):
    """The query in each packet runs in the demo's warehouse and gives the number that the packet states."""
    monkeypatch.chdir(PROJECT)
    opened = tables.open_tables(config.load(Path("parameters")), "demo", outputs=weekly_outputs)
    stated = 0
    rules = set()
    for file in sorted(weekly_outputs.glob("weekly/*/*/weekly_team_report.facts.json")):
        made = json.loads(file.read_text())
        for finding in made["findings"]:
            if finding["severity"] == "good":
                continue
            result = invoke(
                finding["id"], "--team", made["team"], "--outputs", str(weekly_outputs), "--language", "en"
            )
            assert result.exit_code == 0, result.stderr
            [query] = re.findall(r"```sql\n(.*?)```", result.stdout, re.DOTALL)
            opened.sql(query)
            if found := re.search(r"Over the rows that it returns: `(.*)`", result.stdout):
                for sum_ in found[1].split(", "):
                    expression, number = sum_.rsplit(" = ", 1)
                    [given] = opened.sql(f"SELECT {expression} AS given FROM (\n{query}\n)")["given"]
                    assert float(given) == float(number), (finding["id"], sum_)
                    assert float(number) in finding["numbers"].values()
                    stated += 1
                rules.add(finding["rule"])
    assert stated >= 20
    assert rules >= {"budget", "outage", "queue_age", "retry_storm", "route_slower", "saturation", "traffic"}
