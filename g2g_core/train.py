"""The one training loop."""

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from g2g_core import checkpoint, checkpoint_file
from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS
from g2g_core.data.pairs import Batch, Data
from g2g_core.divergence import Watch
from g2g_core.metrics.evaluator import Evaluator
from g2g_core.models import MODELS, Networks
from g2g_core.record import Diverged, Record
from g2g_core.step import TrainingStep

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
"""Precision -> dtype of the weights; `bfloat16` is mixed precision."""

FREE = ("steps", "checkpoint_every")
"""Fields of the config that may change between the attempts of a run."""


def train(config: TrialConfig, *, device: str = "cpu", checkpoints: Path | None = None) -> Iterator[Record]:
    """Train a model, or go on with a run, and yield what happens.

    The number of torch's CPU threads is set to `config.threads` for the whole process.

    Args:
        config: everything that the numbers depend on.
        device: `cpu`, `cuda` or `cuda:<n>`.
        checkpoints: folder of the run's own checkpoints: the newest whole one there is gone on from, and new ones are
            written every `checkpoint_every` steps and at the end, after the records of that step have been taken. None:
            no checkpoints.

    Yields:
        A `note` with facts (`restored`, `digests`, `parameters`, `device`, `resumed_at`, `skipped_checkpoints`, ...);
        an `eval` at step 0 unless the run is gone on with; then `train` records every `log_every` steps and `eval`
        records every `eval_every` steps and at the end. All values but `time/...` are equal for equal configs on one
        kind of machine, also when the run was interrupted in between.

    Raises:
        Diverged: a loss, a gradient or a weight is not finite; the record of that step has been yielded.
        CheckpointError: a checkpoint cannot be used.
        ValueError: the config cannot be trained.
    """
    torch.set_num_threads(config.threads)
    data, networks = _build(config, device)
    step = TrainingStep(config, networks)
    pairs = data.evaluation_pairs(config.eval_pairs)
    evaluate = Evaluator(pairs, data, config)

    saved, skipped = checkpoint_file.newest(checkpoints) if checkpoints is not None else (None, [])
    if saved is not None:
        _check_config(saved, config)
        checkpoint.restore_all(saved, networks, step)
        start_facts = dict(saved.facts["start"])
        done = saved.step
    else:
        start_facts = _start(config, networks, step, data)
        done = 0
    yield Record(
        done,
        "note",
        facts=start_facts
        | {
            "device": device,
            "parameters": _parameters(networks),
            "resumed_at": None if saved is None else done,
            "skipped_checkpoints": skipped,
            "evaluation": evaluate.facts,
        },
    )
    if saved is None:
        yield _evaluation(evaluate, networks, 0)

    watch = Watch(config, networks)
    clock, timed = time.perf_counter(), 0
    for now in range(done + 1, config.steps + 1):
        values = step(_ready(data.batch(now - 1), config, device), now - 1)
        timed += 1
        logged, checked = now % config.log_every == 0, _due(now, config.checkpoint_every, config.steps)
        evaluated = _due(now, config.eval_every, config.steps)
        watch.keep(now, values)
        bad = watch.first_bad(weights=evaluated or checked) if watch.due or logged or evaluated or checked else None
        if bad is not None:
            yield Record(bad.step, "train", values=_floats(bad.values))
            raise Diverged(bad.step, bad.cause)
        if logged:
            numbers = _floats(values)  # waits for the device, so the time below is the step's own
            seconds = (time.perf_counter() - clock) / timed
            yield Record(now, "train", values=numbers | {"time/step_s": seconds})
            clock, timed = time.perf_counter(), 0
        if evaluated:
            yield _evaluation(evaluate, networks, now)
            clock, timed = time.perf_counter(), 0
        if checked and checkpoints is not None:
            facts = {"step": now, "config": config.to_dict(), "n_classes": data.n_classes, "start": start_facts}
            parts = checkpoint.parts_of(networks, step)
            checkpoint_file.write(checkpoint_file.step_file(checkpoints, now), parts, facts)
            checkpoint_file.drop_old(checkpoints)
            clock, timed = time.perf_counter(), 0


def _build(config: TrialConfig, device: str) -> tuple[Data, Networks]:
    """The data set, and the networks on their device with the initial weights of the seed."""
    if config.precision not in DTYPES:
        raise ValueError(f"precision: {config.precision!r} is not one of {', '.join(DTYPES)}")
    data = DATASETS[config.dataset](config)
    networks = MODELS[config.model](config, data.n_classes)

    def ready(network: nn.Module | None) -> Any:
        if network is None:
            return None
        network.to(device, DTYPES[config.precision])
        return network.to(memory_format=torch.channels_last) if config.channels_last else network

    return data, replace(
        networks,
        generator=ready(networks.generator),
        discriminator=ready(networks.discriminator),
        average=ready(networks.average),
    )


def _start(config: TrialConfig, networks: Networks, step: TrainingStep, data: Data) -> dict[str, Any]:
    """Restore what the config names; the facts that stay true for all attempts of the run."""
    restored: dict[str, Any] = {"checkpoint": None, "parts": dict.fromkeys(checkpoint.PARTS, "fresh")}
    digests: dict[str, str | None] = {"checkpoint": None}
    if config.checkpoint is not None:
        path = Path(config.checkpoint)
        restored = checkpoint.restore(checkpoint.read(path), config, networks, step)
        digests["checkpoint"] = checkpoint_file.file_digest(path)
    return {
        "restored": restored,
        "digests": digests
        | {
            "initial_weights": checkpoint.weights_digest(networks),
            "data": data.digest,
            "data_order": data.order_digest(config.steps),
            "eval_pairs": data.evaluation_pairs(config.eval_pairs).digest,
        },
    }


def _check_config(saved: checkpoint_file.Saved, config: TrialConfig) -> None:
    """Raises CheckpointError if the run's checkpoint was written under another config."""
    then, now = saved.facts["config"], config.to_dict()
    if different := [name for name in now if name not in FREE and then.get(name) != now[name]]:
        name = different[0]
        raise checkpoint_file.CheckpointError(
            f"{saved.path}: written with {name} {then.get(name)!r}, but the config has {now[name]!r}"
        )


def _due(now: int, every: int, last: int) -> bool:
    return now == last or (every > 0 and now % every == 0)


def _ready(batch: Batch, config: TrialConfig, device: str) -> Batch:
    """The batch on the device, in the dtype and memory layout of the networks."""
    layout = torch.channels_last if config.channels_last else torch.contiguous_format

    def images(values: Tensor | None) -> Any:
        if values is None:
            return None
        return values.to(device, DTYPES[config.precision], non_blocking=True).contiguous(memory_format=layout)

    return Batch(
        images(batch.content_images),
        batch.content_labels.to(device, non_blocking=True),
        images(batch.class_images),
        batch.class_labels.to(device, non_blocking=True),
        images(batch.content_erase),
        images(batch.class_erase),
    )


def _evaluation(evaluate: Evaluator, networks: Networks, step: int) -> Record:
    started = time.perf_counter()
    values, images = evaluate(networks)
    return Record(step, "eval", values=values | {"time/eval_s": time.perf_counter() - started}, images=images)


def _floats(values: Mapping[str, Tensor]) -> dict[str, float]:
    """The numbers of a step, brought from the device in one transfer."""
    if not values:
        return {}
    return dict(zip(values, torch.stack([value.double() for value in values.values()]).tolist(), strict=True))


def _parameters(networks: Networks) -> dict[str, int]:
    networks_by_name = {"generator": networks.generator, "discriminator": networks.discriminator}
    return {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in networks_by_name.items()
        if network is not None
    }


class _Callable(ModuleType):
    """Lets `from g2g_core import train` give something that trains, whether or not this module was imported before."""

    def __call__(self, config: TrialConfig, **where: Any) -> Iterator[Record]:
        return train(config, **where)


sys.modules[__name__].__class__ = _Callable
