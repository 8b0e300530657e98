"""What no single key can say: the rules between the fields of a config, checked in every cell of a study."""

from collections.abc import Callable
from typing import Any

from ablate.design import DesignError, expand
from ablate.menus import Choice, Menus
from ablate.patching import Patched, PerLevels
from ablate.problems import Problem, did_you_mean, schema_problems
from ablate.study import StudySpec
from g2g_core.config import prefixes

Finding = tuple[tuple[str, ...], str]
"""Path in the config, and what is wrong there."""


def network_fits_model(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """Options of the networks are those of the cell's model."""
    return _option_findings("network", values["network"], "model", menus.models[values["model"]])


def data_fits_dataset(values: dict[str, Any], menus: Menus) -> list[Finding]:
    """Options of the data are those of the cell's dataset."""
    return _option_findings("data", values["data"], "dataset", menus.datasets[values["dataset"]])


def a_generator_loss_is_on(values: dict[str, Any], _menus: Menus) -> list[Finding]:
    """Without one the generator would never move."""
    if any(weight for name, weight in values["losses"].items() if not name.startswith("d_")):
        return []
    return [(("losses",), "no loss of the generator is on, so it would never move; give one a weight")]


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
    """The names under which metrics are recorded; without `metrics`, if the data can give all the usual ones."""
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


def outcome_problems(spec: StudySpec, menus: Menus) -> list[Problem]:
    """The outcome has its metric's own direction, is among the metrics that are recorded, and is looked at in order."""
    name = menus.metric_of(spec.outcome.metric)
    found = []
    if (better := menus.metrics[name].better) and better != spec.outcome.better:
        found.append(Problem(("outcome", "better"), f"{name} is better {better}"))
    found += _unrecorded(spec, menus)
    looks = spec.outcome.looks
    if looks and (list(looks) != sorted(looks) or looks[-1] != len(spec.seeds)):
        message = f"must rise to the number of seeds, {len(spec.seeds)}, not {list(looks)}"
        found.append(Problem(("outcome", "looks"), message))
    if looks and not spec.factors:
        found.append(Problem(("outcome", "looks"), "nothing is compared: the study has no factors"))
    return found


def _unrecorded(spec: StudySpec, menus: Menus) -> list[Problem]:
    """The outcome, if any cell does not record it."""
    patched = Patched(spec.base, spec.factors)
    names = PerLevels(patched, MEASURED, lambda values: recorded(values, menus))
    try:
        cells = expand(spec).cells if names.factors else (patched.any_cell,)
    except DesignError:  # is told where the cells are looked at
        return []
    metric = spec.outcome.metric
    for cell in cells:
        if metric not in names(cell):
            where = " ".join(f"{factor}={cell[factor]}" for factor in names.factors)
            hint = did_you_mean(metric, names(cell)) or "; name it under metrics"
            hint = hint if names(cell) else "; evaluate names no weights that are kept"
            return [Problem(("outcome", "metric"), f"{metric} is not recorded{where and f' with {where}'}{hint}")]
    return []


def _option_findings(field: str, options: dict[str, Any], kind: str, choice: Choice) -> list[Finding]:
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
