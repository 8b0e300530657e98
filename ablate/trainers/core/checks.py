"""Rules between several fields of a config, which are checked in every cell of a study."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from ablate.disk.remembered import remembered
from ablate.reading.problems import Problem, did_you_mean, schema_problems
from ablate.study.design import Cell, DesignError, expand
from ablate.study.identity import dumps
from ablate.study.nouns import Factor, FurtherOutcome, Outcome, StudySpec
from ablate.study.patching import Patched, PerLevels
from ablate.trainers.core.identity import FACTS, FIELDS, canonical_field, together
from ablate.trainers.core.menus import Choice, Menus
from g2g_core.config import prefixes

Finding = tuple[tuple[str, ...], str]
"""A path in the config, and what is wrong there."""


def network_fits_model(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """Check that the options of the networks are those of the cell's model."""
    return _option_findings("network", values["network"], "model", menus.models[values["model"]])


def data_fits_dataset(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """Check that the options of the data are those of the cell's dataset."""
    return _option_findings("data", values["data"], "dataset", menus.datasets[values["dataset"]])


SIZED = ("model", "network", "image_size")
"""Fields that hold the sizes of networks and images."""

LARGEST = 1_000_000
"""Upper limit for network sizes; larger values are typing errors."""


def sizes(patched: Patched, cells: Sequence[Cell]) -> Callable[[Cell], list[Finding]]:
    """Return a function that checks a cell's sizes.

    Some sizes make networks that are impossible, or that do not take images of the study's size.
    The answers for all cells are remembered together, because checking sizes imports torch.

    Args:
        patched: the configs of the cells.
        cells: the cells that will be checked.
    """
    sizes_of = PerLevels(patched, SIZED, dumps)
    questions = sorted({sizes_of(cell) for cell in cells})
    answers = remembered(
        "\n".join(["sizes", *questions]),
        lambda: [_size_finding(json.loads(each)) for each in questions],
    )
    answer_to = dict(zip(questions, answers, strict=True))

    def findings(cell: Cell) -> list[Finding]:
        """Return the finding of a cell, if there is one."""
        answer = answer_to[sizes_of(cell)]
        return [(tuple(answer[0]), answer[1])] if answer else []

    return findings


def _size_finding(values: dict[str, Any]) -> Finding | None:
    """Return what the options of the networks find wrong with the sizes, and where, or None."""
    from g2g_core.models import all_models

    network = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values["network"].items()
    }

    # Before `check_side`, which computes powers of some sizes: those of huge sizes never end.
    if large := [
        name for name, value in network.items() if isinstance(value, int) and value > LARGEST
    ]:
        return ("network", large[0]), f"{network[large[0]]} must be at most {LARGEST}"

    try:
        options = all_models()[values["model"]].options(**network)
        # Only some models have sizes that must fit the images.
        if hasattr(options, "check_side"):
            options.check_side(values["image_size"])
    except ValueError as error:
        option, _, message = str(error).removeprefix("network.").partition(": ")
        return (
            (("network", option), message) if option in network else (("image_size",), str(error))
        )
    except TypeError:  # other checks report options of another model or of a wrong type
        return None
    return None


def a_generator_loss_is_on(values: dict[str, Any], _menus: Menus) -> list[Finding]:
    """Check that a loss of the generator is on, because otherwise the generator never changes."""
    if any(weight for name, weight in values["losses"].items() if not name.startswith("d_")):
        return []
    return [
        (("losses",), "no loss of the generator is on, so it would never move; give one a weight")
    ]


def schedules_go_forward(values: dict[str, Any], _menus: Menus) -> list[Finding]:
    """Check that ramps end after their start, and that delays have a start."""
    findings: list[Finding] = []
    for name, schedule in values["schedules"].items():
        kind = (schedule or {}).get("kind", "constant")
        if kind == "ramp" and schedule.get("end", 0) <= schedule.get("start", 0):
            findings.append((("schedules", name), "a ramp needs an end after its start"))
        if kind == "delay" and not schedule.get("start"):
            findings.append((("schedules", name), "a delay needs a start after step 0"))
    return findings


def bounds_are_recorded(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """Check that trials record the metrics whose bounds end a trial early."""
    names = recorded(values, menus)
    return [
        (("stop_beyond", name), f"is not recorded by the trial{did_you_mean(name, names)}")
        for name in values["stop_beyond"]
        if name not in names
    ]


MEASURED = ("metrics", "evaluate", "ema_decay")
"""Fields that decide which metrics are recorded."""


def recorded(values: dict[str, Any], menus: Menus) -> list[str]:
    """Return the names under which a trial records metrics.

    If the config names no metrics, these are the usual metrics, provided that the data allows all
    of them.

    Args:
        values: plain values of the fields `MEASURED` of the config.
        menus: what studies can choose from.
    """
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
"""Fields that a check reads, and the check, which runs once per combination of their values."""


def turned(
    outcome: Outcome | FurtherOutcome, place: tuple[str | int, ...], menus: Menus
) -> list[Problem]:
    """Return a problem if the menu says that the opposite direction of a metric is better."""
    name = menus.metric_of(outcome.metric)
    better = menus.metrics[name].better
    if not better or better == outcome.better:
        return []
    return [Problem((*place, "better"), f"{name} is better {better}")]


def unusable(
    metric: str, place: tuple[str | int, ...], spec: StudySpec, menus: Menus
) -> list[Problem]:
    """Return a problem if a metric cannot be an outcome of the study.

    That is so if the metric depends on no network, so that no factor can change it, or if some cell
    does not record it.

    Args:
        metric: the name of the outcome.
        place: path of the outcome in the study file.
        spec: the study.
        menus: what studies can choose from.
    """
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
    """Return warnings about settings that are valid but probably not intended.

    They are not errors, because short trial runs of a study have such settings, too.
    """
    patched = Patched(spec.base, spec.factors)
    idle = PerLevels(
        patched,
        ("steps", "discriminator_warmup"),
        lambda v: v["discriminator_warmup"] >= v["steps"],
    )
    warnings = (
        []
        if not any(idle.every())
        else ["discriminator_warmup: as long as trials are: their generator never moves"]
    )

    late = PerLevels(patched, ("steps", "losses", "schedules"), _late)
    warnings += [
        f"schedules.{name}: starts after the last step, so this loss never acts"
        for name in dict.fromkeys(name for names in late.every() for name in names)
    ]
    return [*warnings, *filter(None, [never_degraded(spec)])]


def _late(values: dict[str, Any]) -> list[str]:
    """Return the losses that are on but whose schedule starts too late to act."""
    return [
        name
        for name, schedule in values["schedules"].items()
        if schedule and values["losses"].get(name) and schedule.get("start", 0) >= values["steps"]
    ]


def never_degraded(spec: StudySpec) -> str | None:
    """Return why no trial can ever count as degraded, or None if some trial can.

    No trial can if none is evaluated often enough for the rule.
    """
    rule = spec.outcome.degradation
    patched = Patched(spec.base, spec.factors)

    def evaluations(values: dict[str, Any]) -> int:
        """Return the number of evaluations after the step that the rule starts from."""
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


FILED = tuple(name for name, field in FACTS.items() if field.names_files)
"""Fields that name files, or choose the options that name files."""


def moved_by(factor: Factor, patched: Patched, menus: Menus) -> Callable[[Cell, Cell], bool]:
    """Return a function that says whether two levels of a factor train in different ways."""
    touched = {field for field in FIELDS if factor.name in patched.touching[field]}
    parts = (
        [PerLevels(patched, FILED, lambda values: _files(values, menus))]
        if touched & set(FILED)
        else []
    )
    for field in FIELDS:
        names = together(field)
        if not FACTS[field].neutral and touched & set(names):
            parts.append(PerLevels(patched, names, _canonical(field, menus)))
    return lambda cell, first: any(part(cell) != part(first) for part in parts)


def _canonical(field: str, menus: Menus) -> Callable[[dict[str, Any]], str]:
    """Return a function that writes the canonical value of a field as JSON."""
    return lambda values: dumps(canonical_field(field, values, menus))


def _files(values: dict[str, Any], menus: Menus) -> list[Any]:
    """Return the values of the options that name files."""
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
    """Return a problem for the first cell that does not record an outcome's metric."""
    patched = Patched(spec.base, spec.factors)
    names = PerLevels(patched, MEASURED, lambda values: recorded(values, menus))
    try:
        cells = expand(spec).cells if names.factors else (patched.any_cell,)
    except DesignError:  # the check of the cells reports it
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
    """Return the options that a choice does not have, or whose values are wrong."""
    findings: list[Finding] = []
    for name, value in options.items():
        if name not in choice.options:
            message = f"{kind} {choice.name} has no such option{did_you_mean(name, choice.options)}"
            findings.append(((field, name), message))
            continue
        for problem in schema_problems(value, choice.options[name]):
            findings.append(((field, name), problem.message))
    return findings
