"""The plan of a study: every trial with its id, fixed before anything runs."""

from collections.abc import Iterable, Sequence
from typing import Any

from ablate.planning.tuning import Tries, refuse_replicates
from ablate.reading.problems import did_you_mean
from ablate.study.design import Cell, design_of, expand
from ablate.study.identity import digest, dumps
from ablate.study.nouns import FurtherOutcome, Plan, StudyError, StudySpec
from ablate.study.starts import SPACING, networks_of, trial_seeds
from ablate.trainers.core.menus import Menus
from ablate.trainers.resolve import trainer_of
from reports.documents.plan import OutcomeDocument

TOO_LARGE = f"with several networks, seeds must be below {SPACING:,}"
"""What is wrong with a seed that would be a seed of another network."""


def plan(
    spec: StudySpec,
    seeds: Sequence[int] | None = None,
    only: Iterable[str] = (),
    menus: Menus | None = None,
) -> Plan:
    """Return the plan of a study: all cells with the first seed, then with the next.

    If the seeds are repeated with several networks, all of them run with the first network first.
    Cells with identical configs run once. The plan lists data and checkpoints that this machine
    lacks; they are not an error.

    Args:
        spec: the study.
        seeds: seeds to use instead of the study's own.
        only: `factor=level` choices. A cell must have one of the chosen levels of each factor that
            is named.
        menus: the options of models and datasets; None: what is installed.

    Raises:
        StudyError: the design cannot be run, `only` names an unknown factor or level or leaves no
            cell, or `seeds` cannot be the study's seeds.
    """
    networks = networks_of(spec)
    seeds = spec.seeds if seeds is None else check_seeds(seeds, networks)
    refuse_replicates(spec, trial_seeds(seeds, networks))
    if networks is None and spec.outcome.looks and len(seeds) != spec.outcome.looks[-1]:
        raise StudyError(
            f"--seeds: outcome.looks goes to {spec.outcome.looks[-1]} seeds, not {len(seeds)}"
        )

    expansion = expand(spec)
    wanted = _selection(spec, only)
    cells = [
        cell
        for cell in expansion.cells
        if all(cell[factor] in labels for factor, labels in wanted.items())
    ]
    if not cells:
        raise StudyError(f"--only {' '.join(only)}: no cell of the study is left")

    builder = trainer_of(spec, menus).builder(spec)
    first: dict[str, Cell] = {}
    groups: dict[str, list[Cell]] = {}
    named, trials = [], []
    for cell in cells:
        id_ = builder.cell_id(cell)
        named.append((id_, cell))
        if id_ in first:
            groups.setdefault(id_, [first[id_]]).append(cell)
        else:
            first[id_] = cell
    for seed in trial_seeds(seeds, networks):
        trials += [builder.trial(id_, cell, seed) for id_, cell in first.items()]

    missing, cautions, sources = builder.missing, builder.cautions, builder.sources
    if spec.tune is not None:
        tries = Tries(spec.tune, menus)
        trials = [tries.chosen(trial) for trial in trials]
        named = [(tries.cell_id(id_, cell), cell) for id_, cell in named]
        missing = [*missing, *tries.builder.missing]
        cautions = [*cautions, *tries.builder.cautions]
        sources = sources | tries.builder.sources

    plan_hash = digest(dumps([sorted(trial.id for trial in trials), outcome_record(spec)]))
    return Plan(
        spec=spec,
        trials=tuple(trials),
        hash=plan_hash,
        excluded=expansion.excluded,
        equal_cells=tuple(tuple(group) for group in groups.values()),
        aliases=expansion.aliases,
        reference=expansion.reference,
        cells=tuple(named),
        missing=tuple(dict.fromkeys(missing)),
        sources=dict(sorted(sources.items())),
        cautions=tuple(dict.fromkeys(cautions)),
    )


def check_seeds(seeds: Sequence[int], networks: int | None = None) -> tuple[int, ...]:
    """Return the seeds of the option `--seeds` as a tuple.

    Args:
        seeds: the seeds.
        networks: the number of networks that they are repeated with; None: no networks.

    Raises:
        StudyError: there are no seeds, one is repeated, or one is negative or too large.
    """
    if not seeds or len(set(seeds)) < len(seeds) or any(not 0 <= seed < 2**31 for seed in seeds):
        raise StudyError(
            f"--seeds {','.join(map(str, seeds))}: must be different whole numbers, 0 or more"
        )
    if networks is not None and max(seeds) >= SPACING:
        raise StudyError(f"--seeds {','.join(map(str, seeds))}: {TOO_LARGE}")
    return tuple(seeds)


def outcome_record(spec: StudySpec) -> OutcomeDocument:
    """Return the outcomes and the decision rule as JSON.

    Keys that later versions added are written only if they change the rule. This keeps the hashes
    of plans that do not use them.
    """
    outcome = spec.outcome
    record: OutcomeDocument = {
        "metric": outcome.metric,
        "better": outcome.better,
        "summary": outcome.summary,
        "smallest_effect": (
            None if outcome.smallest_effect is None else float(outcome.smallest_effect)
        ),
        "degradation": {
            "relative": float(outcome.degradation.relative),
            "after_step": outcome.degradation.after_step,
            "patience": outcome.degradation.patience,
        },
    }

    if outcome.looks:
        record["looks"] = list(outcome.looks)
    if outcome.looks and spending(spec) != _usual_spending(spec):
        record["spend"] = spending(spec)
    if outcome.scale != "linear":
        record["scale"] = outcome.scale
    if outcome.also:
        record["also"] = [_further_record(further) for further in outcome.also]
    return record


def spending(spec: StudySpec) -> str:
    """Return how the looks spend the permitted error: `even`, `middle`, or `late`."""
    return spec.outcome.spend or _usual_spending(spec)


def _usual_spending(spec: StudySpec) -> str:
    """Return `even` if the arms of one factor can stop alone, else `late`.

    Where arms can stop alone, early verdicts save trials.
    """
    return "even" if design_of(spec).alone or len(spec.factors) == 1 else "late"


def _further_record(further: FurtherOutcome) -> dict[str, Any]:
    """Return a further outcome as JSON."""
    margin = further.smallest_effect
    return {
        "metric": further.metric,
        "better": further.better,
        "smallest_effect": None if margin is None else float(margin),
    }


def _selection(spec: StudySpec, only: Iterable[str]) -> dict[str, set[str]]:
    """Return factor -> levels that `only` allows.

    Raises:
        StudyError: a choice is not `factor=level`, or names an unknown factor or level.
    """
    levels = {factor.name: list(factor.levels) for factor in spec.factors}
    wanted: dict[str, set[str]] = {}
    for choice in only:
        name, equals, label = choice.partition("=")
        if not equals:
            raise StudyError(f"--only {choice}: must be factor=level")
        if name not in levels:
            raise StudyError(f"--only {choice}: no such factor{did_you_mean(name, levels)}")
        if label not in levels[name]:
            raise StudyError(f"--only {choice}: no such level{did_you_mean(label, levels[name])}")
        wanted.setdefault(name, set()).add(label)
    return wanted
