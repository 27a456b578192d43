"""A small project: two services, three objectives, and a request log made by hand."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from shokubai.config.model import (
    Indicator,
    Organization,
    Ownership,
    Parameters,
    Rules,
    Slo,
    SloWindow,
    Source,
    TableSource,
    Team,
    Text,
    Warehouse,
)
from shokubai.core.calendar import BusinessCalendar
from shokubai.core.windows import Duration, Window
from shokubai.tables import open_tables

REQUEST_TYPES = {
    "service_name": "str",
    "http_route": "str",
    "http_request_method": "str",
    "http_response_status_code": "Int64",
    "duration_seconds": "float64",
}
# timestamp, service, method, route, status, seconds
HAND_MADE = [
    ("2026-10-26T00:00:00.000000Z", "shop", "GET", "/items/{id}", 200, 0.3),
    ("2026-10-26T00:00:59.999999Z", "shop", "GET", "/items/{id}", 200, 0.3000000001),
    ("2026-10-26T00:01:00.000000Z", "shop", "GET", "/items/{id}", 500, 0.1),
    ("2026-10-26T00:01:30.500000Z", "shop", "GET", "/items/{id}", None, 0.2),
    ("2026-10-26T00:01:30.600000Z", "shop", "POST", "/orders", 201, None),
    ("2026-10-26T00:01:31.000000Z", "shop", "POST", "/orders", 404, 0.0),
    ("2026-10-26T00:01:32.000000Z", "shop", "POST", "/orders", 200, -1.0),
    ("2026-10-26T23:59:59.999999Z", "shop", "POST", "/orders", 503, 2.0),
    ("2026-10-27T00:00:00.000000Z", "shop", "POST", "/orders", 200, 1.0),
    ("2026-10-25T23:59:59.999999Z", "mail", "_OTHER", "/send", 200, 5.0),
    ("2026-10-26T12:00:00.000000Z", "mail", "_OTHER", "/send", 299, 5.0),
]


def requests_frame(rows):
    names = ("service_name", "http_request_method", "http_route", "http_response_status_code", "duration_seconds")
    frame = pd.DataFrame([row[1:] for row in rows], columns=list(names)).astype(REQUEST_TYPES)
    return frame.assign(timestamp=pd.to_datetime([row[0] for row in rows], format="ISO8601"))


def objective(name, service, **indicator):
    return Slo(
        name=name,
        display_name=name,
        service=service,
        indicator=Indicator(**indicator),
        window=SloWindow(Duration(28, "d"), is_rolling=True),
        budgeting="Occurrences",
        objective=0.99,
        source=Source(Path("parameters/slos") / f"{service}.yaml", 3),
    )


class Project:
    """A folder with a log, and its tables opened anew for each question."""

    def __init__(self, folder):
        self.folder = folder
        self.slos = [
            objective("shop-availability", "shop", kind="availability"),
            objective("shop-latency", "shop", kind="latency", threshold_seconds=0.3),
            objective("orders-latency", "shop", kind="latency", threshold_seconds=1, routes=("POST /orders*",)),
        ]
        self.sources = {"requests": TableSource("logs/*.parquet")}

    def log(self, name, rows):
        """Write one file of the request log."""
        path = self.folder / "logs" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        frame = rows if isinstance(rows, pd.DataFrame) else requests_frame(rows)
        frame.to_parquet(path)
        return path

    def companion(self, name, frame):
        path = self.folder / "outputs" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        frame.to_parquet(path)
        self.sources[name] = TableSource(f"{{outputs}}/{path.name}")
        return path

    def open(self):
        team = Team("sales", Text("Sales"), "en", (Ownership("shop"),), Source(Path("sales.yaml"), 1))
        parameters = Parameters(
            directory=self.folder / "parameters",
            organization=Organization(
                name=Text("Org"),
                vision=Text(),
                mission=Text(),
                zone=ZoneInfo("Asia/Tokyo"),
                language="en",
                calendar=BusinessCalendar("JP"),
                source=Source(Path("organization.yaml"), 1),
            ),
            teams={"sales": team},
            slos={slo.name: slo for slo in self.slos},
            warehouses={"w": Warehouse("w", "duckdb", self.sources, Source(Path("parameters/warehouses/w.yaml"), 1))},
            runs={},
            rules=Rules({}),
        )
        return open_tables(parameters, "w", outputs=self.folder / "outputs")

    def slo(self, name):
        return next(slo for slo in self.slos if slo.name == name)

    @property
    def folder_of_tables(self):
        return self.folder / "outputs" / "tables" / "w"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def hand_made(project):
    """The project with the hand-made log, out of order and in two files that share days."""
    project.log("a", HAND_MADE[::-2])
    project.log("b", HAND_MADE[-2::-2])
    return project


@pytest.fixture
def make_slo():
    return objective


@pytest.fixture
def make_requests():
    return requests_frame


@pytest.fixture
def days():
    """A window over UTC days of October 2026: the first and the last, inclusive."""

    def make(first, last=None):
        return Window(datetime(2026, 10, first, tzinfo=UTC), datetime(2026, 10, (last or first) + 1, tzinfo=UTC))

    return make
