"""Studies that add seeds until every factor has its verdict, at levels that pay for each look at
the data.

Where the arms of one factor can stop without the others (leave-one-out, add-one-in, one at a time),
a factor that is decided, or that the seeds left can't decide, gets no more trials.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.disk import atomic
from ablate.study.nouns import Plan, Trial

if TYPE_CHECKING:
    from ablate.running.study import StudyResult
    from reports import Analysis


def until_decided(
    plan: Plan, folder: Path, run: Callable[[Plan], "StudyResult"], quiet: bool
) -> "StudyResult":
    """Run a study look by look; the tables and the report in its folder are those of the last look.

    Args:
        plan: with all seeds.
        folder: `OUT/<study>`; what an earlier command looked at is not looked at again.
        run: runs what is missing of a plan.
        quiet: no messages.
    """
    seeds = list(dict.fromkeys(trial.seed for trial in plan.trials))
    trials = _trials_there(plan, folder)
    looks = [
        number
        for number in plan.spec.outcome.looks
        if number >= len({trial.seed for trial in trials})
    ]
    cells = {trial.cell_id for trial in plan.trials}
    said: list[str] = []
    for number in looks:
        known = {trial.seed for trial in trials}
        new = [seed for seed in seeds[:number] if seed not in known]
        trials += [trial for trial in plan.trials if trial.seed in new and trial.cell_id in cells]
        result = run(_part(plan, trials))
        said += result.messages
        if result.exit_code or number == looks[-1]:
            break

        found = _analysis(folder)
        said += _told(found, number, looks[-1])
        if not quiet:
            print(said[-1], file=sys.stderr, flush=True)
        if not found.waiting:
            break
        cells = active_cells(found)
    return replace(result, messages=tuple(said))


def _part(plan: Plan, trials: Sequence[Trial]) -> Plan:
    """The plan with some of its trials; its hash stays, since the whole was fixed before anything
    ran."""
    chosen = {trial.id for trial in trials}
    return replace(plan, trials=tuple(trial for trial in plan.trials if trial.id in chosen))


def _trials_there(plan: Plan, folder: Path) -> list[Trial]:
    """The trials of the last look of an earlier command; none where the plan was another."""
    old: dict[str, Any] = atomic.read_json(folder / "plan.json")
    ids = (
        {trial["trial_id"] for trial in old.get("trials", ())}
        if old.get("hash") == plan.hash
        else set()
    )
    return [trial for trial in plan.trials if trial.id in ids]


def _analysis(folder: Path) -> "Analysis":
    """What the trials say so far."""
    from reports import analyse, load_results

    return analyse(load_results(folder))


def active_cells(found: "Analysis") -> set[str]:
    """The cells that more seeds are for: all, or without the arms of what needs none where arms
    stop alone."""
    design = found.cells.design
    if not design.alone:
        return set(design.cells)
    wanted: set[int] = set()
    closed: set[int] = set()
    for term in design.compared:
        places = {cell for block in term.blocks for cell in block.cells}
        (wanted if term.name in found.waiting else closed).update(places)
    return {
        cell for place, cell in enumerate(design.cells) if place in wanted or place not in closed
    }


def _told(found: "Analysis", seeds: int, last: int) -> list[str]:
    """What this look showed, in a line."""
    start = f"after {seeds} of {last} seeds "
    given_up = (
        f"{', '.join(found.futile)} can't be decided with {last} seeds" if found.futile else ""
    )
    if found.waiting:
        line = f"there is no verdict yet on {', '.join(found.waiting)}" + (
            f"; {given_up}" if given_up else ""
        )
    else:
        line = given_up or "every factor has its verdict"
    return [start + line]
