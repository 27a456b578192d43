"""Random disturbances of real runs: see CONTRIBUTING.md. ``python lib/tests/chaos --kills 200 --seed 44``"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from disturbances import CELLS, FULL_DISK, HITS, KINDS, Outcome, disturb
from rich.console import Console
from rich.table import Table
from world import TEAMS, World

RESULTS = Path(__file__).resolve().parents[3] / "outputs" / "chaos.json"
RARELY = 0.1  # of runs are by kernels

status = Console(stderr=True, highlight=False)
console = Console(highlight=False)


def random_outcomes(world: World, *, kills: int, seed: int) -> Iterator[Outcome]:
    """So many disturbances, most of them two to a run: a cell that a report should not have, and a signal."""
    chance = random.Random(seed)
    world.write_notebook({})
    started = time.monotonic()
    assert world.start().wait() == 0
    usual_seconds = time.monotonic() - started
    hits = [*HITS, *([FULL_DISK] if world.has_small_disk else [])]
    done = 0
    while done < kills:
        hit = chance.choice(hits)
        engine = "kernel" if chance.random() < RARELY else "fork"
        allowed = [kind for kind, cell in CELLS.items() if cell.in_kernel or engine == "fork"]
        count = 0 if hit == FULL_DISK else min(chance.choice([1, 1, 2]), kills - done - 1)
        planted = dict(zip(chance.sample(TEAMS, count), chance.sample(allowed, count), strict=True))
        # The first third of a run only starts up; disturb there more rarely.
        moment = chance.triangular(0, usual_seconds, usual_seconds * 0.7)
        outcome = disturb(world, planted=planted, hit=hit, moment=moment, engine=engine, chance=chance)
        done += len(outcome.kinds)
        yield outcome


def table_of(outcomes: Sequence[Outcome], *, seed: int) -> Table:
    """Kinds, how often each, what came of it, and what should not have been (of runs with several, at each)."""
    table = Table(title=f"disturbances of {len(outcomes)} runs, seed {seed}")
    for name, justify in (("kind", "left"), ("count", "right"), ("came to", "left"), ("violations", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for kind in KINDS:
        of_kind = [outcome for outcome in outcomes if kind in outcome.kinds]
        came_to = Counter(outcome.statuses.get(kind, "run ended before") for outcome in of_kind)
        words = ", ".join(f"{what} {count}" for what, count in came_to.most_common())
        table.add_row(kind, str(len(of_kind)), words or "not tried", str(sum(len(o.violations) for o in of_kind)))
    exits = Counter(outcome.exit_status for outcome in outcomes)
    table.caption = "exit statuses: " + ", ".join(f"{number}: {count}" for number, count in sorted(exits.items()))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="chaos", description="Disturb real runs at random.")
    parser.add_argument("--kills", type=int, default=200, help="how many disturbances (default: 200)")
    parser.add_argument("--seed", type=int, default=44)
    given = parser.parse_args(arguments)
    # Started in the background it would ignore interruptions, and so would the runs that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outcomes: list[Outcome] = []
    world = World(Path(tempfile.mkdtemp(prefix="chaos-project-")))
    if not world.has_small_disk:
        status.print("no small disk can be mounted here (that takes root): full disks are left out")
    try:
        for outcome in random_outcomes(world, kills=given.kills, seed=given.seed):
            outcomes.append(outcome)
            number = sum(len(o.kinds) for o in outcomes)
            status.print(f"{number}: {' + '.join(outcome.kinds)} ({outcome.engine}): exit {outcome.exit_status}")
            for violation in outcome.violations:
                status.print(f"  [red]{violation}[/red]", markup=True)
    except KeyboardInterrupt:
        status.print("interrupted: the table is of what was done")
    finally:
        world.close()
    console.print(table_of(outcomes, seed=given.seed))
    RESULTS.parent.mkdir(exist_ok=True)
    runs = [asdict(outcome) for outcome in outcomes]
    RESULTS.write_text(json.dumps({"seed": given.seed, "runs": runs}, indent=1), encoding="utf-8")
    return int(any(outcome.violations for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
