"""The one training loop."""

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from g2g_core.checkpoints import checkpoint, checkpoint_file
from g2g_core.config import TrialConfig, canonical
from g2g_core.data import DATA_OPTIONS
from g2g_core.data.pairs import Data
from g2g_core.metrics import all_metrics
from g2g_core.metrics.evaluator import Evaluator
from g2g_core.models import OPTIONS, Networks
from g2g_core.record import Diverged, Record
from g2g_core.training.divergence import Watch
from g2g_core.training.setup import build, ready, start
from g2g_core.training.step import TrainingStep

FREE = ("steps", "checkpoint_every")
"""Fields of the config that may change between the attempts of a run."""


def train(
    config: TrialConfig, *, device: str = "cpu", checkpoints: Path | None = None
) -> Iterator[Record]:
    """Train a model, or go on with a run, and yield what happens.

    The number of torch's CPU threads is set to `config.threads` for the whole process.

    Args:
        config: everything that the numbers depend on.
        device: `cpu`, `cuda` or `cuda:<n>`.
        checkpoints: folder of the run's own checkpoints: the newest whole one there is gone on
            from, and new ones are written every `checkpoint_every` steps and at the end, after the
            records of that step have been taken. None: no checkpoints.

    Yields:
        A `note` with facts (`restored`, `digests`, `parameters`, `device`, `resumed_at`,
        `skipped_checkpoints`, ...); an `eval` at step 0 unless the run is gone on with; then
        `train` records every `log_every` steps and `eval` records every `eval_every` steps and at
        the end; a last `note` when the run ended early (`stopped_early`). All values but `time/...`
        are equal for equal configs on one kind of machine, also when the run was interrupted in
        between.

    Raises:
        Diverged: a loss, a gradient or a weight is not finite; the record of that step has been
            yielded.
        CheckpointError: a checkpoint cannot be used.
        ValueError: the config cannot be trained.
    """
    torch.set_num_threads(config.threads)
    data, networks = build(config, device)
    step = TrainingStep(config, networks)
    pairs = data.evaluation_pairs(config.eval_pairs, shots=config.eval_shots)
    evaluate = Evaluator(pairs, data, config)
    evaluate.recorded(networks)  # refuses bounds on anything else

    saved, skipped = checkpoint_file.newest(checkpoints) if checkpoints is not None else (None, [])
    if saved is not None:
        _check_config(saved, config, data)
        checkpoint.restore_all(saved, networks, step)
        start_facts = dict(saved.facts["start"])
        done = saved.step
    else:
        start_facts = start(config, networks, step, data, pairs)
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
        evaluated, health = _due(now, config.eval_every, config.steps), dict[str, float]()
        values = step(
            ready(data.batch(now - 1), config, device), now - 1, health if evaluated else None
        )
        timed += 1
        logged, checked = (
            now % config.log_every == 0,
            _due(now, config.checkpoint_every, config.steps),
        )
        watch.keep(now, values)
        bad = (
            watch.first_bad(weights=evaluated or checked)
            if watch.due or logged or evaluated or checked
            else None
        )
        if bad is not None:
            yield Record(bad.step, "train", values=_floats(bad.values))
            raise Diverged(bad.step, bad.cause)
        if logged:
            numbers = _floats(values)  # waits for the device, so the time below is the step's own
            seconds = (time.perf_counter() - clock) / timed
            yield Record(now, "train", values=numbers | {"time/step_s": seconds})
            clock, timed = time.perf_counter(), 0
        if evaluated:
            evaluation = _evaluation(evaluate, networks, now, health)
            yield evaluation
            if (beyond := _beyond(evaluation, config)) and now < config.steps:
                yield Record(now, "note", facts={"stopped_early": beyond})
                return
            clock, timed = time.perf_counter(), 0
        if checked and checkpoints is not None:
            facts = {
                "step": now,
                "config": config.to_dict(),
                "n_classes": data.n_classes,
                "start": start_facts,
            }
            parts = checkpoint.parts_of(networks, step)
            checkpoint_file.write(checkpoint_file.step_file(checkpoints, now), parts, facts)
            checkpoint_file.drop_old(checkpoints)
            clock, timed = time.perf_counter(), 0


def _check_config(saved: checkpoint_file.Saved, config: TrialConfig, data: Data) -> None:
    """Raises CheckpointError if the run's checkpoint was written under another config, or with
    other data."""
    then, now = _meant(saved.facts["config"]), _meant(config.to_dict())
    if different := [name for name in now if then.get(name) != now[name]]:
        name = different[0]
        raise checkpoint_file.CheckpointError(
            f"{saved.path}: written with {name} {then.get(name)!r}, but the config has {now[name]!r}"
        )
    if saved.facts["start"]["digests"]["data"] != data.digest:
        raise checkpoint_file.CheckpointError(f"{saved.path}: written with data of another content")


def _meant(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a config the numbers depend on: neither how it is written nor where files lie."""
    return {name: canonical(name, config) for name in config if name not in FREE} | {
        "network": _options(config["network"], OPTIONS[config["model"]]),
        "data": _options(config["data"], DATA_OPTIONS[config["dataset"]]),
    }


def _options(given: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """All options with their defaults, less those that change no number or name a place."""
    known = [option for option in fields(kind) if not {"neutral", "path"} & set(option.metadata)]
    return {option.name: given.get(option.name, option.default) for option in known}


def _beyond(evaluation: Record, config: TrialConfig) -> str | None:
    """Which metric is worse than its bound; one that is no number is."""
    metrics = all_metrics()
    for name, bound in config.stop_beyond.items():
        value = evaluation.values[f"metric/{name}"]
        metric = metrics.get(name) or metrics[name.partition("_")[2]]
        if not (value >= bound if metric.better == "higher" else value <= bound):
            return f"{name} {value:.4g} is beyond {bound:g}"
    return None


def _due(now: int, every: int, last: int) -> bool:
    return now == last or (every > 0 and now % every == 0)


def _evaluation(
    evaluate: Evaluator, networks: Networks, step: int, health: Mapping[str, float] | None = None
) -> Record:
    started = time.perf_counter()
    values, images = evaluate(networks)
    values |= health or {}
    return Record(
        step, "eval", values=values | {"time/eval_s": time.perf_counter() - started}, images=images
    )


def _floats(values: Mapping[str, Tensor]) -> dict[str, float]:
    """The numbers of a step, brought from the device in one transfer."""
    if not values:
        return {}
    return dict(
        zip(
            values, torch.stack([value.double() for value in values.values()]).tolist(), strict=True
        )
    )


def _parameters(networks: Networks) -> dict[str, int]:
    networks_by_name = {"generator": networks.generator, "discriminator": networks.discriminator}
    return {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in networks_by_name.items()
        if network is not None
    }


class _Callable(ModuleType):
    """Lets `from g2g_core import train` give something that trains, whether or not this module was
    imported before."""

    def __call__(self, config: TrialConfig, **where: Any) -> Iterator[Record]:
        return train(config, **where)


sys.modules[__name__].__class__ = _Callable
