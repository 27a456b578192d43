"""The example documents that the OpenSLO project publishes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shokubai import config
from shokubai.config.located import Problems, read_documents
from shokubai.config.openslo import KINDS, read_openslo

REAL_DATA = os.environ.get("SHOKUBAI_REAL_DATA")
EXAMPLES = Path(REAL_DATA or ".") / "openslo_v1_examples"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not REAL_DATA, reason="SHOKUBAI_REAL_DATA names no folder"),
]


def test_every_document_is_read() -> None:
    problems = Problems()
    roots = [root for file in sorted(EXAMPLES.glob("*.yaml")) for root in read_documents(file, problems)]
    assert problems.found == []
    documents = read_openslo(roots, problems)
    kinds = [document.kind for document in documents]
    assert {kind: kinds.count(kind) for kind in KINDS} == {
        "SLO": 4,  # and a fifth, whose name is taken
        "SLI": 4,
        "Service": 2,
        "DataSource": 2,
        "AlertPolicy": 3,
        "AlertCondition": 2,
        "AlertNotificationTarget": 2,
    }
    assert all(document.is_sound for document in documents)


def test_what_is_reported(write_parameters: Callable[[dict[str, Any]], Path]) -> None:
    directory = write_parameters({})
    shutil.copytree(EXAMPLES, directory / "slos" / "examples")
    (directory / "slos/examples/timeslices-slo.yaml").write_text(
        (EXAMPLES / "timeslices-slo.yaml").read_text().replace("  name: service-availability\n", "  name: sla\n", 1)
    )
    parameters, problems = config.check(directory)
    assert parameters is not None
    assert set(parameters.slos) == {"invoice-availability", "invoice-latency"}
    foreign = [problem for problem in problems if "cannot be read by Shokubai yet" in problem.message]
    assert [(problem.file.name, problem.line, problem.level) for problem in foreign] == [
        ("low_traffic_timeslices-slo.yaml", 16, "warning"),
        ("occurences-slo.yaml", 17, "warning"),
        ("ratio-timeslices.yaml", 18, "warning"),
        ("slos.yaml", 23, "warning"),
        ("timeslices-slo.yaml", 18, "warning"),
    ]
    assert foreign[3].message.startswith("type 'Prometheus' cannot be read by Shokubai yet")
    others = [problem for problem in problems if problem not in foreign]
    assert [(problem.file.name, problem.line, problem.where, problem.nearest) for problem in others] == [
        ("alert_conditions.yaml", 17, "[0].spec.condition.op", ""),  # op: lte reads inverted
        ("services.yaml", 24, "[1].metadata.name", ""),  # two services of one name
        ("timeslices-slo.yaml", 27, "spec.timeWindow[0].duration", "1M"),  # 1m where a month is meant
    ]
    assert {problem.level for problem in others} == {"warning"}


def test_the_name_that_two_examples_share(write_parameters: Callable[[dict[str, Any]], Path]) -> None:
    directory = write_parameters({})
    shutil.copytree(EXAMPLES, directory / "slos" / "examples")
    parameters, problems = config.check(directory)
    assert parameters is None
    assert [(problem.file.name, problem.line, problem.found) for problem in problems if problem.level == "error"] == [
        ("timeslices-slo.yaml", 5, "'service-availability'")
    ]
