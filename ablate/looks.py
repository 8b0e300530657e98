"""Studies that add seeds until every factor has its verdict, at a level that pays for each look at the data."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate import atomic
from ablate.study import Plan, StudySpec

if TYPE_CHECKING:
    from ablate.run import StudyResult

UNDECIDED = "not enough data"


def level(spec: StudySpec) -> dict[str, float]:
    """`{"alpha": level of the tests at each look}` of a study that is looked at more than once; else nothing."""
    if not spec.outcome.looks:
        return {}
    import numpy as np

    from reports.stats.sequential import family_level

    tests = sum(len(factor.levels) - 1 for factor in spec.factors)
    return {"alpha": family_level(spec.outcome.looks, tests, np.random.default_rng(0))}


def first_seeds(plan: Plan, seeds: int) -> Plan:
    """The plan with so many of its seeds; its hash stays, since the whole was fixed before anything ran."""
    kept = list(dict.fromkeys(trial.seed for trial in plan.trials))[:seeds]
    return replace(plan, trials=tuple(trial for trial in plan.trials if trial.seed in kept))


def until_decided(plan: Plan, folder: Path, run: Callable[[Plan], "StudyResult"], quiet: bool) -> "StudyResult":
    """Run a study look by look; the tables and the report in its folder are those of the last look.

    Args:
        plan: with all seeds.
        folder: `OUT/<study>`; what an earlier command looked at is not looked at again.
        run: runs what is missing of a plan.
        quiet: no messages.
    """
    looks = [number for number in plan.spec.outcome.looks if number >= _seeds_there(folder, plan.hash)]
    said: list[str] = []
    for number in looks:
        result = run(first_seeds(plan, number))
        said += result.messages
        if result.exit_code or number == looks[-1]:
            break
        open_ = _open(folder)
        said.append(
            f"after {number} of {looks[-1]} seeds "
            + (f"there is no verdict yet on {', '.join(open_)}" if open_ else "every factor has its verdict")
        )
        if not quiet:
            print(said[-1], file=sys.stderr, flush=True)
        if not open_:
            break
    return replace(result, messages=tuple(said))


def _seeds_there(folder: Path, hash_: str) -> int:
    """Seeds of the last look of an earlier command; 0: none, or the plan was another."""
    old: dict[str, Any] = atomic.read_json(folder / "plan.json")
    return len(old["seeds"]) if old.get("hash") == hash_ else 0


def _open(folder: Path) -> list[str]:
    """Factors without a verdict."""
    from reports import analyse, load_results

    verdicts = analyse(load_results(folder)).verdicts
    return [str(row["factor"]) for row in verdicts.to_dict("records") if row["verdict"] == UNDECIDED]
