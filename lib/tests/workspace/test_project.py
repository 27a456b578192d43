from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import shokubai
from shokubai.core.errors import UsageError
from shokubai.core.windows import Week, Window
from shokubai.workspace.project import find_project, parse_instant, parse_window

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")

# Tokyo is nine hours ahead of UTC all year.
WINDOWS = [
    ("2026-W44", "2026-10-25T15:00Z/2026-11-01T15:00Z"),
    (Week(2026, 44), "2026-10-25T15:00Z/2026-11-01T15:00Z"),
    ("2026-10-27", "2026-10-26T15:00Z/2026-10-27T15:00Z"),
    ("2026-10-27 14:00/2026-10-28", "2026-10-27T05:00Z/2026-10-27T15:00Z"),
    (" 2026-10-27T14:00 / 2026-10-27T15:30 ", "2026-10-27T05:00Z/2026-10-27T06:30Z"),
    ("2026-10-27T14:00Z/2026-10-28T00:00+09:00", "2026-10-27T14:00Z/2026-10-27T15:00Z"),
    (("2026-10-26", "2026-10-27 14:00"), "2026-10-25T15:00Z/2026-10-27T05:00Z"),
    ((datetime(2026, 10, 26, tzinfo=UTC), "2026-10-27"), "2026-10-26T00:00Z/2026-10-26T15:00Z"),
    (
        Window(datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC)),
        "2026-10-26T00:00Z/2026-10-27T00:00Z",
    ),
]


@pytest.mark.parametrize(("written", "expected"), WINDOWS)
def test_forms_of_a_window(written, expected):
    assert str(parse_window(written, TOKYO)) == expected


def test_a_day_on_which_clocks_go_back_has_25_hours():
    assert parse_window("2026-11-01", NEW_YORK).minutes == 25 * 60


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-W60",
        "2026-W4",
        "2026-10-27 14:00",  # an instant, no window
        "2026-10-28/2026-10-27",
        "2026-10-27/2026-10-27",
        "2026-10-27/",
        ("2026-10-28", "2026-10-27"),
        ("2026-10-28", "soon"),
        ("2026-10-27",),
    ],
)
def test_what_is_no_window(written):
    with pytest.raises(UsageError, match=r"2026-10-27|2026-W44"):
        parse_window(written, TOKYO)


def test_instants_of_their_own_offset_keep_it():
    assert parse_instant("2026-10-27 14:00+02:00", TOKYO) == datetime(2026, 10, 27, 12, tzinfo=UTC)
    assert parse_instant(datetime(2026, 10, 27, 14), TOKYO) == datetime(2026, 10, 27, 5, tzinfo=UTC)  # noqa: DTZ001


def test_the_project_is_the_nearest_folder_with_parameters(tmp_path):
    for folder in (tmp_path, tmp_path / "inner"):
        (folder / "parameters").mkdir(parents=True)
        (folder / "parameters" / "organization.yaml").touch()
    (tmp_path / "inner" / "notebooks").mkdir()
    (tmp_path / "other" / "parameters").mkdir(parents=True)  # without organization.yaml
    assert find_project(tmp_path / "inner" / "notebooks") == tmp_path / "inner"
    assert find_project(tmp_path / "inner") == tmp_path / "inner"
    assert find_project(tmp_path / "other") == tmp_path


def test_no_project(tmp_path):
    with pytest.raises(UsageError, match=r"no parameters/organization\.yaml at or above .*shokubai\.open\("):
        find_project(tmp_path)


def test_open_without_arguments(make_workspace, shop, request_log, tmp_path, monkeypatch):
    made = make_workspace(shop, requests=request_log(("2026-10-27T00:00:00Z", "shop", "GET", "/", 200, 0.1)))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    opened = shokubai.open()
    assert opened.tables.name == made.tables.name == "main"
    assert opened.outputs.samefile(tmp_path / "outputs")
    assert len(opened.requests("2026-10-27")) == 1


def test_open_needs_a_warehouse(make_workspace, shop, request_log, tmp_path):
    log = request_log(("2026-10-27T00:00:00Z", "shop", "GET", "/", 200, 0.1))
    make_workspace(shop, requests=log)
    (tmp_path / "parameters" / "runs" / "weekly.yaml").unlink()
    with pytest.raises(UsageError, match=r"which warehouse, shokubai\.open\(warehouse=…\)"):
        shokubai.open(tmp_path / "parameters")
    assert shokubai.open(tmp_path / "parameters", warehouse="main").tables.name == "main"
    with pytest.raises(UsageError, match=r"no warehouse is called 'mian'.*did you mean 'main'"):
        shokubai.open(tmp_path / "parameters", warehouse="mian")
