"""What ``import shokubai`` promises."""

import inspect
import subprocess
import sys

import pytest

import shokubai

PUBLIC_ATTRIBUTES = {"parameters", "organization", "zone", "outputs", "tables", "latest_week"}
METHODS = {
    "alerts",
    "compare",
    "deployments",
    "incidents",
    "metrics",
    "percentiles",
    "requests",
    "slo_status",
    "sql",
    "team_week",
    "window",
}


def test_names():
    assert set(shokubai.__all__) == {"Workspace", "__version__", "open"}
    for name in shokubai.__all__:
        assert getattr(shokubai, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        _ = shokubai.opne


def test_methods_of_a_workspace():
    public = {name for name, _ in inspect.getmembers(shokubai.Workspace, callable) if not name.startswith("_")}
    assert public == METHODS


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_says_what_it_gives(name):
    said = inspect.getdoc(getattr(shokubai.Workspace, name))
    assert said
    assert said.splitlines()[0].endswith((".", ":")) or ":" in said


def test_frames_name_their_columns():
    """Shift-Tab shows the columns and their units; those that say so give what a docstring names."""
    for name in ("requests", "compare", "slo_status", "percentiles", "deployments", "incidents", "alerts", "metrics"):
        said = inspect.getdoc(getattr(shokubai.Workspace, name))
        assert any(word in said for word in ("_count", "_at", "_value", "p50", "_name")), name


def test_open_and_the_package_are_documented():
    assert "shokubai.open()" in shokubai.__doc__
    assert "ConfigurationError" in inspect.getdoc(shokubai.open)
    assert "window" in inspect.getdoc(shokubai.Workspace)


def test_importing_loads_nothing_heavy():
    program = "import sys, shokubai; print(*sorted({'pandas', 'duckdb', 'plotly', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
