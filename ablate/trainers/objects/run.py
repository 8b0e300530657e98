"""The training run of a Python trainer, whose values become the records of the trial."""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ablate.reading.problems import did_you_mean
from ablate.trainers.objects.config import ObjectConfig
from ablate.trainers.objects.definition import Trainer
from ablate.trainers.objects.load import load_object
from ablate.trainers.objects.reported import reported
from g2g_core.record import Diverged, Record


class RecordError(Exception):
    """Error of a trainer whose records cannot be used or lack the outcome of the study."""


def train(config: ObjectConfig, *, device: str, checkpoints: Path) -> Iterator[Record]:
    """Train, or resume, and yield what the trainer records.

    Args:
        config: the config of the trial.
        device: `cpu` or `cuda`.
        checkpoints: the trainer's own folder, made if it is missing.

    Yields:
        First, a note with the device, and the last step before a resumed run. Then one record for
        each record of the trainer. Metrics are called `metric/<name>`, and all other numbers
        `loss/<name>`.

    Raises:
        Diverged: a recorded value is not finite. The finite values of the step are yielded first.
        RecordError: a record has no step, a lower step than the one before, or a value that is not
            a number. Or the run has ended without the outcome of the study.
    """
    trainer = load_object(config.name)
    checkpoints.mkdir(parents=True, exist_ok=True)
    saved = any(checkpoints.iterdir())

    steps, names, first = -1, dict[str, None](), True
    # An attempt that resumes may be past the last record of the outcome.
    resumed: int | None = None
    for item in _items(trainer, config.own(), device, checkpoints):
        step, values = _parsed(item)
        if step < steps:
            raise RecordError(f"step {step} comes after step {steps}; steps must not go back")

        own = item if isinstance(item, Record) else Record(step, "train")
        if first and "resumed_at" in own.facts:
            resumed = own.facts["resumed_at"]
        elif first:
            resumed = step - 1 if saved and step > 0 else None
            yield Record(max(0, step - 1), "note", facts={"device": device, "resumed_at": resumed})
        if own.facts:
            yield Record(step, "note", facts=own.facts)
        first = False
        steps, names = step, names | dict.fromkeys(values)
        yield from _records(step, values, trainer.metrics, own.images)

    # A trainer that was killed after its last checkpoint has nothing left to do. A note would mean
    # that it began again, and its earlier records would no longer count
    if first and not saved:
        yield Record(0, "note", facts={"device": device, "resumed_at": None})
    if config.outcome not in names and resumed is None and not (saved and first):
        hint = (
            did_you_mean(config.outcome, names) or f"; it recorded {', '.join(names) or 'nothing'}"
        )
        raise RecordError(f"the trainer recorded no {config.outcome}, the study's outcome{hint}")


def _items(trainer: Trainer, config: Any, device: str, checkpoints: Path) -> Iterator[Any]:
    """Return an iterator of what a trainer of either form records."""
    offered = {"device": device, "checkpoints": checkpoints}
    wanted = inspect.signature(trainer.train).parameters
    others = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in wanted.values())
    passed = {name: value for name, value in offered.items() if others or name in wanted}

    if "report" in wanted:
        run: Callable[..., Any] = trainer.train
        return reported(lambda report: run(config, report=report, **passed))
    items: Iterator[Any] = iter(trainer.train(config, **passed))
    return items


def _parsed(item: Any) -> tuple[int, dict[str, float]]:
    """Return step and values of a record: a map with `step`, or a `Record` of the core."""
    if isinstance(item, Record):
        return item.step, {
            name.removeprefix("metric/"): value for name, value in item.values.items()
        }
    if not isinstance(item, Mapping):
        raise RecordError(f"{type(item).__name__}: a record must be a map such as {{'step': 20}}")
    if "step" not in item:
        raise RecordError(f"a record has no step: {sorted(map(str, item))}")

    step = _number("step", item["step"])
    if not (math.isfinite(step) and step >= 0 and step == int(step)):
        raise RecordError(f"step: {item['step']} must be a whole number, at least 0")
    values = {
        str(name): _number(str(name), value) for name, value in item.items() if name != "step"
    }
    return int(step), values


def _number(name: str, value: Any) -> float:
    """Return a value, which may be a tensor with one element, as a number; NaN for None."""
    if value is None:
        return math.nan
    if not isinstance(value, str | bool):
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError):
            pass
    raise RecordError(f"{name}: {str(value)[:40]!r} is not a number")


def _records(
    step: int, values: Mapping[str, float], metrics: Mapping[str, Any], images: Mapping[str, Any]
) -> Iterator[Record]:
    """Yield a record with the finite values; raise Diverged if there are other values."""
    finite = {
        name if "/" in name else f"{'metric' if name in metrics else 'loss'}/{name}": value
        for name, value in values.items()
        if math.isfinite(value)
    }
    measured = any(name.startswith("metric/") for name in finite)
    if finite:
        yield Record(step, "eval" if measured else "train", values=finite, images=images)
    if bad := [name for name, value in values.items() if not math.isfinite(value)]:
        raise Diverged(step, bad[0])
