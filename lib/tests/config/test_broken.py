"""Broken parameters: each gives one clear message with file and line."""

# ruff: noqa: E501 - messages stand as they are printed

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml

from shokubai import config

Write = Callable[[dict[str, Any]], Path]
LAYOUT = "organization.yaml, teams/, slos/, warehouses/, runs/, replies/, rules.yaml"
SLO_FILE, SPEED_FILE = "slos/invoice-api.yaml", "slos/shared/speed.yaml"
SHORT = "apiVersion: openslo/v1\nkind: {kind}\nmetadata: {{name: short}}\nspec: {spec}\n"

CASES: dict[str, tuple[dict[str, Any], str]] = {
    # --- organization.yaml --------------------------------------------------------------------------------
    "organization missing": (
        {"organization.yaml": None},
        "organization.yaml:1: error: file: is missing; it gives the organisation's name, time_zone, language and "
        "calendar (start from that of the demo organisation, for which `shokubai demo` makes data)",
    ),
    "organization misspelt": (
        {"organization.yaml": None, "organisation.yaml": "name: Aoba\n"},
        "organization.yaml:1: error: file: is missing; it gives the organisation's name, time_zone, language and "
        "calendar (start from that of the demo organisation, for which `shokubai demo` makes data)\n"
        f"organisation.yaml:1: warning: file: is not read; allowed: {LAYOUT}; did you mean 'organization.yaml'?",
    ),
    "organization empty": (
        {"organization.yaml": "# later\n"},
        "organization.yaml:1: error: file: is empty",
    ),
    "organization is a list": (
        {"organization.yaml": "- name: Aoba\n"},
        "organization.yaml:1: error: file: must be a mapping; found a list; "
        "allowed: keys name, vision, mission, time_zone, language, calendar, sre, agenda_when, agenda_minutes",
    ),
    "unknown key": (
        {"organization.yaml": ("vision:", "visoin:")},
        "organization.yaml:2: error: visoin: unknown key; "
        "allowed: name, vision, mission, time_zone, language, calendar, sre, agenda_when, agenda_minutes; did you mean 'vision'?",
    ),
    "required key misspelt": (
        {"organization.yaml": ("language:", "langauge:")},
        "organization.yaml:5: error: langauge: unknown key; "
        "allowed: name, vision, mission, time_zone, language, calendar, sre, agenda_when, agenda_minutes; did you mean 'language'?",
    ),
    "key missing": (
        {"organization.yaml": ("time_zone: Asia/Tokyo\n", "")},
        "organization.yaml:1: error: time_zone: is missing",
    ),
    "unknown time zone": (
        {"organization.yaml": ("Asia/Tokyo", "Asia/Tokio")},
        "organization.yaml:4: error: time_zone: is no known time zone; found 'Asia/Tokio'; "
        "allowed: names of the IANA database, such as Asia/Tokyo or UTC; did you mean 'Asia/Tokyo'?",
    ),
    "unknown country": (
        {"organization.yaml": ("country: JP", "country: jp")},
        "organization.yaml:6: error: calendar.country: is no country whose public holidays are known; found 'jp'; "
        "allowed: a two-letter code of ISO 3166, such as JP or PH; did you mean 'JP'?",
    ),
    "unknown language of a text": (
        {"organization.yaml": ("mission: {ja:", "mission: {jp:")},
        "organization.yaml:3: error: mission.jp: unknown key; allowed: en, ja",
    ),
    "nobody named of SRE": (
        {"organization.yaml": ("language: ja", 'language: ja\nsre: {contact: "#sre"}')},
        "organization.yaml:6: error: sre.name: is missing",
    ),
    # --- teams --------------------------------------------------------------------------------------------
    "tab in a team file": (
        {"teams/core.yaml": ("  - service: invoice-api", "\t- service: invoice-api")},
        "teams/core.yaml:8: error: file: is not YAML: a tab stands where spaces must; indent with spaces",
    ),
    "key twice": (
        {"teams/core.yaml": ("members: 4", "members: 4\nsite: Cebu")},
        "teams/core.yaml:5: error: site: the key is written twice, first on line 3; keep one of them",
    ),
    "team file empty": (
        {"teams/more.yaml": ""},
        "teams/more.yaml:1: error: file: is empty",
    ),
    "team owns nothing": (
        {"teams/more.yaml": "name: More\nowns: []\n"},
        "teams/more.yaml:2: error: owns: is an empty list; allowed: at least 1",
    ),
    "members not a number": (
        {"teams/core.yaml": ("members: 4", "members: four")},
        "teams/core.yaml:4: error: members: must be a whole number; found 'four'; allowed: at least 1",
    ),
    "team name that is no label": (
        {"teams/My_Team.yaml": "name: Mine\nowns: [{service: invoice-api}]\n"},
        "teams/My_Team.yaml:1: error: file: has a name that cannot be used; found 'My_Team'; "
        "allowed: lower-case letters, digits and inner hyphens, at most 63 (RFC 1123)",
    ),
    "team called as the organisation's folder": (
        {"teams/organization.yaml": "name: Mine\nowns: [{service: invoice-api}]\n"},
        "teams/organization.yaml:1: error: file: has a name that cannot be used, because the organisation's own "
        "reports go to a folder of that name; found 'organization'; allowed: any but organization",
    ),
    "team's warehouse unknown": (
        {"teams/core.yaml": ("warehouse: main", "warehouse: mian")},
        "teams/core.yaml:6: error: warehouse: there is no such warehouse; found 'mian'; allowed: main; "
        "did you mean 'main'?",
    ),
    "SRE as a bare name": (
        {"teams/core.yaml": ("site: Tokyo", "site: Tokyo\nsre: Sato")},
        "teams/core.yaml:4: error: sre: must be a mapping; found 'Sato'; allowed: keys name, contact",
    ),
    "contact without quotes": (
        {"teams/core.yaml": ('contact: "#team-core"', "contact: 815")},
        "teams/core.yaml:5: error: contact: must be text; put it in quotes; found 815",
    ),
    "route with an unknown method": (
        {"teams/core.yaml": ("POST /v1/uploads", "Post /v1/uploads")},
        "teams/core.yaml:10: error: owns[1].routes[1]: begins with an unknown method; found 'Post'; allowed: GET, "
        "HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT, QUERY, _OTHER; did you mean 'POST'?",
    ),
    "routes not a list": (
        {"teams/core.yaml": ('["/v1/invoices*", "POST /v1/uploads"]', "/v1/invoices*")},
        "teams/core.yaml:10: error: owns[1].routes: must be a list; found '/v1/invoices*'",
    ),
    "route without a slash": (
        {"teams/core.yaml": ('"/v1/invoices*"', '"v1/invoices*"')},
        "teams/core.yaml:10: warning: owns[1].routes[0]: matches no route that begins with /; found 'v1/invoices*'; "
        "did you mean '/v1/invoices*'?",
    ),
    "routes commented out": (
        {"teams/core.yaml": ("routes: [", "routes: # [")},
        "teams/core.yaml:10: error: owns[1].routes: is empty; give it a value or remove the key",
    ),
    "same ownership twice": (
        {"teams/core.yaml": ("  - service: gateway", "  - service: invoice-api\n  - service: gateway")},
        "teams/core.yaml:9: error: owns[1]: the same is listed twice, first on line 8; found 'invoice-api'",
    ),
    "routes of a service that is owned whole": (
        {"teams/core.yaml": ("service: gateway", "service: invoice-api")},
        "teams/core.yaml:10: warning: owns[1].routes: has no effect: the team owns 'invoice-api' whole by another item",
    ),
    "wrong extension": (
        {"teams/more.yml": "name: More\n"},
        "teams/more.yml:1: warning: file: is not read; parameter files end in .yaml; did you mean 'more.yaml'?",
    ),
    "team in a subfolder": (
        {"teams/tokyo/more.yaml": "name: More\n"},
        "teams/tokyo/more.yaml:1: warning: file: is not read; move it into teams/ itself",
    ),
    "team without an SLO": (
        {"teams/more.yaml": "name: More\nowns: [{service: gateway}]\n"},
        "teams/more.yaml:1: warning: owns: the team has no SLO; add one for gateway in slos",
    ),
    # --- agenda -------------------------------------------------------------------------------------------
    "agenda for all with a key misspelt": (
        {"organization.yaml": ("language: ja", "language: ja\nagenda_when: {severity: [critical]}")},
        "organization.yaml:6: error: agenda_when.severity: unknown key; allowed: severities, budget_left_below_ratio, "
        "continuing_weeks, always, never; did you mean 'severities'?",
    ),
    "agenda with an unknown severity": (
        {"teams/core.yaml": ("members: 4", "members: 4\nagenda_when:\n  severities: [critical, warnings]")},
        "teams/core.yaml:6: error: agenda_when.severities[1]: has an unknown value; found 'warnings'; "
        "allowed: critical, warning, notice; did you mean 'warning'?",
    ),
    "agenda with a budget in percent": (
        {"teams/core.yaml": ("members: 4", "members: 4\nagenda_when: {budget_left_below_ratio: 25}")},
        "teams/core.yaml:5: error: agenda_when.budget_left_below_ratio: is out of range; found 25; "
        "allowed: at least 0 and at most 1",
    ),
    "agenda of what continues for one week": (
        {"teams/core.yaml": ("members: 4", "members: 4\nagenda_when: {continuing_weeks: 1}")},
        "teams/core.yaml:5: error: agenda_when.continuing_weeks: must be a whole number; found 1; allowed: at least 2",
    ),
    "rule both always and never on the agenda": (
        {
            "teams/core.yaml": (
                "members: 4",
                "members: 4\nagenda_when:\n  always: [outage]\n  never: [traffic, outage]",
            )
        },
        "teams/core.yaml:7: error: agenda_when.never[1]: cannot be never and always on the agenda; remove one; "
        "found 'outage'",
    ),
    "rule twice on the agenda": (
        {"teams/core.yaml": ("members: 4", "members: 4\nagenda_when: {always: [outage, outage]}")},
        "teams/core.yaml:5: error: agenda_when.always[1]: is listed twice; found 'outage'",
    ),
    "agenda without a rule": (
        {"teams/core.yaml": ("members: 4", "members: 4\nagenda_when:")},
        "teams/core.yaml:5: error: agenda_when: is empty; give it a value or remove the key",
    ),
    "agenda too short": (
        {"teams/core.yaml": ("members: 4", "members: 4\nagenda_minutes: 5")},
        "teams/core.yaml:5: error: agenda_minutes: must be a whole number; found 5; allowed: at least 10",
    ),
    # --- slos ---------------------------------------------------------------------------------------------
    "percent written as target": (
        {SLO_FILE: ("target: 0.999", "target: 99.9")},
        "slos/invoice-api.yaml:21: error: spec.objectives[0].target: is a ratio; write 0.999 or targetPercent: 99.9; "
        "found 99.9; allowed: above 0 and below 1",
    ),
    "target without budget": (
        {SLO_FILE: ("target: 0.999", "target: 1.0")},
        "slos/invoice-api.yaml:21: error: spec.objectives[0].target: leaves no error budget; found 1.0; "
        "allowed: above 0 and below 1",
    ),
    "targetPercent 100": (
        {SLO_FILE: ("targetPercent: 99", "targetPercent: 100")},
        "slos/invoice-api.yaml:33: error: spec.objectives[0].targetPercent: leaves no error budget; found 100; "
        "allowed: above 0 and below 100",
    ),
    "ratio written as targetPercent": (
        {SLO_FILE: ("targetPercent: 99", "targetPercent: 0.99")},
        "slos/invoice-api.yaml:33: warning: spec.objectives[0].targetPercent: is less than 1 %; did you mean 99?; "
        "found 0.99",
    ),
    "two targets": (
        {SLO_FILE: ("target: 0.999", "target: 0.999\n      targetPercent: 99.9")},
        "slos/invoice-api.yaml:21: error: spec.objectives[0].target: an objective has exactly one target; "
        "found target and targetPercent; allowed: target, targetPercent",
    ),
    "no target": (
        {SLO_FILE: ("      targetPercent: 99\n", "")},
        "slos/invoice-api.yaml:31: error: spec.objectives[0].target: an objective has exactly one target; found none; "
        "allowed: target, targetPercent",
    ),
    "target of four hundred digits": (
        {SLO_FILE: ("target: 0.999", "target: " + "9" * 400)},
        "slos/invoice-api.yaml:21: error: spec.objectives[0].target: must be a number; found " + "9" * 59 + "…",
    ),
    "target in quotes": (
        {SLO_FILE: ("target: 0.999", 'target: "0.999"')},
        "slos/invoice-api.yaml:21: error: spec.objectives[0].target: must be a number; remove the quotes; "
        "found '0.999'",
    ),
    "minutes for months": (
        {SLO_FILE: ("duration: 28d", "duration: 1m")},
        "slos/invoice-api.yaml:17: warning: spec.timeWindow[0].duration: 1m is in minutes, a very short window; "
        "months are written with a capital M; found '1m'; did you mean '1M'?",
    ),
    "duration with the wrong unit": (
        {SLO_FILE: ("duration: 28d", "duration: 28D")},
        "slos/invoice-api.yaml:17: error: spec.timeWindow[0].duration: is no duration; found '28D'; allowed: a whole "
        "number and one of m h d w M Q Y, such as 28d (m is a minute, M a month); did you mean '28d'?",
    ),
    "rolling window with a calendar": (
        {
            SLO_FILE: (
                "isRolling: true",
                "isRolling: true\n      calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}",
            )
        },
        "slos/invoice-api.yaml:19: error: spec.timeWindow[0].calendar: a rolling window has no calendar; "
        "remove it, or write isRolling: false",
    ),
    "calendar window without a calendar": (
        {SLO_FILE: ("isRolling: true", "isRolling: false")},
        "slos/invoice-api.yaml:17: error: spec.timeWindow[0].calendar: is missing: a window that is not rolling needs "
        "one; add it, or write isRolling: true; allowed: startTime and timeZone",
    ),
    "calendar's start in another form": (
        {
            SLO_FILE: (
                "isRolling: true",
                "isRolling: false\n      calendar: {startTime: 2026-01-01, timeZone: UTC}",
            )
        },
        "slos/invoice-api.yaml:19: error: spec.timeWindow[0].calendar.startTime: is no time; found '2026-01-01'; "
        "allowed: YYYY-MM-DD HH:MM:00",
    ),
    "calendar that starts within a minute": (
        {
            SLO_FILE: (
                "isRolling: true",
                "isRolling: false\n      calendar: {startTime: 2026-01-01 00:00:30, timeZone: UTC}",
            )
        },
        "slos/invoice-api.yaml:19: error: spec.timeWindow[0].calendar.startTime: is no whole minute, and requests are "
        "counted by minute; found '2026-01-01 00:00:30'; allowed: YYYY-MM-DD HH:MM:00",
    ),
    "isRolling as yes": (
        {SLO_FILE: ("isRolling: true", "isRolling: yes")},
        "slos/invoice-api.yaml:18: error: spec.timeWindow[0].isRolling: must be true or false; found 'yes'; "
        "allowed: true, false",
    ),
    "timeWindow not a list": (
        {SLO_FILE: ("    - duration: 28d\n      isRolling: true", "    duration: 28d\n    isRolling: true")},
        "slos/invoice-api.yaml:16: error: spec.timeWindow: must be a list; found a mapping",
    ),
    "two time windows": (
        {SLO_FILE: ("      isRolling: true", "      isRolling: true\n    - {duration: 7d, isRolling: true}")},
        "slos/invoice-api.yaml:16: error: spec.timeWindow: the list is too long; found 2; allowed: at most 1",
    ),
    "budgeting method misspelt": (
        {SLO_FILE: ("budgetingMethod: Occurrences", "budgetingMethod: Occurences")},
        "slos/invoice-api.yaml:19: error: spec.budgetingMethod: has an unknown value; found 'Occurences'; "
        "allowed: Occurrences, Timeslices, RatioTimeslices; did you mean 'Occurrences'?",
    ),
    "slices without a target": (
        {
            SLO_FILE: (
                "Occurrences\n  objectives:\n    - target",
                "Timeslices\n  objectives:\n    - timeSliceWindow: 1m\n      target",
            )
        },
        "slos/invoice-api.yaml:21: error: spec.objectives[0].timeSliceTarget: is missing: Timeslices needs it",
    ),
    "slices that do not fill the window": (
        {
            SLO_FILE: (
                "Occurrences\n  objectives:\n    - target",
                "RatioTimeslices\n  objectives:\n    - timeSliceWindow: 5d\n      target",
            )
        },
        "slos/invoice-api.yaml:21: error: spec.objectives[0].timeSliceWindow: does not divide the window of 28d into "
        "whole slices; found '5d'; allowed: such as 1m, 5m, 1h",
    ),
    "slices with occurrences": (
        {SLO_FILE: ("- target: 0.999", "- target: 0.999\n      timeSliceWindow: 1m")},
        "slos/invoice-api.yaml:22: warning: spec.objectives[0].timeSliceWindow: has no effect with the budgeting method "
        "Occurrences; remove it",
    ),
    "page that can never fire": (
        {SLO_FILE: ("target: 0.999", "target: 0.9")},
        "slos/invoice-api.yaml:21: warning: spec.objectives[0].target: a page at 2% of the budget in one hour can never "
        "fire: it needs a burn rate of 13.44 over 28d, and even a total outage burns only at 10; found 0.9",
    ),
    "milliseconds for seconds": (
        {SLO_FILE: ("value: 0.3", "value: 300")},
        "slos/invoice-api.yaml:32: warning: spec.objectives[0].value: looks like milliseconds; the unit is seconds; "
        "found 300; did you mean '0.3'?",
    ),
    "latency with lt": (
        {SLO_FILE: ("op: lte", "op: lt")},
        "slos/invoice-api.yaml:31: error: spec.objectives[0].op: is not possible for a latency: counted are requests "
        "that take at most value; write lte; found 'lt'; allowed: lte",
    ),
    "latency with gt": (
        {SLO_FILE: ("op: lte", "op: gt")},
        "slos/invoice-api.yaml:31: error: spec.objectives[0].op: is not possible for a latency: slow is not good; "
        "found 'gt'; allowed: lte",
    ),
    "latency without op": (
        {SLO_FILE: ("    - op: lte\n      value", "    - value")},
        "slos/invoice-api.yaml:31: error: spec.objectives[0].op: is missing: how a duration compares with value; "
        "allowed: lte",
    ),
    "latency without value": (
        {SLO_FILE: ("      value: 0.3\n", "")},
        "slos/invoice-api.yaml:31: error: spec.objectives[0].value: is missing: how many seconds a request may take; "
        "allowed: seconds, above 0",
    ),
    "availability with a value": (
        {SLO_FILE: ("- target: 0.999", "- target: 0.999\n      value: 0.3")},
        "slos/invoice-api.yaml:22: error: spec.objectives[0].value: has no meaning with a ratioMetric; remove it, or use "
        "a thresholdMetric",
    ),
    "more latency values than slots": (
        {
            SLO_FILE: (
                "    - op: lte\n      value: 0.3\n      targetPercent: 99\n",
                "".join(f"    - {{op: lte, value: 0.{n}, target: 0.99}}\n" for n in range(1, 6)),
            )
        },
        "slos/invoice-api.yaml:35: error: spec.objectives[4].value: service 'invoice-api' has too many different latency "
        "values; found 0.1, 0.2, 0.3, 0.4, 0.5; allowed: at most 4",
    ),
    "unknown team in a label": (
        {SLO_FILE: ("team: core", "team: [core, coer]")},
        "slos/invoice-api.yaml:6: error: metadata.labels.team[1]: there is no such team; found 'coer'; allowed: core; "
        "did you mean 'core'?",
    ),
    "service that no team owns": (
        {SLO_FILE: ("service: invoice-api\n  indicatorRef", "service: invoice-ap\n  indicatorRef")},
        "slos/invoice-api.yaml:28: warning: spec.service: no team owns this service, so the SLO is in no team's report; "
        "found 'invoice-ap'; did you mean 'invoice-api'?",
    ),
    "label of a team that does not own the service": (
        {
            SLO_FILE: ("team: core", "team: more"),
            "teams/more.yaml": "name: More\nowns: [{service: gateway}]\n",
        },
        "slos/invoice-api.yaml:6: warning: metadata.labels.team: the team does not own 'invoice-api', the service of "
        "this SLO; found 'more'; allowed: core",
    ),
    "unknown indicator": (
        {SLO_FILE: ("indicatorRef: invoice-speed", "indicatorRef: invoice-sped")},
        "slos/invoice-api.yaml:29: error: spec.indicatorRef: there is no such SLI; found 'invoice-sped'; "
        "allowed: invoice-speed; did you mean 'invoice-speed'?",
    ),
    "no indicator": (
        {SLO_FILE: ("  indicatorRef: invoice-speed\n", "")},
        "slos/invoice-api.yaml:27: error: spec.indicator: an SLO has exactly one indicator; found none; "
        "allowed: indicator, indicatorRef",
    ),
    "composite": (
        {SLO_FILE: ("- op: lte\n", "- op: lte\n      indicatorRef: invoice-speed\n")},
        "slos/invoice-api.yaml:32: error: spec.objectives[0].indicatorRef: composite SLOs, with an indicator for each "
        "objective, are not supported yet; write one SLO for each",
    ),
    "half a ratio": (
        {SLO_FILE: ("        total: {metricSource: {type: shokubai, spec: {requests: all}}}\n", "")},
        "slos/invoice-api.yaml:12: error: spec.indicator.spec.ratioMetric: is not a whole ratio; found good; "
        "allowed: good and total, bad and total, or raw with rawType",
    ),
    "two metrics": (
        {SPEED_FILE: ("    thresholdMetric:", "    ratioMetric: {}\n    thresholdMetric:")},
        "slos/shared/speed.yaml:4: error: [0].spec: an indicator has exactly one metric; "
        "found thresholdMetric and ratioMetric; allowed: thresholdMetric, ratioMetric",
    ),
    "good where all is meant": (
        {SLO_FILE: ("requests: all", "requests: al")},
        "slos/invoice-api.yaml:15: error: spec.indicator.spec.ratioMetric.total.metricSource.spec.requests: has an "
        "unknown value; found 'al'; allowed: all; did you mean 'all'?",
    ),
    "status that is none": (
        {SLO_FILE: ("requests: all", "requests: all, failed_statuses: [5xx, 600]")},
        "slos/invoice-api.yaml:15: error: spec.indicator.spec.ratioMetric.total.metricSource.spec.failed_statuses[1]: "
        'is no HTTP status; found 600; allowed: a status such as 429 or a class such as "5xx"',
    ),
    "source type in capitals": (
        {SPEED_FILE: ("type: shokubai", "type: Shokubai")},
        "slos/shared/speed.yaml:7: error: [0].spec.thresholdMetric.metricSource.type: has an unknown value; "
        "found 'Shokubai'; allowed: shokubai; did you mean 'shokubai'?",
    ),
    "another tool's source": (
        {SPEED_FILE: ("type: shokubai", "type: Prometheus")},
        "slos/shared/speed.yaml:7: warning: [0].spec.thresholdMetric.metricSource.type: type 'Prometheus' cannot be "
        "read by Shokubai yet; SLO 'invoice-latency' is left out; allowed: shokubai",
    ),
    "name used twice": (
        {SLO_FILE: ("name: invoice-latency", "name: invoice-availability")},
        "slos/invoice-api.yaml:26: error: metadata.name: another SLO has this name, invoice-api.yaml:1; "
        "found 'invoice-availability'",
    ),
    "name that is no label": (
        {SLO_FILE: ("name: invoice-latency", "name: Invoice latency")},
        "slos/invoice-api.yaml:26: error: metadata.name: has the wrong form; found 'Invoice latency'; "
        "allowed: lower-case letters, digits and inner hyphens, at most 63 (RFC 1123)",
    ),
    "displayName too long": (
        {SLO_FILE: ("displayName: 請求書の可用性", "displayName: " + "a" * 64)},
        "slos/invoice-api.yaml:5: error: metadata.displayName: is too long; found 64 characters; allowed: at most 63",
    ),
    "unknown kind": (
        {"slos/more.yaml": SHORT.format(kind="Slo", spec="{}")},
        "slos/more.yaml:2: error: kind: is no kind of OpenSLO v1; found 'Slo'; allowed: SLO, SLI, Service, DataSource, "
        "AlertPolicy, AlertCondition, AlertNotificationTarget; did you mean 'SLO'?",
    ),
    "no OpenSLO document": (
        {"slos/more.yaml": "version: prometheus/v1\nservice: x\n"},
        "slos/more.yaml:1: error: kind: is missing, so this is no OpenSLO document; allowed: SLO, SLI, Service, "
        "DataSource, AlertPolicy, AlertCondition, AlertNotificationTarget",
    ),
    "older OpenSLO": (
        {"slos/more.yaml": SHORT.format(kind="Service", spec="{}").replace("openslo/v1", "openslo/v1alpha")},
        "slos/more.yaml:1: error: apiVersion: has an unknown value; found 'openslo/v1alpha'; allowed: openslo/v1; "
        "did you mean 'openslo/v1'?",
    ),
    "data source without connection": (
        {"slos/more.yaml": SHORT.format(kind="DataSource", spec="{type: Datadog}")},
        "slos/more.yaml:4: error: spec.connectionDetails: is missing",
    ),
    "policy with two conditions": (
        {
            "slos/more.yaml": SHORT.format(
                kind="AlertPolicy",
                spec="{conditions: [{conditionRef: a}, {conditionRef: b}], notificationTargets: [{targetRef: c}]}",
            )
        },
        "slos/more.yaml:4: error: spec.conditions: the list is too long; found 2; allowed: at most 1",
    ),
    "alert on a slow burn": (
        {
            "slos/more.yaml": SHORT.format(
                kind="AlertCondition",
                spec="{severity: page, condition: {kind: burnrate, op: lte, threshold: 2, lookbackWindow: 1h}}",
            )
        },
        "slos/more.yaml:4: warning: spec.condition.op: the alert fires while the budget burns slowly; "
        "did you mean gt or gte?",
    ),
    "SLO file empty": (
        {"slos/more.yaml": "# to do\n"},
        "slos/more.yaml:1: warning: file: is empty",
    ),
    # --- warehouses ---------------------------------------------------------------------------------------
    "unknown engine": (
        {"warehouses/main.yaml": ("engine: duckdb", "engine: duckbd")},
        "warehouses/main.yaml:1: error: engine: has an unknown value; found 'duckbd'; allowed: duckdb, bigquery; "
        "did you mean 'duckdb'?",
    ),
    "unknown table": (
        {"warehouses/main.yaml": ("tables:", "tables:\n  metric: {path: m.parquet}")},
        "warehouses/main.yaml:3: error: tables.metric: unknown key; allowed: requests, metrics, deployments, incidents, "
        "alerts, sre_requests; did you mean 'metrics'?",
    ),
    "no request log": (
        {"warehouses/main.yaml": "engine: duckdb\ntables: {metrics: {path: m.parquet}}\n"},
        "warehouses/main.yaml:2: error: tables.requests: is missing",
    ),
    "unknown column": (
        {"warehouses/main.yaml": ("timestamp: ts", "time: ts")},
        "warehouses/main.yaml:5: error: tables.requests.columns.time: unknown key; allowed: timestamp, service_name, "
        "http_route, http_request_method, http_response_status_code, duration_seconds, user_key, region, "
        "service_version, trace_id; did you mean 'timestamp'?",
    ),
    "unknown placeholder": (
        {"warehouses/main.yaml": ("{outputs}/logs", "{output}/logs")},
        "warehouses/main.yaml:4: error: tables.requests.path: holds an unknown placeholder; found {output}; "
        "allowed: {outputs}, {parameters}; did you mean 'outputs'?",
    ),
    # --- rules --------------------------------------------------------------------------------------------
    "threshold without a reason": (
        {"rules.yaml": "route_slower:\n  minimum_change_factor: {value: 1.2}\n"},
        "rules.yaml:2: error: route_slower.minimum_change_factor.reason: is missing",
    ),
    "threshold as a bare number": (
        {"rules.yaml": "route_slower:\n  minimum_change_factor: 1.2\n"},
        "rules.yaml:2: error: route_slower.minimum_change_factor: must be a mapping; found 1.2; "
        "allowed: keys value, reason",
    ),
    "infinite threshold": (
        {"rules.yaml": "route_slower:\n  minimum_change_factor: {value: .inf, reason: Never.}\n"},
        "rules.yaml:2: error: route_slower.minimum_change_factor.value: must be a number; found .inf",
    ),
    "a team's threshold without a reason": (
        {
            "teams/core.yaml": "name: Core\nowns: [{service: invoice-api}]\nrules:\n  outage:\n"
            "    minimum_bad_count: {value: 3}\n"
        },
        "teams/core.yaml:5: error: rules.outage.minimum_bad_count.reason: is missing",
    ),
    "a team's rules left open": (
        {"teams/core.yaml": "name: Core\nowns: [{service: invoice-api}]\nrules:\n"},
        "teams/core.yaml:3: error: rules: is empty; give it a value or remove the key",
    ),
    # --- runs ---------------------------------------------------------------------------------------------
    "run with an unknown warehouse": (
        {"runs/weekly.yaml": ("warehouse: main", "warehouse: demo")},
        "runs/weekly.yaml:3: error: warehouse: there is no such warehouse; found 'demo'; allowed: main",
    ),
    **{
        f"run called {name}": (
            {f"runs/{name}.yaml": "# later\nteam_notebooks: [weekly_team_report]\nwarehouse: main\n"},
            f"runs/{name}.yaml:1: error: file: has a name that cannot be used, because outputs/ has a folder of that "
            f"name for something else; found {name!r}; allowed: any but demo, imports, tables",
        )
        for name in ("demo", "imports", "tables")
    },
    "run with an unknown team": (
        {"runs/weekly.yaml": ("teams: [core]", "teams: [cor]")},
        "runs/weekly.yaml:4: error: teams[0]: there is no such team; found 'cor'; allowed: core; did you mean 'core'?",
    ),
    "run for a word": (
        {"runs/weekly.yaml": ("teams: [core]", "teams: core")},
        "runs/weekly.yaml:4: error: teams: must be all or a list of teams; found 'core'",
    ),
    "run's time without a zone": (
        {"runs/weekly.yaml": ("2026-11-02T00:00:00+09:00", "2026-11-02T00:00:00")},
        "runs/weekly.yaml:5: error: as_of: has no time zone; found '2026-11-02T00:00:00'; "
        "allowed: a time with its offset from UTC, such as 2026-11-02T00:00:00+09:00",
    ),
    "notebook with its extension": (
        {"runs/weekly.yaml": ("[sre_overview]", "[sre_overview.ipynb]")},
        "runs/weekly.yaml:2: error: organization_notebooks[0]: has the wrong form; found 'sre_overview.ipynb'; "
        "allowed: a notebook's file name without folder and without .ipynb",
    ),
    "run without a notebook": (
        {"runs/weekly.yaml": "warehouse: main\n"},
        "runs/weekly.yaml:1: error: team_notebooks: the run has no notebook; name one here or in organization_notebooks",
    ),
    "two documents in a run": (
        {"runs/weekly.yaml": ("warehouse: main", "---\nwarehouse: main")},
        "runs/weekly.yaml:4: error: file: holds more than one YAML document (---); write one for each file",
    ),
    # --- replies/core.yaml ---------------------------------------------------------------------------------
    "reply under an unknown key": (
        {"replies/core.yaml": ("  accepted_until:", "  accepted_untill:")},
        "replies/core.yaml:4: error: invoice-api|GET /v1/invoices|route_slower.accepted_untill: unknown key; "
        "allowed: owner, reply, accepted_until, handed_over; did you mean 'accepted_until'?",
    ),
    "reply of nobody": (
        {"replies/core.yaml": ("  owner: Sato\n", "")},
        "replies/core.yaml:1: error: invoice-api|GET /v1/invoices|route_slower.owner: is missing",
    ),
    "reply without words": (
        {"replies/core.yaml": ("  reply: the index comes on Thursday", "  reply:")},
        "replies/core.yaml:3: error: invoice-api|GET /v1/invoices|route_slower.reply: is empty; give it a value",
    ),
    "day written otherwise": (
        {"replies/core.yaml": ("2026-11-30", "2026/11/30")},
        "replies/core.yaml:4: error: invoice-api|GET /v1/invoices|route_slower.accepted_until: is no day; "
        "found '2026/11/30'; allowed: a day of the calendar as year-month-day, such as 2026-11-30; "
        "did you mean '2026-11-30'?",
    ),
    "day that no month has": (
        {"replies/core.yaml": ("2026-11-30", "2026-11-31")},
        "replies/core.yaml:4: error: invoice-api|GET /v1/invoices|route_slower.accepted_until: is no day; "
        "found '2026-11-31'; allowed: a day of the calendar as year-month-day, such as 2026-11-30",
    ),
    "week that no year has": (
        {"replies/core.yaml": ("2026-W43", "2026-W54")},
        "replies/core.yaml:5: error: invoice-api|invoice-availability|budget.handed_over: is no ISO week; "
        "found '2026-W54'; allowed: a week such as 2026-W44",
    ),
    "reply to what is no finding's id": (
        {"replies/core.yaml": ('"invoice-api|invoice-availability|budget"', '"invoice-availability"')},
        "replies/core.yaml:5: error: invoice-availability: has the wrong form; found 'invoice-availability'; "
        "allowed: a finding's id as its report shows it, in quotes: 'search-api|GET /v1/search|route_slower'",
    ),
    "two replies to one finding": (
        {
            "replies/core.yaml": (
                "invoice-api|invoice-availability|budget",
                "invoice-api|GET /v1/invoices|route_slower",
            )
        },
        "replies/core.yaml:5: error: invoice-api|GET /v1/invoices|route_slower: the key is written twice, "
        "first on line 1; keep one of them",
    ),
    "reply about another team's service": (
        {"replies/core.yaml": ("invoice-api|invoice-availability|budget", "invoise-api|invoice-availability|budget")},
        "replies/core.yaml:5: warning: invoise-api|invoice-availability|budget: the team does not own this service, "
        "so none of its reports has the finding; found 'invoise-api'; allowed: invoice-api, gateway; "
        "did you mean 'invoice-api'?",
    ),
    "replies of an unknown team": (
        {"replies/cor.yaml": "{}\n"},
        "replies/cor.yaml:1: error: file: there is no such team; found 'cor'; allowed: core; did you mean 'core'?",
    ),
    # --- the folder ---------------------------------------------------------------------------------------
    "folder misspelt": (
        {"warehouse/other.yaml": "engine: duckdb\n"},
        f"warehouse:1: warning: file: is not read; allowed: {LAYOUT}; did you mean 'warehouses'?",
    ),
    "no run": (
        {"runs/weekly.yaml": None},
        "runs:1: warning: file: no file in it, so `shokubai run` has nothing to do",
    ),
}


def lines(directory: Path) -> list[str]:
    _, problems = config.check(directory)
    return [str(problem).replace(f"{directory}/", "") for problem in problems]


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_one_clear_message(write_parameters: Write, changes: dict[str, Any], expected: str) -> None:
    assert lines(write_parameters(changes)) == expected.split("\n")


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_errors_give_no_parameters_and_warnings_do(
    write_parameters: Write, changes: dict[str, Any], expected: str
) -> None:
    parameters, problems = config.check(write_parameters(changes))
    assert (parameters is None) == any(problem.level == "error" for problem in problems)


def test_all_problems_at_once_errors_first(write_parameters: Write) -> None:
    directory = write_parameters(
        {
            "teams/core.yaml": ("members: 4", "members: 0"),
            "slos/invoice-api.yaml": ("target: 0.999", "target: 99.9"),
            "runs/weekly.yaml": ("teams: [core]", "teams: [coer]"),
            "warehouses/main.yml": "engine: duckdb\n",
        }
    )
    starts = [line.split(": ", 3)[:3] for line in lines(directory)]
    assert starts == [
        ["runs/weekly.yaml:4", "error", "teams[0]"],
        ["slos/invoice-api.yaml:21", "error", "spec.objectives[0].target"],
        ["teams/core.yaml:4", "error", "members"],
        ["warehouses/main.yml:1", "warning", "file"],
    ]


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of plain YAML data."""
    yield way
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in parts:
        yield from places(part, (*way, step))


@pytest.mark.parametrize("strange", [None, [], {"x": [{}]}, [["x"]], -1, "x", float("nan")], ids=repr)
def test_strange_values_anywhere_are_only_problems(write_parameters: Write, strange: Any) -> None:
    directory = write_parameters({})
    for file in sorted(directory.rglob("*.yaml")):
        right = file.read_text(encoding="utf-8")
        for way in places(list(yaml.safe_load_all(right))):
            documents = list(yaml.safe_load_all(right))
            if way:
                reduce(getitem, way[:-1], documents)[way[-1]] = strange  # type: ignore[call-overload]
            file.write_text(yaml.safe_dump_all(documents, allow_unicode=True), encoding="utf-8")
            parameters, problems = config.check(directory)
            assert (parameters is None) == any(problem.level == "error" for problem in problems), way
        file.write_text(right, encoding="utf-8")


def test_empty_folder(tmp_path: Path) -> None:
    _, problems = config.check(tmp_path)
    assert [str(problem) for problem in problems] == [
        f"{tmp_path}:1: error: file: holds no parameters; start from those of the demo organisation, for which "
        f"`shokubai demo` makes data; allowed: {LAYOUT}"
    ]


def test_missing_folder(tmp_path: Path) -> None:
    _, problems = config.check(tmp_path / "parameter")
    assert [str(problem) for problem in problems] == [
        f"{tmp_path}/parameter:1: error: file: there is no such folder; name the parameters folder with "
        "--parameters DIR"
    ]
