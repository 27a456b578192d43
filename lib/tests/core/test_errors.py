from pathlib import Path

from shokubai.core.errors import (
    ConfigurationError,
    DataError,
    Problem,
    ShokubaiError,
    UsageError,
    nearest_spelling,
)


def test_only_what_the_user_gave_exits_with_2() -> None:
    assert (UsageError.exit_status, ConfigurationError.exit_status) == (2, 2)
    assert (ShokubaiError.exit_status, DataError.exit_status) == (1, 1)


def test_a_problem_says_where_what_and_what_is_allowed() -> None:
    problem = Problem(
        Path("slos/auth.yaml"),
        12,
        "spec.budgetingMethod",
        "unknown method",
        "Occurences",
        "Occurrences",
        "Occurrences",
    )
    assert str(problem) == (
        "slos/auth.yaml:12: error: spec.budgetingMethod: unknown method; found Occurences; allowed: Occurrences; "
        "did you mean 'Occurrences'?"
    )
    assert str(Problem(Path("a.yaml"), 1, "x", "odd", level="warning")) == "a.yaml:1: warning: x: odd"


def test_all_problems_are_told_errors_first_then_by_place() -> None:
    warning = Problem(Path("a.yaml"), 1, "x", "odd", level="warning")
    later, earlier = Problem(Path("b.yaml"), 9, "x", "bad"), Problem(Path("b.yaml"), 2, "x", "bad")
    error = ConfigurationError([warning, later, earlier])
    assert error.problems == (earlier, later, warning)
    assert str(error).splitlines() == [str(earlier), str(later), str(warning)]


def test_the_nearest_spelling_is_near() -> None:
    assert nearest_spelling("Timeslice", ["Occurrences", "Timeslices"]) == "Timeslices"
    assert nearest_spelling("zzz", ["Occurrences", "Timeslices"]) == ""
