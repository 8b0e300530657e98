"""The training loop of the systems: records, evaluations, checkpoints, and exact resuming."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from g2g_core.checkpoints import checkpoint_file
from g2g_core.checkpoints.checkpoint_file import KEPT, CheckpointError, Saved, tensors_digest
from g2g_core.checkpoints.writing import Writer
from g2g_core.record import Diverged, Record
from g2g_core.systems.config import SystemConfig
from g2g_core.systems.system import OPTIMIZERS, System, Values
from g2g_core.training.computing import computing

Make = Callable[[Any, str], System]
"""From a config and a device to the system at its start."""


def train(
    name: str, make: Make, config: SystemConfig, device: str, checkpoints: Path
) -> Iterator[Record]:
    """Train a system or resume a run, and yield what happens.

    Args:
        name: of the system, which its checkpoints carry.
        make: makes the system.
        config: everything that the numbers depend on.
        device: `cpu`, `cuda`, or `cuda:<n>`.
        checkpoints: folder of the run's checkpoints, which it resumes from. A checkpoint is written
            after the caller has taken the records of its step.

    Yields:
        First a `note` with facts, then an `eval` at step 0 unless the run resumes. Then come
        `train` records every `log_every` steps and before each checkpoint, and `eval` records. If
        some metrics don't apply to the system, a `note` says which and why.

    Raises:
        Diverged: a loss or a gradient is not finite. The record of that step has been yielded.
        CheckpointError: a checkpoint can't be used.
        ValueError: the config can't be trained.
    """
    behind = torch.device(device).type != "cpu"
    with computing(config.trial(), device), Writer(checkpoints, behind) as writer:
        yield from _train(name, make(config, device), config, device, checkpoints, writer)


def _train(
    name: str,
    system: System,
    config: SystemConfig,
    device: str,
    checkpoints: Path,
    writer: Writer,
) -> Iterator[Record]:
    """Yield the records of `train`, under torch's settings of the config."""
    saved, skipped = checkpoint_file.newest(checkpoints)
    if saved is None:
        done = 0
        digests = {"initial_weights": weights_digest(system), **system.digests()}
        start = {"digests": digests, **system.facts()}
    else:
        done, start = saved.step, dict(saved.facts["start"])
        _check(saved, name, config, system)
        system.restore(saved)

    counts = {
        part: sum(parameter.numel() for parameter in module.parameters())
        for part, module in system.modules.items()
    }
    facts = {
        "device": device,
        "parameters": counts,
        "resumed_at": None if saved is None else done,
        "skipped_checkpoints": skipped,
    }
    yield Record(done, "note", facts=start | facts)
    if saved is None:
        yield from _evaluated(system, 0)

    clock, timed = time.perf_counter(), 0
    for now in range(done + 1, config.steps + 1):
        values, timed = system.step(now - 1), timed + 1
        evaluate_now = _due(now, config.eval_every, config.steps)
        save_now = _due(now, config.checkpoint_every, config.steps)

        # Nothing is reported or saved before it is known to be finite.
        numbers = _floats(values)
        if bad := next((key for key, value in numbers.items() if not isfinite(value)), None):
            yield Record(now, "train", values=numbers)
            raise Diverged(now, bad)

        if now % config.log_every == 0 or save_now:
            seconds = (time.perf_counter() - clock) / timed
            yield Record(now, "train", values=numbers | {"time/step_s": seconds})
        if evaluate_now:
            yield from _evaluated(system, now)
        if save_now:
            document = {"step": now, "system": name, "config": asdict(config), "start": start}
            writer.write(now, system.parts(), document)
        if now % config.log_every == 0 or evaluate_now or save_now:
            clock, timed = time.perf_counter(), 0


def first_step(make: Make, config: SystemConfig, device: str) -> dict[str, Any]:
    """Take the first step of a config, and return digests of what is before and after it.

    Returns:
        The arguments of `ablate.trainers.trainer.FirstStep`.
    """
    with computing(config.trial(), device):
        system = make(config, device)
        before = {"initial_weights": weights_digest(system), **system.digests()}
        system.step(0)
        tensors = _tensors(system)
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        return {
            "before": before,
            "after": tensors_digest(tensors),
            "recorded": system.recorded(),
            "checkpoint_bytes": KEPT * size,
        }


def weights_digest(system: System) -> str:
    """Return the SHA-256 (hex) of all weights of a system."""
    tensors = _tensors(system)
    return tensors_digest(
        {name: value for name, value in tensors.items() if not name.startswith(f"{OPTIMIZERS}/")}
    )


def _tensors(system: System) -> dict[str, Tensor]:
    """Return all tensors of a checkpoint of a system."""
    return {
        f"{part}/{name}": value
        for part, named in system.parts().items()
        for name, value in named.items()
    }


def _evaluated(system: System, step: int) -> Iterator[Record]:
    """Yield the record of an evaluation, and a note of the metrics that don't apply."""
    started = time.perf_counter()
    measured = system.evaluate(step)
    seconds = {"time/eval_s": time.perf_counter() - started}
    if measured.not_applicable and step == 0:
        yield Record(step, "note", facts={"not_applicable": measured.not_applicable})
    # A metric without a value, such as a probe of a factor that never varies, is not a divergence.
    finite = {name: value for name, value in measured.values.items() if isfinite(value)}
    yield Record(step, "eval", values=finite | seconds, images=measured.images)


def _check(saved: Saved, name: str, config: SystemConfig, system: System) -> None:
    """Check that a run's checkpoint was written with the same options and the same data.

    Raises:
        CheckpointError: it wasn't.
    """
    if saved.facts.get("system") != name:
        raise CheckpointError(f"{saved.path}: is not a checkpoint of {name}")
    neutral = {option.name for option in fields(config) if option.metadata.get("neutral")}
    then = saved.facts["config"]
    # Places of files are in `data`, whose content has a digest of its own.
    for option, value in _plain(asdict(config)).items():
        if option not in {*neutral, "data"} and then.get(option) != value:
            raise CheckpointError(
                f"{saved.path}: written with {option} {then.get(option)!r}, "
                f"but the config has {value!r}"
            )
    if saved.facts["start"]["digests"]["data"] != system.digests()["data"]:
        raise CheckpointError(f"{saved.path}: written with data of another content")


def _plain(value: Any) -> Any:
    """Return mappings as dicts and tuples as lists, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _due(now: int, every: int, last: int) -> bool:
    """Return whether something that happens every so often and at the last step happens now."""
    return now == last or (every > 0 and now % every == 0)


def _floats(values: Values) -> dict[str, float]:
    """Return the numbers of a step, brought from the device in one transfer."""
    numbers = torch.stack([value.detach().double() for value in values.values()]).tolist()
    return dict(zip(values, numbers, strict=True))
