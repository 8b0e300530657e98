"""What no single key can say: the rules between the fields of a config, checked in every cell of a
study."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from ablate.disk.remembered import remembered
from ablate.reading.problems import Problem, did_you_mean, schema_problems
from ablate.study.design import Cell, DesignError, expand, meant_equal
from ablate.study.identity import dumps
from ablate.study.nouns import Factor, FurtherOutcome, Outcome, StudySpec
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.core.identity import FIELDS, NEUTRAL, TOGETHER, canonical_field
from ablate.trainers.core.menus import Choice, Menus
from g2g_core.config import prefixes

Finding = tuple[tuple[str, ...], str]
"""Path in the config, and what is wrong there."""


def network_fits_model(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """Options of the networks are those of the cell's model."""
    return _option_findings("network", values["network"], "model", menus.models[values["model"]])


def data_fits_dataset(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """Options of the data are those of the cell's dataset."""
    return _option_findings("data", values["data"], "dataset", menus.datasets[values["dataset"]])


SIZED = ("model", "network", "image_size")
"""Fields that the sizes of networks and images are in."""
LARGEST = 1_000_000
"""Of any size of a network: more is a slip."""


def sizes(patched: Patched, cells: Sequence[Cell]) -> Callable[[Cell], list[Finding]]:
    """What is wrong with a cell's sizes: networks that cannot be made so, or do not take such
    images."""
    asked = PerLevels(patched, SIZED, dumps)
    questions = sorted({asked(cell) for cell in cells})
    told = remembered(
        "\n".join(["sizes", *questions]),
        lambda: [_size_finding(json.loads(each)) for each in questions],
    )
    answers = dict(zip(questions, told, strict=True))

    def found(cell: Cell) -> list[Finding]:
        answer = answers[asked(cell)]
        return [(tuple(answer[0]), answer[1])] if answer else []

    return found


def _size_finding(values: dict[str, Any]) -> Finding | None:
    """Where and what is wrong with the sizes, of which the options of the networks know."""
    from g2g_core.models import OPTIONS

    network = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values["network"].items()
    }
    if large := [
        name for name, value in network.items() if isinstance(value, int) and value > LARGEST
    ]:
        return ("network", large[0]), f"{network[large[0]]} must be at most {LARGEST}"
    try:
        OPTIONS[values["model"]](**network).check_side(values["image_size"])
    except ValueError as error:
        option, _, message = str(error).removeprefix("network.").partition(": ")
        return (
            (("network", option), message) if option in network else (("image_size",), str(error))
        )
    except TypeError:  # an option of another model, or of a wrong type, is told by other checks
        return None
    return None


def a_generator_loss_is_on(values: dict[str, Any], _menus: Menus) -> list[Finding]:
    """Without one the generator would never move."""
    if any(weight for name, weight in values["losses"].items() if not name.startswith("d_")):
        return []
    return [
        (("losses",), "no loss of the generator is on, so it would never move; give one a weight")
    ]


def schedules_go_forward(values: dict[str, Any], _menus: Menus) -> list[Finding]:
    """A ramp has an end after its start; a delay has a start."""
    found: list[Finding] = []
    for name, schedule in values["schedules"].items():
        kind = (schedule or {}).get("kind", "constant")
        if kind == "ramp" and schedule.get("end", 0) <= schedule.get("start", 0):
            found.append((("schedules", name), "a ramp needs an end after its start"))
        if kind == "delay" and not schedule.get("start"):
            found.append((("schedules", name), "a delay needs a start after step 0"))
    return found


def bounds_are_recorded(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """A run can end early only by what it measures."""
    names = recorded(values, menus)
    return [
        (("stop_beyond", name), f"is not recorded by the trial{did_you_mean(name, names)}")
        for name in values["stop_beyond"]
        if name not in names
    ]


MEASURED = ("metrics", "evaluate", "ema_decay")
"""Fields that decide which metrics are recorded."""


def recorded(values: dict[str, Any], menus: Menus) -> list[str]:
    """The names under which metrics are recorded; without `metrics`, if the data can give all the
    usual ones."""
    metrics = values["metrics"] or [name for name, metric in menus.metrics.items() if metric.usual]
    before = prefixes(values["evaluate"], values["ema_decay"] is not None).values()
    return [f"{prefix}{name}" for prefix in before for name in metrics]


CHECKS: tuple[tuple[tuple[str, ...], Callable[[dict[str, Any], Menus], list[Finding]]], ...] = (
    (("model", "network"), network_fits_model),
    (("dataset", "data"), data_fits_dataset),
    (("losses",), a_generator_loss_is_on),
    (("schedules",), schedules_go_forward),
    (("stop_beyond", *MEASURED), bounds_are_recorded),
)
"""Fields that a check reads, and the check; it runs once per combination of their values."""


def turned(
    outcome: Outcome | FurtherOutcome, place: tuple[str | int, ...], menus: Menus
) -> list[Problem]:
    """An outcome whose metric is better in the other direction."""
    name = menus.metric_of(outcome.metric)
    better = menus.metrics[name].better
    if not better or better == outcome.better:
        return []
    return [Problem((*place, "better"), f"{name} is better {better}")]


def unusable(
    metric: str, place: tuple[str | int, ...], spec: StudySpec, menus: Menus
) -> list[Problem]:
    """An outcome that no factor could act on, since no network changes it, or that is not
    recorded."""
    known = menus.metrics.get(menus.metric_of(metric))
    if known is not None and known.fixed:
        return [
            Problem(
                place,
                f"{metric} does not depend on any network of this study; choose another outcome",
            )
        ]
    return _unrecorded(metric, place, spec, menus)


def cautions(spec: StudySpec) -> list[str]:
    """What runs as it is written and yet is hardly meant, a line each; short runs for a try are of
    this kind."""
    patched = Patched(spec.base, spec.factors)
    idle = PerLevels(
        patched,
        ("steps", "discriminator_warmup"),
        lambda v: v["discriminator_warmup"] >= v["steps"],
    )
    found = (
        []
        if not any(idle.every())
        else ["discriminator_warmup: as long as trials are: their generator never moves"]
    )
    late = PerLevels(patched, ("steps", "losses", "schedules"), _late)
    found += [
        f"schedules.{name}: starts after the last step, so this loss never acts"
        for name in dict.fromkeys(name for names in late.every() for name in names)
    ]
    return [*found, *filter(None, [never_degraded(spec)])]


def _late(values: dict[str, Any]) -> list[str]:
    """Losses that are on and whose schedule starts too late to act."""
    return [
        name
        for name, schedule in values["schedules"].items()
        if schedule and values["losses"].get(name) and schedule.get("start", 0) >= values["steps"]
    ]


def never_degraded(spec: StudySpec) -> str | None:
    """Why no trial can ever count as degraded, where none is evaluated often enough for the rule;
    else None."""
    rule = spec.outcome.degradation
    patched = Patched(spec.base, spec.factors)

    def evaluations(values: dict[str, Any]) -> int:
        due = len(range(values["eval_every"], values["steps"], values["eval_every"])) + 1
        return (
            due - rule.after_step // values["eval_every"]
            if rule.after_step < values["steps"]
            else 0
        )

    most = max(PerLevels(patched, ("steps", "eval_every"), evaluations).every())
    if most >= rule.patience:
        return None
    return (
        f"outcome.degradation: no trial can count as degraded: {rule.patience} evaluations in a "
        f"row must be worse, and there are {most} after step {rule.after_step}"
    )


FILED = ("model", "network", "dataset", "data", "checkpoint")
"""Fields in which files are named."""


def idle_factors(spec: StudySpec, cells: Sequence[Cell], menus: Menus) -> list[Problem]:
    """Factors that change nothing: all their levels give the same config and files, in every
    cell."""
    message = (
        "changes nothing: its levels train alike in every cell; "
        "if that is meant, list them in equal_arms"
    )
    patched = Patched(spec.base, spec.factors)
    found = []
    for factor in spec.factors:
        moved = _moved_by(factor, patched, menus)
        turned = [cell for cell in cells if cell[factor.name] != factor.reference]
        if not any(moved(cell) or meant_equal(spec, cell, _first(cell, factor)) for cell in turned):
            found.append(Problem(("factors", factor.name), message, at_key=True))
    return found


def _moved_by(factor: Factor, patched: Patched, menus: Menus) -> Callable[[Cell], bool]:
    """Whether a cell trains otherwise than the same one with the factor at its first level."""
    touched = {field for field in FIELDS if factor.name in patched.touching[field]}
    parts = (
        [PerLevels(patched, FILED, lambda values: _files(values, menus))]
        if touched & set(FILED)
        else []
    )
    for field in FIELDS:
        names = TOGETHER.get(field, (field,))
        if field not in NEUTRAL and touched & set(names):
            parts.append(PerLevels(patched, names, _canonical(field, menus)))
    return lambda cell: any(part(cell) != part(_first(cell, factor)) for part in parts)


def _canonical(field: str, menus: Menus) -> Callable[[dict[str, Any]], str]:
    return lambda values: dumps(canonical_field(field, values, menus))


def _first(cell: Cell, factor: Factor) -> Cell:
    """The cell with the factor at its first level."""
    return {**cell, factor.name: factor.reference}


def _files(values: dict[str, Any], menus: Menus) -> list[Any]:
    """The values of options that name files."""
    named = [values["checkpoint"]]
    for field, choice in (
        ("network", menus.models[values["model"]]),
        ("data", menus.datasets[values["dataset"]]),
    ):
        named += [
            values[field].get(name)
            for name, rule in choice.options.items()
            if rule.get("format") == "path"
        ]
    return named


def _unrecorded(
    metric: str, place: tuple[str | int, ...], spec: StudySpec, menus: Menus
) -> list[Problem]:
    """An outcome's metric, if any cell does not record it."""
    patched = Patched(spec.base, spec.factors)
    names = PerLevels(patched, MEASURED, lambda values: recorded(values, menus))
    try:
        cells = expand(spec).cells if names.factors else (patched.any_cell,)
    except DesignError:  # is told where the cells are looked at
        return []
    for cell in cells:
        if metric not in names(cell):
            where = " ".join(f"{factor}={cell[factor]}" for factor in names.factors)
            hint = did_you_mean(metric, names(cell)) or "; name it under metrics"
            hint = hint if names(cell) else "; evaluate names no weights that are kept"
            return [Problem(place, f"{metric} is not recorded{where and f' with {where}'}{hint}")]
    return []


def _option_findings(
    field: str, options: dict[str, Any], kind: str, choice: Choice
) -> list[Finding]:
    """Options that the choice does not have, or that have a wrong value."""
    found: list[Finding] = []
    for name, value in options.items():
        if name not in choice.options:
            message = f"{kind} {choice.name} has no such option{did_you_mean(name, choice.options)}"
            found.append(((field, name), message))
            continue
        for problem in schema_problems(value, choice.options[name]):
            found.append(((field, name), problem.message))
    return found
