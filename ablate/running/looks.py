"""Run studies that add seeds, or networks, until every factor has its verdict.

Each look tests at a stricter level, so that repeated looks cause no extra false alarms. In some
designs (leave-one-out, add-one-in, one at a time), the arms of one factor can stop without those of
the other factors. A factor then gets more trials only while it has no verdict and the remaining
seeds can still give one.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.planning.plan_file import plan_document
from ablate.study.nouns import Plan, Trial
from ablate.study.starts import block_of, networks_of

if TYPE_CHECKING:
    from ablate.running.study import StudyResult
    from reports import Analysis


def until_decided(
    plan: Plan, folder: Path, run: Callable[[Plan], "StudyResult"], quiet: bool
) -> "StudyResult":
    """Run a study look by look, until every factor has a verdict or all seeds have run.

    Where seeds are repeated with several networks, looks count networks.

    The tables and the report in the study folder are those of the last look.

    Args:
        plan: the plan with all seeds.
        folder: the study folder, `OUT/<study>`; looks of earlier commands are not repeated.
        run: runs the trials of a plan that have no outcome.
        quiet: whether to print no messages.

    Returns:
        The result of the last look, with the messages of all looks.
    """
    unit = _unit(plan)
    units = list(dict.fromkeys(unit(trial) for trial in plan.trials))
    trials = _trials_of_earlier_looks(plan, folder)
    looks = [
        number
        for number in plan.spec.outcome.looks
        if number >= len({unit(trial) for trial in trials})
    ]
    cells = {trial.cell_id for trial in plan.trials}
    messages: list[str] = []

    for number in looks:
        known = {unit(trial) for trial in trials}
        new = [one for one in units[:number] if one not in known]
        trials += [trial for trial in plan.trials if unit(trial) in new and trial.cell_id in cells]
        result = run(_part(plan, trials))
        messages += result.messages
        if result.exit_code or number == looks[-1]:
            break

        analysis = _analysis(folder)
        messages += _summary(analysis, number, looks[-1])
        if not quiet:
            print(messages[-1], file=sys.stderr, flush=True)
        if not analysis.waiting:
            break
        cells = active_cells(analysis)

    return replace(result, messages=tuple(messages))


def _unit(plan: Plan) -> Callable[[Trial], int]:
    """Return a function that gives the number of a trial's seed, or of its network, for looks."""
    if networks_of(plan.spec) is None:
        return lambda trial: trial.seed
    return lambda trial: block_of(trial.seed)


def _part(plan: Plan, trials: Sequence[Trial]) -> Plan:
    """Return the plan with only some of its trials, but with the hash of the whole plan.

    The hash stays because the whole plan was fixed before the first trial.
    """
    chosen = {trial.id for trial in trials}
    return replace(plan, trials=tuple(trial for trial in plan.trials if trial.id in chosen))


def _trials_of_earlier_looks(plan: Plan, folder: Path) -> list[Trial]:
    """Return the trials up to the last look of an earlier command; none if its plan differed."""
    old = plan_document(folder)
    ids = (
        {trial["trial_id"] for trial in old.get("trials", ())}
        if old.get("hash") == plan.hash
        else set()
    )
    return [trial for trial in plan.trials if trial.id in ids]


def _analysis(folder: Path) -> "Analysis":
    """Return the analysis of the trials that have ended so far."""
    from reports import analyse, load_results

    return analyse(load_results(folder))


def active_cells(analysis: "Analysis") -> set[str]:
    """Return the ids of the cells that get more seeds.

    These are all cells, unless the arms of one factor can stop without the others. Then the cells
    that only settled factors are compared in are left out.
    """
    design = analysis.cells.design
    if not design.alone:
        return set(design.cells)

    wanted: set[int] = set()
    closed: set[int] = set()
    for term in design.compared:
        places = {cell for block in term.blocks for cell in block.cells}
        (wanted if term.name in analysis.waiting else closed).update(places)

    return {
        cell for place, cell in enumerate(design.cells) if place in wanted or place not in closed
    }


def _summary(analysis: "Analysis", units: int, last: int) -> list[str]:
    """Return the message about a look.

    Args:
        analysis: the analysis at this look.
        units: number of seeds, or of networks, so far.
        last: number of all of them.
    """
    noun = analysis.cells.unit
    start = f"after {units} of {last} {noun}s "
    futile = ", ".join(analysis.futile)
    given_up = f"{futile} can't be decided with {last} {noun}s" if analysis.futile else ""

    if analysis.waiting:
        line = f"there is no verdict yet on {', '.join(analysis.waiting)}" + (
            f"; {given_up}" if given_up else ""
        )
    else:
        line = given_up or "every factor has its verdict"
    return [start + line]
