"""Findings in words: complete in both languages, honest about causes, safe with hostile text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shokubai.config.model import LANGUAGES, Ownership, Reply, Source, Team, Text
from shokubai.core.windows import Week
from shokubai.display.exhibit import Callout, Notices
from shokubai.display.format import Locale
from shokubai.display.prose import accepted_notices, notices, orphaned_replies, tally, tell, told_notices
from shokubai.display.prose.findings import vocabulary
from shokubai.findings import Candidate, Finding, finding_facts
from shokubai.findings.model import Acceptance, TeamThreshold
from shokubai.findings.rules import all_rules

TOKYO = ZoneInfo("Asia/Tokyo")
START = datetime(2026, 10, 27, 5, 0, tzinfo=UTC)  # Tuesday 14:00 in Tokyo
CASES = [(rule.name, case) for rule in all_rules() for case in rule.cases]

# Every number that some rule gives, with a plausible value.
NUMBERS = {
    "above_seconds": 14_400.0,
    "affected_count": 312.0,
    "bad_count": 312.0,
    "bad_ratio": 0.42,
    "before_ratio": 0.5,
    "budget_allowed_count": 240.4,
    "budget_left_ratio": -0.297,
    "budget_spent_ratio": 0.33,
    "burst_factor": 10.4,
    "by_latency": 0.0,
    "by_slices": 0.0,
    "change_factor": 1.8,
    "comparable_error_ratio": 0.0001,
    "comparable_p95_seconds": 0.2,
    "comparable_requests_count": 7200.0,
    "day_count": 3.0,
    "days_count": 28.0,
    "declared_count": 1.0,
    "detected_after_seconds": 420.0,
    "difference_high_ratio": 0.0034,
    "difference_low_ratio": 0.0026,
    "duration_seconds": 1500.0,
    "earliest_in_seconds": 2 * 86_400.0,
    "error_ratio": 0.0031,
    "errors_count": 504.0,
    "expected_count": 900.0,
    "extra_errors_count": 494.2,
    "fired_count": 3.0,
    "high_factor": 2.0,
    "hits_in_seconds": 3 * 86_400.0,
    "last_month_error_ratio": 0.0002,
    "last_month_p95_seconds": 0.21,
    "last_month_requests_count": 12_800.0,
    "latest_in_seconds": 5 * 86_400.0,
    "level_ratio": 0.94,
    "limit_seconds": 300.0,
    "low_factor": 1.6,
    "longest_seconds": 9000.0,
    "noisy_count": 2.0,
    "objective_ratio": 0.999,
    "other_stretch_count": 1.0,
    "pace_burn_factor": 2.5,
    "pace_seconds": 3 * 86_400.0,
    "past_objective_ratio": 0.99,
    "period_count": 2.0,
    "proposed_left_ratio": 0.5,
    "proposed_ratio": 0.9995,
    "proposed_spent_high_ratio": 0.41,
    "proposed_spent_low_ratio": 0.22,
    "reached_seconds": 0.19,
    "spent_high_ratio": 0.04,
    "spent_low_ratio": 0.02,
    "peak_factor": 4.0,
    "peak_high_factor": 4.2,
    "peak_low_factor": 3.8,
    "peak_seconds": 1500.0,
    "p95_seconds": 0.6,
    "reference_error_ratio": 0.0001,
    "reference_p95_seconds": 0.2,
    "reference_requests_count": 160_000.0,
    "reference_seen_count": 3.0,
    "reference_seen_ratio": 0.00002,
    "requests_count": 168_000.0,
    "rise_per_week_ratio": 0.14,
    "seen_count": 400.0,
    "seen_ratio": 0.0024,
    "slow_count": 900.0,
    "slow_high_ratio": 0.31,
    "slow_low_ratio": 0.27,
    "threshold_seconds": 0.5,
    "sli_high_ratio": 0.9981,
    "sli_low_ratio": 0.9974,
    "sli_ratio": 0.9978,
    "slower_count": 250.0,
    "slower_high_ratio": 0.28,
    "slower_low_ratio": 0.22,
    "stretch_count": 2.0,
    "valid_count": 140_000.0,
    "window_seconds": 28 * 86_400.0,
}


def reader(language):
    return Locale(language, TOKYO)


def finding(rule, case, **changes):
    values = {
        "severity": "warning",
        "method": "GET",
        "route": "/v1/search",
        "subject": "search-latency",
        "started_at": START,
        "ended_at": START + timedelta(days=5),
        "numbers": NUMBERS,
        "candidate": Candidate("deployment", START, "2026.10.27-1", "Sort results by relevance"),
    } | changes
    return Finding(rule, case, "search-api", **values)


def everything(told):
    return " ".join((told.title, told.body, told.action, told.label, told.when))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("rule", "case"), CASES)
def test_every_case_of_every_rule_has_words(rule, case, language):
    told = tell(finding(rule, case), locale=reader(language))
    assert told.title and told.action
    assert not re.search(r"[{}]|\bNone\b|\bnan\b|–%", everything(told)), everything(told)
    has_japanese = re.search(r"[ぁ-んァ-ン]", told.title + told.action) is not None
    assert has_japanese == (language == "ja")


def test_the_words_belong_to_cases_that_exist_and_are_the_same_in_both_languages():
    shared = {"labels", "things", "bad_of_valid", "metrics", "common", "gain"}
    for language in LANGUAGES:
        words = vocabulary(language)
        told = {(rule, case) for rule, cases in words.items() if rule not in shared for case in cases}
        assert told == set(CASES)
    for part in shared:
        assert vocabulary("en")[part].keys() == vocabulary("ja")[part].keys()


def placeholders(words):
    texts = [
        words["title"],
        words.get("again", ""),
        *words["body"],
        *(words["action"] if isinstance(words["action"], list) else [words["action"]]),
    ]
    said = [text if isinstance(text, str) else text["say"] for text in texts]
    return {name for text in said for name in re.findall(r"{(\w+)", text)}


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_both_languages_say_the_same_numbers(rule, case):
    assert placeholders(vocabulary("en")[rule][case]) == placeholders(vocabulary("ja")[rule][case])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("rule", "case"), CASES)
def test_sentences_whose_numbers_are_unknown_are_left_out(rule, case, language):
    """What a rule may leave open never shows up as a hole."""
    open_numbers = NUMBERS | {
        name: None
        for name in NUMBERS
        if re.match(r"(last_month|sli_low|detected|latest|other|slower_low|peak_low|difference_low)", name)
    }
    told = tell(finding(rule, case, numbers=open_numbers, candidate=None), locale=reader(language))
    assert not re.search(r"[{}]|None|(?<!\d )–(?!\d)", told.title + told.body + told.action)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("rule", "case"), CASES)
def test_a_cause_is_never_claimed_and_nobody_is_ordered_about(rule, case, language):
    text = everything(tell(finding(rule, case), locale=reader(language)))
    forbidden = {
        "en": r"\b(caused by|because of|due to|root cause|must|blocked|forbidden|fault of|violat\w+)\b",
        "ja": r"(原因は|が原因|のせい|禁止|違反|しなければなりません|許可が必要)",
    }
    assert not re.search(forbidden[language], text, re.IGNORECASE), text
    candidate = {"en": "Candidate: 2026.10.27-1 was deployed at Tue 27 Oct 14:00", "ja": "候補:"}
    assert candidate[language] in text


def test_a_slower_route_reads_as_a_sentence_with_its_numbers():
    told = tell(finding("route_slower", "slower", ended_at=None), locale=reader("en"))
    assert told.title == "GET /v1/search (search-api) became slower: p95 600 ms instead of 200 ms"
    assert "It has been slower since Tue 27 Oct 14:00." in told.body
    assert "200 ms in the comparable week and 210 ms on the same business days of last month" in told.body
    assert "22 to 28 percentage points more (95% interval)" in told.body
    assert "“Sort results by relevance”" in told.body
    assert told.action.startswith("Compare a slow trace with one from before Tue 27 Oct 14:00")
    assert told.label == "Attention · new"


def test_the_same_in_japanese():
    told = tell(finding("route_slower", "slower", ended_at=None), locale=reader("ja"))
    assert told.title == "GET /v1/search (search-api) が遅くなりました:p95は200 msから600 msへ"
    assert "10月27日(火) 14:00から遅い状態が続いています。" in told.body
    assert "22〜28ポイントの増加です(95%信頼区間)" in told.body


def test_a_month_end_is_called_what_it_is():
    days = {"started_at": datetime(2026, 10, 27, 15, tzinfo=UTC), "ended_at": datetime(2026, 10, 30, 15, tzinfo=UTC)}
    told = tell(finding("traffic", "month_turn", subject="month_turn", **days), locale=reader("en"))
    assert told.when == "Wed 28 Oct – Fri 30 Oct"
    assert "follows the calendar" in told.title
    assert "暦どおりの動きです" in tell(finding("traffic", "month_turn"), locale=reader("ja")).title


def test_an_outage_counts_failed_or_slow_requests_and_says_who_noticed():
    numbers = NUMBERS | {"declared_count": 0.0, "detected_after_seconds": None}
    failed = tell(
        finding("outage", "spent", subject="availability@2026-10-27T05:00Z", numbers=numbers), locale=reader("en")
    )
    assert failed.title == "availability: 312 failed requests within 25 min"
    assert "No incident was declared for it." in failed.body
    numbers = NUMBERS | {"by_latency": 1.0, "threshold_seconds": 0.8}
    slow = tell(finding("outage", "spent", numbers=numbers), locale=reader("en"))
    assert "312 requests slower than 800 ms" in slow.title
    assert (
        "800 msを超えたリクエストが312件"
        in tell(finding("outage", "spent", numbers=numbers), locale=reader("ja")).title
    )
    assert "noticed 7 min after it began" in slow.body


def test_a_budget_counts_what_its_objective_calls_bad():
    def body(locale, **kind):
        numbers = NUMBERS | {"bad_count": 6460.0, "valid_count": 170732.0, "window_seconds": 28 * 86400.0} | kind
        return tell(finding("budget", "exhausted", numbers=numbers), locale=reader(locale)).body

    slow = {"by_latency": 1.0, "threshold_seconds": 0.8}
    assert body("en", **slow).startswith("Over 28 days, 6,460 of 170,732 requests took longer than 800 ms;")
    assert body("ja", **slow).startswith("28日の間に800 msを超えたリクエストは170,732件中6,460件でした。")
    assert body("en").startswith("Over 28 days, 6,460 of 170,732 requests failed;")
    assert body("en", by_slices=1.0).startswith("Over 28 days, 6,460 of 170,732 time slices were below target;")


def test_times_of_one_day_say_the_day_once():
    storm = finding("outage", "spent", started_at=START, ended_at=START + timedelta(minutes=20))
    assert "On Tue 27 Oct 14:00–14:20, " in tell(storm, locale=reader("en")).body
    assert "10月27日(火) 14:00〜14:20に、" in tell(storm, locale=reader("ja")).body


def test_a_metric_is_called_by_its_name_and_the_limit_has_a_date_and_an_interval():
    end = datetime(2026, 11, 4, 15, 0, tzinfo=UTC)
    leak = finding("saturation", "will_hit", subject="process.memory.usage", started_at=None, ended_at=end)
    told = tell(leak, locale=reader("en"))
    assert told.title == "Memory of search-api reaches its limit around Thu 5 Nov"
    assert "between Wed 4 Nov and Sat 7 Nov" in told.body
    assert tell(leak, locale=reader("ja")).title == "search-api のメモリは11月5日(木)ごろ上限に達する見込みです"


def test_counted_nouns_agree_with_their_number():
    one = tell(
        finding("alert_noise", "no_budget_spent", numbers={"noisy_count": 1.0, "fired_count": 2.0}),
        locale=reader("en"),
    )
    assert "paged 1 time while" in one.title
    assert "2 times" in one.body


def test_a_teams_own_threshold_is_said_with_its_reason():
    own = TeamThreshold(
        "route_failing", "minimum_extra_errors_count", 5.0, 20.0, "Each is an invoice that is not sent."
    )
    told = finding("route_failing", "failing_more", team_thresholds=(own,))
    assert tell(told, locale=reader("en")).body.endswith(
        "It rests on the team's own threshold route_failing.minimum_extra_errors_count of 5 (20 is common): "
        "“Each is an invoice that is not sent.”"
    )
    assert (
        "チームで定めた基準 route_failing.minimum_extra_errors_count = 5 によります(共通の値は 20)"
        in tell(told, locale=reader("ja")).body
    )


def test_continuing_and_resolved_findings_say_so():
    third = tell(
        finding("budget", "exhausted", severity="critical", state="continuing", weeks=3), locale=reader("en")
    )
    assert third.label == "Urgent · week 3"
    assert (
        tell(finding("budget", "resolved", severity="good", state="resolved"), locale=reader("ja")).label
        == "良い知らせ · 解消"
    )


HOSTILE = '/files/<script>alert("x")</script>/hanako.tanaka@example.co.jp/203.0.113.7/2001:db8::8a2e:370:7334/{weeks}'


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("rule", "case"), CASES)
def test_hostile_text_passes_as_text_and_personal_data_does_not(rule, case, language):
    hostile = finding(
        rule,
        case,
        route=HOSTILE,
        subject_name=f"name {HOSTILE}",
        candidate=Candidate("deployment", START, "v1 taro@example.com", HOSTILE),
    )
    text = everything(tell(hostile, locale=reader(language)))
    assert not re.search(r"example\.co|203\.0\.113|2001:db8", text)
    # Markup stays as it is: it is text here, and is escaped where it becomes HTML.
    if "<script>" in text:
        assert '<script>alert("x")</script>' in text
        assert "{weeks}" in text


def test_the_notices_escape_hostile_text():
    page = notices([finding("route_slower", "slower", route=HOSTILE)], locale=reader("en"))
    assert isinstance(page, Notices)
    assert "<script>" not in page.html()
    assert "&lt;script&gt;" in page.html()


def test_a_finding_shows_requests_and_folds_away_how_to_find_more():
    shown = finding(
        "route_failing", "failing_more", trace_ids=("0af7651916cd43dd", "00f067aa0ba902b7"), query="SELECT <1>"
    )
    html = notices([shown], locale=reader("en")).html()
    assert "<code>0af7651916cd43dd</code>, <code>00f067aa0ba902b7</code>" in html
    assert (
        "<summary>How to find such requests in the log (GoogleSQL)</summary><pre>SELECT &lt;1&gt;</pre></details>"
        in html
    )
    bare = notices([finding("budget", "exhausted")], locale=reader("ja")).html()
    assert "<details" not in bare and bare.count("<code>") == 1  # its name


def test_notices_keep_the_order_and_say_when_there_are_none():
    several = [
        finding("recovered", "met_again", severity="good"),
        finding("budget", "exhausted", severity="critical"),
    ]
    page = notices(several, locale=reader("en"))
    assert isinstance(page, Notices)
    assert [item.level for item in page.items] == ["good", "critical"]
    none = notices([], locale=reader("ja"))
    assert isinstance(none, Callout)
    assert none.title == "今週、ルールに当てはまるものはありませんでした。"


def test_findings_of_several_teams_are_told_from_their_facts():
    team = Team("search", Text("Search", "検索"), "ja", (Ownership("search-api"),), Source(Path("search.yaml"), 1))
    told = tell(finding("route_slower", "slower"), locale=reader("ja"))
    facts = finding_facts(finding("route_slower", "slower")) | {"text": {"ja": vars(told), "en": {}}}
    page = told_notices([(team, facts)], locale=reader("ja"))
    [item] = page.items
    assert (item.title, item.label) == (told.title, "検索 · 注意 · 新規")
    [item] = told_notices([(replace(team, contact="#team-search"), facts)], locale=reader("ja")).items
    assert item.label == "検索 · #team-search · 注意 · 新規"


def test_commit_hashes_are_shortened_not_hidden():
    candidate = Candidate("deployment", START, "0123456789abcdef0123456789abcdef01234567", "")
    told = tell(finding("route_slower", "slower", candidate=candidate), locale=reader("en"))
    assert "Candidate: 0123456789ab was deployed" in told.body
    assert "“" not in told.body


def test_an_interval_within_one_day_is_not_told():
    numbers = NUMBERS | {"earliest_in_seconds": 3 * 86_400 - 600.0, "latest_in_seconds": 3 * 86_400 + 600.0}
    end = datetime(2026, 11, 4, 3, 0, tzinfo=UTC)
    told = tell(finding("saturation", "will_hit", ended_at=end, numbers=numbers), locale=reader("en"))
    assert "confidence" not in told.body


UNTIL = date(2026, 11, 30)
ANSWERS = {
    "an answer alone": ({}, {}, "Sato: “not now”", "Sato:「not now」"),
    "accepted": (
        {"accepted_until": UNTIL},
        {"state": "accepted", "acceptance": Acceptance("warning")},
        "Sato: “not now” Accepted until Mon 30 Nov 2026.",
        "Sato:「not now」2026年11月30日(月)まで受容。",
    ),
    "over": (
        {"accepted_until": UNTIL},
        {"state": "continuing"},
        "Sato: “not now” It was accepted until Mon 30 Nov 2026.",
        "Sato:「not now」2026年11月30日(月)までの受容は終わりました。",
    ),
    "much worse": (
        {"accepted_until": UNTIL},
        {"state": "continuing", "acceptance": Acceptance("warning", ended="worse")},
        "Sato: “not now” It was accepted until Mon 30 Nov 2026, but has become much worse since then.",
        "Sato:「not now」2026年11月30日(月)まで受容していましたが、その後大きく悪化しました。",
    ),
    "handed over": (
        {"handed_over": Week(2026, 44)},
        {"state": "improving"},
        "Sato: “not now” Handed over with the report of 2026-W44.",
        "Sato:「not now」2026-W44のレポートで引き継ぎ済み。",
    ),
    "no effect": (
        {"handed_over": Week(2026, 44)},
        {"check": "no_effect"},
        "Sato: “not now” Handed over with the report of 2026-W44; no effect in production 2 weeks later.",
        "Sato:「not now」2026-W44のレポートで引き継ぎましたが、2週間後も本番での効果が見られません。",
    ),
    "recovered": (
        {"handed_over": Week(2026, 44), "accepted_until": UNTIL},
        {"check": "recovered", "state": "resolved", "severity": "good"},
        "Sato: “not now” Handed over with the report of 2026-W44, and recovered in production after 2026-W46.",
        "Sato:「not now」2026-W44のレポートで引き継ぎ、2026-W46を最後に本番で回復しました。",
    ),
}


@pytest.mark.parametrize(("said", "life", "english", "japanese"), ANSWERS.values(), ids=ANSWERS)
def test_the_teams_answer_and_what_became_of_it(said, life, english, japanese):
    answered = finding(
        "route_slower",
        "slower",
        first_week=Week(2026, 43),
        weeks=4,
        reply=Reply("", "Sato", "not now", **said),
        **life,
    )
    assert tell(answered, locale=reader("en")).answer == english
    assert tell(answered, locale=reader("ja")).answer == japanese


STATES_TOLD = [
    ({"state": "improving", "weeks": 3}, "Attention · week 3, improving", "注意 · 3週目、改善中"),
    ({"state": "accepted", "weeks": 2}, "Attention · week 2, accepted", "注意 · 2週目、受容中"),
    (
        {"returned_after": Week(2026, 40)},
        "Attention · new again, it was there until 2026-W40",
        "注意 · 再発(前回は2026-W40まで)",
    ),
    ({"state": "continuing", "weeks": 2, "returned_after": Week(2026, 40)}, "Attention · week 2", "注意 · 2週目"),
]


@pytest.mark.parametrize(("life", "english", "japanese"), STATES_TOLD)
def test_labels_tell_the_state(life, english, japanese):
    there = finding("route_slower", "slower", **life)
    assert tell(there, locale=reader("en")).label == english
    assert tell(there, locale=reader("ja")).label == japanese


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_back_is_not_told_as_still_there(language):
    there = finding("route_slower", "still_slower")
    back = replace(there, returned_after=Week(2026, 40))
    again, still = (tell(each, locale=reader(language)).title for each in (back, there))
    assert again != still
    assert ("again" if language == "en" else "再び") in again


def test_answers_are_escaped_and_hold_no_personal_data():
    reply = Reply("shop|GET /items|route_slower", "taro@example.com", HOSTILE)
    answered = finding("route_slower", "slower", state="accepted", acceptance=Acceptance("warning"), reply=reply)
    heading, rest = accepted_notices([answered], locale=reader("en"))
    orphans = orphaned_replies([reply], file="replies/sales.yaml", locale=reader("en"))
    html = heading.html() + rest.html() + orphans.html() + notices([answered], locale=reader("en")).html()
    assert html.count("&lt;script&gt;") >= 3
    assert not re.search(r"<script>|example\.co|203\.0\.113", html)
    assert html.count("[email]: “") == 3


def test_accepted_findings_are_told_in_a_few_words_with_their_answer():
    reply = Reply("", "Sato", "not now", accepted_until=UNTIL)
    answered = finding("route_slower", "slower", state="accepted", acceptance=Acceptance("warning"), reply=reply)
    _, rest = accepted_notices([answered], locale=reader("en"))
    [item] = rest.items
    assert (item.state, item.body, item.action) == ("accepted", "", "")
    assert item.identifier == "search-api|GET /v1/search search-latency|route_slower"
    assert item.answer == "Sato: “not now” Accepted until Mon 30 Nov 2026."
    assert '<li class="notice warning accepted">' in rest.html()
    assert "<code>search-api|GET /v1/search search-latency|route_slower</code>" in rest.html()


def test_the_tally_counts_states_resolved_first():
    counts = {"new": 2, "continuing": 0, "improving": 1, "resolved": 3, "accepted": 1}
    assert tally(counts, locale=reader("en")) == "3 resolved · 2 new · 1 improving · 1 accepted"
    assert tally(counts, locale=reader("ja")) == "解消 3 · 新規 2 · 改善中 1 · 受容中 1"
    assert tally(dict.fromkeys(counts, 0), locale=reader("en")) == ""
