"""What is done to a run, and what may come of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
from world import CELL_SECONDS, TEAMS, World


@dataclass(frozen=True)
class Cell:
    """Code that a report runs. ``message`` is a part of what has to be said of its failure; empty: it is made."""

    code: str
    message: str = ""
    in_kernel: bool = True  # whether a Jupyter kernel bears it, too


DAEMON = """\
import os, time
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    time.sleep(600)
    os._exit(0)
"""

CELLS = {
    "cell loops for ever": Cell("while True: pass", f"not finished after its time limit of {CELL_SECONDS} s"),
    "cell takes all memory": Cell("kept = []\nwhile True: kept.append(bytearray(50_000_000))", "(--memory)"),
    "cell calls os._exit": Cell("import os\nos._exit(3)", "the notebook's process died: exit status 3"),
    "cell calls sys.exit(0)": Cell("import sys\nsys.exit(0)", "ended the notebook with sys.exit(0)"),
    "cell raises": Cell("raise ValueError('planted')", "ValueError: planted"),
    "cell forks": Cell("import os\nos.fork()", in_kernel=False),
    "cell leaves a child": Cell("import os, time\nif not os.fork():\n    time.sleep(600)\n    os._exit(0)"),
    "cell leaves a daemon": Cell(DAEMON),
    "cell prints 100 MB": Cell("for _ in range(1000): print('x' * 100_000)", in_kernel=False),
}


def zygotes(run: psutil.Process) -> list[psutil.Process]:
    return [p for p in run.children() if "shokubai.runner.zygote" in p.cmdline()]


def reports(run: psutil.Process) -> list[psutil.Process]:
    return [p for zygote in zygotes(run) for p in zygote.children()]


def notebooks(run: psutil.Process) -> list[psutil.Process]:
    return [p for report in reports(run) for p in report.children()]


@dataclass(frozen=True)
class Hit:
    """A signal for one of the processes that ``find`` gives. ``ends``: exit statuses of the run when it hit."""

    number: signal.Signals
    find: Callable[[psutil.Process], list[psutil.Process]]
    ends: frozenset[int] = frozenset()


# A signal that comes before the run listens to it ends it as any process.
HITS = {
    "notebook's process killed": Hit(signal.SIGKILL, notebooks),
    "report's process killed": Hit(signal.SIGKILL, reports),
    "zygote killed": Hit(signal.SIGKILL, zygotes),
    "run killed": Hit(signal.SIGKILL, lambda run: [run], frozenset({-signal.SIGKILL})),
    "run told to end": Hit(signal.SIGTERM, lambda run: [run], frozenset({143, -signal.SIGTERM})),
    "run interrupted": Hit(signal.SIGINT, lambda run: [run], frozenset({130, -signal.SIGINT})),
}
FULL_DISK = "disk full"
KINDS = (*CELLS, *HITS, FULL_DISK)


@dataclass
class Outcome:
    """Of one run: what was done to it, what it came to, and what should not have been."""

    kinds: list[str]
    engine: str
    exit_status: int = 0
    statuses: dict[str, str] = field(default_factory=dict)  # by kind
    violations: list[str] = field(default_factory=list)


def disturb(
    world: World, *, planted: Mapping[str, str], hit: str | None, moment: float, engine: str, chance: random.Random
) -> Outcome:
    """Run the next generation with kinds of cells planted by team, and at a moment, in seconds, hit it once."""
    outcome = Outcome([*planted.values(), *([hit] if hit else [])], engine)
    world.write_notebook({team: CELLS[kind].code for team, kind in planted.items()})
    if hit == FULL_DISK:
        world.fill_disk(left=chance.choice([0, 4_000, 40_000, 100_000, 400_000]))
    run = world.start(engine)
    allowed = frozenset[int]()
    has_hit = False
    if hit in HITS:
        allowed = HITS[hit].ends
        has_hit = _hit(run, HITS[hit], moment, chance)
        outcome.statuses[hit] = "hit" if has_hit else "missed"
    _, said = run.communicate(timeout=300)
    outcome.exit_status = run.returncode
    if hit == FULL_DISK:
        outcome.statuses[hit] = f"exit {run.returncode}"
        allowed = frozenset({4})
    is_failing = any(CELLS[kind].message for kind in planted.values())
    ended_early = run.returncode in allowed
    if not ended_early and run.returncode != int(is_failing):
        outcome.violations.append(f"exit status {run.returncode}, said: {said[-500:]}")
    if "Traceback" in said and not (ended_early and run.returncode < 0):
        outcome.violations.append(f"a traceback: {said[-1500:]}")
    _examine(world, planted, outcome, ended_early=ended_early)
    world.empty_disk()
    _resume(world, outcome, planted)
    return outcome


def _hit(run: subprocess.Popen[str], hit: Hit, moment: float, chance: random.Random) -> bool:
    """Send the signal at the moment, or as soon after as there is such a process; whether there was one."""
    time.sleep(moment)
    while run.poll() is None:
        with suppress(psutil.Error):
            if found := hit.find(psutil.Process(run.pid)):
                target = chance.choice(found).pid
                # What ended meanwhile is nobody's number before its parent has taken note of it.
                os.kill(target, hit.number)
                return True
        time.sleep(0.01)
    return False


def _examine(world: World, planted: Mapping[str, str], outcome: Outcome, *, ended_early: bool) -> None:
    outcome.violations += [f"half a report: {wrong}" for wrong in world.half_reports()]
    outcome.violations += [f"survives: {process}" for process in world.survivors()]
    journal = world.journal()
    for team in TEAMS:
        record = journal.get(team)
        kind = planted.get(team)
        if record is None or not world.is_as_recorded(record):
            # Published in the moment before the run was ended, and not yet written down.
            if not ended_early or world.shown_generation(team) not in (world.generation, None):
                outcome.violations.append(f"{team}: not as its journal says")
            continue
        message = CELLS[kind].message if kind else ""
        wanted = "failed" if message else "made"
        is_old = ended_early and world.shown_generation(team) == world.generation - 1
        if is_old:
            continue
        if kind:
            outcome.statuses[kind] = record["status"]
        if record["status"] != wanted:
            outcome.violations.append(f"{team} ({kind}): {record['status']} {record['error']}, not {wanted}")
        elif message and message not in record["error"]["message"]:
            outcome.violations.append(f"{team} ({kind}): says {record['error']['message']!r}")
        elif not message and world.shown_generation(team) != world.generation:
            outcome.violations.append(f"{team}: shows generation {world.shown_generation(team)}")
    if not ended_early:
        stated = {team: report["status"] for team, report in world.manifest().items()}
        if stated != {team: journal[team]["status"] for team in TEAMS if team in journal}:
            outcome.violations.append(f"manifest and journal do not agree: {stated}")


def _resume(world: World, outcome: Outcome, planted: Mapping[str, str]) -> None:
    """The same command again; a notebook with failing cells is mended before."""
    if planted:
        world.write_notebook({})
    run = world.start()
    _, said = run.communicate(timeout=300)
    if run.returncode:
        outcome.violations.append(f"resumed: exit status {run.returncode}, said: {said[-500:]}")
    shown = {team: world.shown_generation(team) for team in TEAMS}
    if set(shown.values()) != {world.generation}:
        outcome.violations.append(f"resumed: shows generations {shown}, not {world.generation}")
    wrong = [team for team, record in world.journal().items() if not world.is_as_recorded(record)]
    outcome.violations += [f"resumed: {team} is not as its journal says" for team in wrong]
    outcome.violations += [f"resumed: half a report: {half}" for half in world.half_reports()]
    outcome.violations += [f"resumed: left over: {left}" for left in world.left_over()]
    outcome.violations += [f"resumed: survives: {process}" for process in world.survivors()]
