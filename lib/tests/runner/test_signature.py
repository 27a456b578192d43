import json

import pytest

from shokubai.core.errors import UsageError
from shokubai.runner.signature import Parameter, read_signature


def test_reads_name_type_default_and_meaning(project):
    path = project.notebook(
        "n",
        signature='team: str = "a # b"  # whose report\nrows = 10\nat: str | None = None\nweek: str\nfree = None\n',
    )
    assert dict(read_signature(path).parameters) == {
        "team": Parameter("team", "str", "'a # b'", "whose report"),
        "rows": Parameter("rows", "int", "10"),
        "at": Parameter("at", "str | None", "None"),
        "week": Parameter("week", "str", None),
        "free": Parameter("free", "", "None"),
    }


def test_title_is_the_metadata_of_the_notebook_or_its_first_heading(project):
    path = project.notebook("n")
    assert read_signature(path).title == {"en": "The n", "ja": "The n"}
    content = json.loads(path.read_text())
    content["metadata"]["shokubai"] = {"title": {"ja": "全体"}}
    path.write_text(json.dumps(content))
    assert read_signature(path).title == {"en": "The n", "ja": "全体"}


@pytest.mark.parametrize(
    ("declared", "value", "is_accepted"),
    [
        ("str", "x", True),
        ("str | None", "x", True),
        ("Optional[str]", "x", True),
        ("", "x", True),
        ("Any", "x", True),
        ("int", "x", False),
        ("int | None", "x", False),
        ("bool", 1, False),
    ],
)
def test_declared_types(declared, value, is_accepted):
    assert Parameter("p", declared, "None").accepts(value) is is_accepted


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        ('tem: str = ""', "the parameters cell has no 'team', which the run sets; did you mean 'team' by 'tem'?"),
        (
            "team: int = 3",
            "parameter 'team' is declared as int, but the run sets a str; declare it as team: str = \"\"",
        ),
        (
            'team = ""\nlimit: int',
            "parameter 'limit' has no default and no run sets it; give it a default (a run sets: team)",
        ),
    ],
)
def test_problems_name_the_notebook_and_what_to_do(project, signature, problem):
    path = project.notebook("n", signature=signature)
    assert read_signature(path).problems({"team": "a"}, needed=("team",)) == [f"{path}: {problem}"]


def test_chooses_what_the_notebook_asks_for(project):
    found = read_signature(project.notebook("n", signature='week: str = ""'))
    assert found.problems({"week": "2026-W44", "team": "a"}) == []
    assert found.choose({"week": "2026-W44", "team": "a"}) == {"week": "2026-W44"}


def test_a_notebook_needs_exactly_one_parameters_cell(project):
    path = project.notebook("n", "1", signature=None)
    with pytest.raises(UsageError, match=r"n\.ipynb: found 0 cells tagged 'parameters', allowed is exactly one"):
        read_signature(path)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("import os", "line 1 of the parameters cell is 'import os'; allowed are only assignments"),
        ("a = 1\nb.c = 2", "line 2 of the parameters cell is 'b.c = 2'"),
        ("a = = 1", "the parameters cell is not Python: line 1"),
    ],
)
def test_a_parameters_cell_holds_assignments(project, signature, message):
    path = project.notebook("n", signature=signature)
    with pytest.raises(UsageError) as raised:
        read_signature(path)
    assert str(raised.value).startswith(f"{path}: {message}")


def test_a_missing_notebook_names_the_nearest(project):
    project.notebook("weekly_team_report")
    path = project.root / "notebooks" / "weekly_team_reprot.ipynb"
    with pytest.raises(UsageError) as raised:
        read_signature(path)
    assert str(raised.value) == (
        f"{path}: no such notebook; there are: weekly_team_report; did you mean 'weekly_team_report'?"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a notebook: "),
        ("[]", "not a notebook of format 4; save it again in JupyterLab"),
        ('{"nbformat": 3, "worksheets": []}', "not a notebook of format 4; save it again in JupyterLab"),
    ],
)
def test_what_is_no_notebook(project, content, message):
    path = project.write("notebooks/n.ipynb", content)
    with pytest.raises(UsageError) as raised:
        read_signature(path)
    assert str(raised.value).startswith(f"{path}: {message}")
