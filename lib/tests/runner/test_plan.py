import json
from datetime import UTC, datetime

import pytest

from shokubai.core.errors import UsageError
from shokubai.core.windows import Week
from shokubai.runner import make_plan


def test_one_job_per_team_and_notebook_then_the_organisation(project):
    project.notebook("report", signature='team: str = ""\nweek: str = ""\nwarehouse: str = ""\nmine: int = 3')
    project.notebook("overview", signature='week: str = ""\nrun: str = ""\ngenerated_at: str = ""')
    project.write(
        "parameters/runs/weekly.yaml",
        "team_notebooks: [report]\norganization_notebooks: [overview]\nwarehouse: main\nteams: all\n",
    )
    plan = project.plan()
    assert [(job.name, dict(job.values)) for job in plan.jobs] == [
        ("alpha/report", {"team": "alpha", "week": "2026-W44", "warehouse": "main"}),
        ("beta/report", {"team": "beta", "week": "2026-W44", "warehouse": "main"}),
        (
            "organization/overview",
            {"week": "2026-W44", "run": "weekly", "generated_at": "2026-11-03T00:00:00+00:00"},
        ),
    ]
    # A run narrowed to some teams leaves the organisation's pages alone.
    assert [job.name for job in project.plan(teams=["beta"]).jobs] == ["beta/report"]


def test_the_default_week_is_over_in_the_organisations_zone(project):
    project.notebook("report")
    # Monday 00:00 in Tokyo is Sunday 15:00 in UTC.
    before, after = datetime(2026, 11, 1, 14, 59, tzinfo=UTC), datetime(2026, 11, 1, 15, tzinfo=UTC)
    assert (str(project.plan(now=before).week), str(project.plan(now=after).week)) == ("2026-W43", "2026-W44")


def test_a_run_may_have_its_own_clock(project):
    project.notebook("report", signature='team: str = ""\nweek: str = ""\ngenerated_at: str = ""')
    run = (project.root / "parameters/runs/weekly.yaml").read_text()
    project.write("parameters/runs/weekly.yaml", run + "as_of: 2026-08-10T00:00:00+09:00\n")
    plan = project.plan()
    assert str(plan.week) == "2026-W32"
    assert plan.jobs[0].values["generated_at"] == "2026-08-10T00:00:00+09:00"


def test_the_window_reaches_from_thirteen_weeks_back_to_a_day_after(project):
    project.notebook("report")
    assert str(project.plan().window) == "2026-07-26T15:00Z/2026-11-02T15:00Z"


PREVIOUS = 'team: str = ""\nweek: str = ""\nprevious_facts: str = ""'


def previous_facts(project):
    return [job.values["previous_facts"] for job in project.plan().jobs]


def test_last_weeks_facts_are_handed_in(project):
    project.notebook("report", signature=PREVIOUS)
    facts = project.write("outputs/weekly/2026-W43/alpha/report.facts.json", "{}")
    # Last week's newest attempt failed for this team; an older report of that week was kept.
    kept = project.write("outputs/weekly/2026-W43/beta/report.last_good.facts.json", "{}")
    assert previous_facts(project) == [str(facts), str(kept)]


def test_weeks_without_a_report_are_passed_over_and_later_ones_are_no_memory(project):
    project.notebook("report", signature=PREVIOUS)
    for week in ("2025-W52", "2026-W09", "2026-W41", "2026-W44", "2026-W45", "2026-W4", "notes"):
        project.write(f"outputs/weekly/{week}/alpha/report.facts.json", "{}")
    project.write("outputs/weekly/2025-W52/beta/report.facts.json", "{}")
    project.write("outputs/weekly/2026-W43/beta/another.facts.json", "{}")
    project.write("outputs/other/2026-W43/beta/report.facts.json", "{}")
    weekly = project.root / "outputs" / "weekly"
    assert previous_facts(project) == [
        str(weekly / "2026-W41" / "alpha" / "report.facts.json"),
        str(weekly / "2025-W52" / "beta" / "report.facts.json"),
    ]


def test_an_unknown_team_names_the_nearest(project):
    project.notebook("report")
    with pytest.raises(UsageError, match=r"no team is called 'alfa' in .*; did you mean 'alpha'\?"):
        project.plan(teams=["alfa"])


def test_a_team_outside_the_run(project):
    project.notebook("report")
    project.write(
        "parameters/runs/weekly.yaml",
        "team_notebooks: [report]\norganization_notebooks: []\nwarehouse: main\nteams: [alpha]\n",
    )
    with pytest.raises(UsageError, match="team 'beta' is not in run 'weekly'; it has: alpha"):
        project.plan(teams=["beta"])


def test_a_week_that_is_not_over(project):
    project.notebook("report")
    plan = project.plan()
    with pytest.raises(UsageError, match="week 2026-W45 is not over at 2026-11-03 00:00 UTC; the last complete week"):
        make_plan(
            plan.parameters,
            "weekly",
            now=datetime(2026, 11, 3, tzinfo=UTC),
            outputs=project.root / "outputs",
            notebooks=project.root / "notebooks",
            week=Week(2026, 45),
        )


def test_all_problems_of_all_notebooks_come_at_once(project):
    project.notebook("report", signature="team: int = 1")
    project.write(
        "parameters/runs/weekly.yaml",
        "team_notebooks: [report]\norganization_notebooks: [overview]\nwarehouse: main\nteams: all\n",
    )
    with pytest.raises(UsageError) as raised:
        project.plan()
    report, overview = (project.root / "notebooks" / f"{name}.ipynb" for name in ("report", "overview"))
    assert str(raised.value).splitlines() == [
        f"{report}: the parameters cell has no 'week', which the run sets",
        f"{report}: parameter 'team' is declared as int, but the run sets a str; declare it as team: str = \"\"",
        f"{overview}: no such notebook; there are: report",
    ]


def reading(project, name, *read):
    """A notebook that says whose facts it reads."""
    path = project.notebook(name)
    notebook = json.loads(path.read_text())
    notebook["metadata"]["shokubai"] = {"reads": list(read)}
    path.write_text(json.dumps(notebook))


def of_run(project, *notebooks):
    rest = "organization_notebooks: [overview]\nwarehouse: main\nteams: all\n"
    project.write("parameters/runs/weekly.yaml", f"team_notebooks: [{', '.join(notebooks)}]\n{rest}")


def test_what_a_notebook_reads_of_another_is_made_in_an_earlier_stage(project):
    project.notebook("report")
    project.notebook("other")
    project.notebook("overview", signature='week: str = ""')
    reading(project, "pack", "report")
    reading(project, "digest", "pack", "other")
    of_run(project, "report", "pack", "other", "digest")
    assert [sorted({job.name for job in stage}) for stage in project.plan().stages] == [
        ["alpha/other", "alpha/report", "beta/other", "beta/report"],
        ["alpha/pack", "beta/pack"],
        ["alpha/digest", "beta/digest"],
        ["organization/overview"],
    ]
    assert [len(stage) for stage in project.plan(teams=["beta"]).stages] == [2, 1, 1, 0]


def test_a_notebook_that_is_read_must_stand_before(project):
    project.notebook("report")
    project.notebook("overview", signature='week: str = ""')
    reading(project, "pack", "report")
    of_run(project, "pack", "report")
    run = project.root / "parameters/runs/weekly.yaml"
    with pytest.raises(UsageError) as raised:
        project.plan()
    assert str(raised.value) == (
        f"{run}:1: team_notebooks: pack reads the facts of report, which must stand before it; found pack, report"
    )


def test_what_is_read_is_a_list_of_names(project):
    path = project.notebook("report")
    path.write_text(
        path.read_text().replace('"metadata": {"kernelspec"', '"metadata": {"shokubai": {"reads": "x"}, "kernelspec"')
    )
    with pytest.raises(UsageError, match=r"report.ipynb: the metadata shokubai.reads is 'x'; allowed is a list"):
        project.plan()
