"""Which failures may pass when they are tried again."""

from __future__ import annotations

from shokubai.runner.pool import Ended
from shokubai.runner.task import DIED, FROM_OUTSIDE, Result, how_it_ended

_DEATHS = tuple(f"{DIED}: {how_it_ended(-number)}" for number in FROM_OUTSIDE)  # and its last words, if any


def may_pass_next_time(end: Ended, result: Result | None) -> bool:
    """Whether a report failed for a reason that has nothing to do with it.

    That is when its process could not be started, or when a signal from outside ended it or its notebook's. An
    exception in a cell, ``sys.exit()``, a broken contract and limits of time and memory are the report's own.
    """
    if end.refused:
        return True
    if end.is_overdue:
        return False
    if result is None:
        return -end.exit_status in FROM_OUTSIDE
    return result.error is not None and result.error.message.startswith(_DEATHS)
