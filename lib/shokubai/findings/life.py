"""How findings live from week to week: new, continuing, improving, resolved, or accepted by their team until a day.

All that is known of earlier weeks are the findings in the facts of one earlier report, the newest there is; each
holds the week that first had it. So a report can be made again at any time and comes out the same from the same facts
and parameters, and weeks in which no report was made are counted, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from shokubai.config.model import Reply
from shokubai.core.scrub import scrub
from shokubai.core.windows import Week
from shokubai.findings.evidence import Evidence
from shokubai.findings.model import SEVERITIES, Acceptance, Check, Finding, Severity
from shokubai.findings.observation import Measure, Rule

MEMORY_WEEKS = 13  # a quarter; what was last seen longer ago begins anew


@dataclass(frozen=True)
class Ledger:
    """What one report states of the life of findings."""

    findings: tuple[Finding, ...]
    # No longer findings of this report, and kept for the next one: what was resolved, in case it comes back, and what
    # this week's data cannot tell of.
    remembered: tuple[Finding, ...] = ()
    # Answers to what is no finding of this report and is not remembered as open.
    orphaned: tuple[Reply, ...] = ()


def follow_up_earlier_weeks(
    evidence: Evidence, present: Sequence[Finding], earlier: Sequence[Finding], rules: Sequence[Rule]
) -> Ledger:
    """This week's findings with their state, and those of an earlier report that their rule still has a word about.

    Good news is not followed up. Events (rules without a follow-up) have no life: an outage does not continue, it is
    over. What their rule is silent about, since the data cannot tell, is remembered as open.
    """
    lives = _Lives(evidence, {rule.name: rule for rule in rules})
    past = {finding.id: finding for finding in known(earlier, evidence.week)}
    told = [lives.of_present(finding, past.get(finding.id)) for finding in present]
    seen = {finding.id for finding in told}
    remembered = []
    for before in past.values():
        if before.id in seen:
            continue
        if not lives.is_lasting(before):
            continue
        after = lives.of_resolved(before) if before.state == "resolved" else lives.of_absent(before)
        if after is None:
            remembered.append(before)
        else:
            told.append(after)
    return Ledger(tuple(told), tuple(remembered), _orphaned(evidence.replies, [*told, *_open(remembered)]))


def known(earlier: Iterable[Finding], week: Week) -> tuple[Finding, ...]:
    """What is remembered in a week of the findings in an earlier report: good news that is no resolution is not.

    Nor is what was last seen more than a quarter ago. Facts without first weeks are taken for last week's.
    """
    dated = (
        finding if finding.first_week else replace(finding, first_week=week.plus(-finding.weeks))
        for finding in earlier
        if finding.severity != "good" or finding.state == "resolved"
    )
    since = week.plus(-MEMORY_WEEKS)
    return tuple(finding for finding in dated if finding.last_week and since <= finding.last_week < week)


def _open(findings: Iterable[Finding]) -> Iterable[Finding]:
    return (finding for finding in findings if finding.state != "resolved")


def _orphaned(replies: Mapping[str, Reply], findings: Iterable[Finding]) -> tuple[Reply, ...]:
    there = {finding.id for finding in findings}
    return tuple(reply for identifier, reply in sorted(replies.items()) if identifier not in there)


@dataclass(frozen=True)
class _Lives:
    """The lives of one week's findings."""

    evidence: Evidence
    rules: Mapping[str, Rule]

    @property
    def week(self) -> Week:
        return self.evidence.week

    def is_lasting(self, finding: Finding) -> bool:
        rule = self.rules.get(finding.rule)
        return rule is not None and rule.follow_up is not None

    def of_present(self, finding: Finding, before: Finding | None) -> Finding:
        """A finding that its rule observed this week."""
        if before is None:
            return self._answered(replace(finding, first_week=self.week), None)
        if before.state == "resolved":
            return self._returned(finding, before)
        if not self.is_lasting(finding):
            return self._answered(replace(finding, first_week=self.week), before)
        return self._continued(self._with_first_reference(finding, before), before)

    def of_absent(self, before: Finding) -> Finding | None:
        """What its rule says of a finding that it no longer observes; None when it cannot tell."""
        follow_up = self.rules[before.rule].follow_up
        after = follow_up(self.evidence, self._as_first_seen(before)) if follow_up else None
        if after is None or after.state != "resolved":
            return None if after is None else self._continued(after, before)
        reply = self.evidence.replies.get(before.id)
        resolved = replace(
            self._with_last_level(after, before),
            weeks=before.weeks,
            first_week=before.first_week,
            returned_after=before.returned_after,
            reply=reply,
            acceptance=before.acceptance if _is_same_answer(before.reply, reply) else None,
        )
        return replace(resolved, check=self._check(resolved))

    def of_resolved(self, before: Finding) -> Finding | None:
        """What is back although its rule does not observe it, since its baselines hold the weeks that had it before.

        By its own follow-up, and at least nearly as bad as it was: near the threshold of the follow-up chance alone
        would bring it back.
        """
        measure, follow_up = self._measure(before), self.rules[before.rule].follow_up
        after = follow_up(self.evidence, before) if follow_up else None
        if measure is None or after is None or after.state == "resolved" or after.severity == "notice":
            return None
        last = {**before.numbers, measure.number: before.numbers.get(_LAST + measure.number)}
        factor = measure.factor(last, after.numbers)
        if factor is None or factor < self.evidence.thresholds("life")["improving_factor"]:
            return None
        return self._returned(after, before)

    def _returned(self, finding: Finding, before: Finding) -> Finding:
        """What was resolved is back: new, with the last week that had it."""
        returned = replace(
            finding, state="new", weeks=1, first_week=self.week, returned_after=before.last_week, reply=None
        )
        return self._answered(returned, before)

    def _continued(self, finding: Finding, before: Finding) -> Finding:
        assert before.first_week is not None
        return self._answered(
            replace(
                finding,
                state="improving" if self._is_improving(finding, before) else "continuing",
                first_week=before.first_week,
                weeks=_weeks_between(before.first_week, self.week) + 1,
                returned_after=before.returned_after,
            ),
            before,
        )

    def _is_improving(self, finding: Finding, before: Finding) -> bool:
        """Whether it is still there, but clearly less than in the report before, by its rule's measure.

        Compared with the report before and not with the worst there was: what got better once and then stayed has
        stopped improving. What is more severe than before is never called so.
        """
        measure = self._measure(finding)
        if measure is None or _is_severer(finding, before.severity):
            return False
        factor = measure.factor(self._as_first_seen(before).numbers, finding.numbers)
        is_less = factor is not None and factor <= self.evidence.thresholds("life")["improving_factor"]
        return is_less or bool(measure.heals and measure.heals(finding))

    # --- what the team answered -----------------------------------------------------------------------------

    def _answered(self, finding: Finding, before: Finding | None) -> Finding:
        """With the team's reply; accepted while that counts."""
        reply = self.evidence.replies.get(finding.id)
        acceptance = self._acceptance(finding, reply, before)
        answered = replace(finding, reply=reply, acceptance=acceptance, check="")
        if acceptance is not None and not acceptance.ended:
            return replace(answered, state="accepted")
        return replace(answered, check=self._check(answered))

    def _acceptance(self, finding: Finding, reply: Reply | None, before: Finding | None) -> Acceptance | None:
        """None without one; the day counts for reports whose week ends on it or before.

        An acceptance is about what the team knew when it gave it. It ends, so that nothing is hidden, when the
        finding has become much worse since: in severity, or by its rule's measure. It also ends with the finding:
        what was resolved and is back is news. It stays ended until the team answers anew.
        """
        if reply is None or reply.accepted_until is None or reply.accepted_until < self.week.days()[-1]:
            return None
        if finding.severity == "good":
            return None
        is_same_answer = before is not None and _is_same_answer(before.reply, reply)
        acceptance = before.acceptance if before is not None and is_same_answer else None
        if before is not None and before.state == "resolved" and is_same_answer:
            return Acceptance(finding.severity, self._measured(finding), ended="returned")
        if acceptance is None:
            reported = finding if before is None or before.state == "resolved" else before
            acceptance = Acceptance(reported.severity, self._measured(reported))
        if not acceptance.ended and self._is_much_worse(finding, acceptance):
            return replace(acceptance, ended="worse")
        return acceptance

    def _is_much_worse(self, finding: Finding, acceptance: Acceptance) -> bool:
        if _is_severer(finding, acceptance.severity):
            return True
        measure = self._measure(finding)
        factor = measure.factor(acceptance.numbers, finding.numbers) if measure else None
        return factor is not None and factor >= self.evidence.thresholds("life")["much_worse_factor"]

    def _check(self, finding: Finding) -> Check:
        """Of what was handed over in this life of the finding: recovered, or no effect after some weeks."""
        handed_over = finding.reply.handed_over if finding.reply else None
        if handed_over is None or finding.first_week is None or not finding.first_week <= handed_over < self.week:
            return ""
        if finding.state == "resolved":
            return "recovered"
        patience = self.evidence.thresholds("life")["no_effect_after_weeks"]
        has_not_helped = finding.state != "improving" and _weeks_between(handed_over, self.week) >= patience
        return "no_effect" if has_not_helped else ""

    # --- by which numbers -----------------------------------------------------------------------------------

    def _measure(self, finding: Finding) -> Measure | None:
        rule = self.rules.get(finding.rule)
        return rule.measure if rule else None

    def _measured(self, finding: Finding) -> Mapping[str, float | None]:
        measure = self._measure(finding)
        numbers = self._as_first_seen(finding).numbers
        return MappingProxyType({name: numbers.get(name) for name in measure.names} if measure else {})

    def _with_first_reference(self, finding: Finding, before: Finding) -> Finding:
        """With the reference of its first week kept, where a later baseline is worse than that.

        Else a route that became slower twice would be called healed when it is back at the first step.
        """
        above = measure.above if (measure := self._measure(finding)) else ""
        first, own = self._as_first_seen(before).numbers.get(above), finding.numbers.get(above)
        if first is None or own is None or first >= own:
            return finding
        return replace(finding, numbers=MappingProxyType({**finding.numbers, _FIRST + above: first}))

    def _with_last_level(self, resolved: Finding, before: Finding) -> Finding:
        """With how bad it was when it was last there, so that it can be told when it is back."""
        measure = self._measure(before)
        last = before.numbers.get(measure.number) if measure else None
        if measure is None or last is None:
            return resolved
        return replace(resolved, numbers=MappingProxyType({**resolved.numbers, _LAST + measure.number: last}))

    def _as_first_seen(self, finding: Finding) -> Finding:
        """With the reference of its first week in the place of a later one."""
        above = measure.above if (measure := self._measure(finding)) else ""
        first = finding.numbers.get(_FIRST + above)
        if first is None:
            return finding
        return replace(finding, numbers=MappingProxyType({**finding.numbers, above: first}))


# Before a number's name: as it was in the first week, or in the last one that had the finding.
_FIRST, _LAST = "first_", "last_"


def _is_severer(finding: Finding, than: Severity) -> bool:
    return SEVERITIES.index(finding.severity) < SEVERITIES.index(than)


def _weeks_between(first: Week, last: Week) -> int:
    return (last.monday - first.monday).days // 7


def _is_same_answer(before: Reply | None, now: Reply | None) -> bool:
    """Whether a team's answer is the one that an earlier report noted down, without personal data."""
    return before is not None and now is not None and _words(before) == _words(now)


def _words(reply: Reply) -> tuple[object, ...]:
    return scrub(reply.owner), scrub(reply.reply), reply.accepted_until
