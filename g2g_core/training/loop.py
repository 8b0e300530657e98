"""The training loop."""

import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from g2g_core.checkpoints import checkpoint, checkpoint_file
from g2g_core.checkpoints.writing import Writer
from g2g_core.config import TrialConfig, canonical, facts
from g2g_core.data import all_datasets
from g2g_core.data.pairs import Data
from g2g_core.losses.common_steps import common_steps
from g2g_core.metrics import all_metrics
from g2g_core.metrics.evaluator import Evaluator
from g2g_core.models import Networks, all_models
from g2g_core.record import Diverged, Record, Stopped
from g2g_core.training.computing import computing
from g2g_core.training.divergence import Watch
from g2g_core.training.setup import build, ready, start
from g2g_core.training.step import TrainingStep
from g2g_core.training.trace import trace


def train(
    config: TrialConfig,
    *,
    device: str = "cpu",
    checkpoints: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
    forks: Container[int] = (),
    fork: Path | None = None,
) -> Iterator[Record]:
    """Train a model or resume a run, and yield what happens.

    The number of torch's CPU threads is set to `config.threads` for the whole process. On a GPU,
    torch's settings of TF32 and of determinism are those of the config until the run ends.

    Args:
        config: everything that the numbers depend on.
        device: `cpu`, `cuda`, or `cuda:<n>`.
        checkpoints: folder for the run's own checkpoints; None writes none. The run resumes from
            the newest undamaged one. New ones are written every `checkpoint_every` steps and at the
            end, after the caller has taken the records of that step.
        stop: asked after every step whether to write a checkpoint and end.
        forks: steps after which a checkpoint is written that stays, in the folder `forks` of
            `checkpoints`, so that other runs can continue from there.
        fork: such a checkpoint of another run. A run without a checkpoint of its own continues from
            it, if all steps up to there are its own, too.

    Yields:
        Records, first a `note` with facts (`restored`, `digests`, `parameters`, `device`,
        `resumed_at`, `skipped_checkpoints`, ...), then an `eval` at step 0 unless the run resumes.
        Then come `train` records every `log_every` steps, and `eval` records every `eval_every`
        steps and at the end. If the run ends early, the last record is a `note`
        (`stopped_early`). If it diverges, a `note` (`divergence`) comes before the record of that
        step. All values except `time/...` are identical for identical configs on machines of the
        same kind, even if the run was interrupted.

    Raises:
        Diverged: a loss, a gradient, or a weight is not finite. The record of that step has been
            yielded before.
        CheckpointError: a checkpoint can't be used.
        Stopped: `stop` said so.
        ValueError: the config can't be trained.
    """
    behind = torch.device(device).type != "cpu"
    with computing(config, device), Writer(checkpoints, behind) as writer:
        yield from _train(config, device, checkpoints, writer, stop, forks, fork)


def _train(
    config: TrialConfig,
    device: str,
    checkpoints: Path | None,
    writer: Writer,
    stop: Callable[[], bool],
    forks: Container[int],
    fork: Path | None,
) -> Iterator[Record]:
    """Yield the records of `train`, under torch's settings of the config."""
    data, networks = build(config, device)
    step = TrainingStep(config, networks)
    pairs = data.evaluation_pairs(config.eval_pairs, shots=config.eval_shots)
    evaluate = Evaluator(pairs, data, config)
    evaluate.recorded(networks)  # raises MetricError for bounds on metrics that aren't recorded

    saved, skipped = checkpoint_file.newest(checkpoints) if checkpoints is not None else (None, [])
    if saved is not None:
        _check_config(saved, config, data)
    elif fork is not None:
        saved, skipped = _forked(fork, config, data, skipped)
    if saved is not None:
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
            "parameters": _parameter_counts(networks),
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
        evaluated = _due(now, config.eval_every, config.steps)
        health: dict[str, float] = {}
        values = step(
            ready(data.batch(now - 1), config, device), now - 1, health if evaluated else None
        )
        timed += 1

        # Nothing is reported or saved before it is known to be finite.
        logged = now % config.log_every == 0
        stopping = now < config.steps and stop()
        saved_now = stopping or now in forks or _due(now, config.checkpoint_every, config.steps)
        watch.keep(now, values)
        bad = (
            watch.first_bad(weights=evaluated or saved_now)
            if watch.due or logged or evaluated or saved_now
            else None
        )
        if bad is not None:
            batch = ready(data.batch(bad.step - 1), config, device)
            traced = trace(bad, networks, data, batch, step)
            yield Record(bad.step, "note", facts={"divergence": traced.facts})
            yield Record(bad.step, "train", values=bad.values)
            raise Diverged(bad.step, bad.cause, traced.words)

        if logged:
            # The check has waited for the device, so the time is that of the steps.
            seconds = (time.perf_counter() - clock) / timed
            yield Record(now, "train", values=watch.numbers | {"time/step_s": seconds})
            clock, timed = time.perf_counter(), 0

        if evaluated:
            evaluation = _evaluation(evaluate, networks, now, health)
            yield evaluation
            if (beyond := _beyond(evaluation, config)) and now < config.steps:
                yield Record(now, "note", facts={"stopped_early": beyond})
                return
            clock, timed = time.perf_counter(), 0

        if saved_now:
            facts = {
                "step": now,
                "config": config.to_dict(),
                "n_classes": data.n_classes,
                "start": start_facts,
            }
            writer.write(now, checkpoint.parts_of(networks, step), facts, stays=now in forks)
            clock, timed = time.perf_counter(), 0
        if stopping:
            raise Stopped


def _forked(
    path: Path, config: TrialConfig, data: Data, skipped: list[str]
) -> tuple[checkpoint_file.Saved | None, list[str]]:
    """Return another run's checkpoint to continue from, and messages about skipped files.

    The checkpoint is None if it can't be used; then the run starts at its beginning.
    """
    try:
        saved = checkpoint_file.parse(path, checkpoint_file.load_document(path))
        written = TrialConfig.from_dict(TrialConfig().to_dict() | saved.facts["config"])
        if common_steps(written, replace(config, checkpoint=written.checkpoint)) < saved.step:
            return None, [*skipped, f"{path}: another run, which differs before step {saved.step}"]
        _check_data(saved, data)
    except (checkpoint_file.CheckpointError, KeyError, TypeError) as error:
        return None, [*skipped, str(error)]
    return saved, skipped


def _check_config(saved: checkpoint_file.Saved, config: TrialConfig, data: Data) -> None:
    """Check that the run's checkpoint was written with the same config and the same data.

    Raises:
        CheckpointError: it wasn't.
    """
    # A checkpoint of an older version lacks the fields that were added since.
    written = TrialConfig().to_dict() | saved.facts["config"]
    then, now = _effective(written), _effective(config.to_dict())
    if different := [name for name in now if then.get(name) != now[name]]:
        name = different[0]
        raise checkpoint_file.CheckpointError(
            f"{saved.path}: written with {name} {then.get(name)!r}, "
            f"but the config has {now[name]!r}"
        )
    _check_data(saved, data)


def _check_data(saved: checkpoint_file.Saved, data: Data) -> None:
    """Check that the checkpoint was written with the same data.

    Raises:
        CheckpointError: it wasn't.
    """
    if saved.facts["start"]["digests"]["data"] != data.digest:
        raise checkpoint_file.CheckpointError(f"{saved.path}: written with data of another content")


def _effective(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a config that the numbers depend on.

    Neither the way it is written nor the places of files matter.
    """
    known = facts()
    return {name: canonical(name, config) for name in config if not known[name].may_change} | {
        "network": _options(config["network"], all_models()[config["model"]].options),
        "data": _options(config["data"], all_datasets()[config["dataset"]].options),
    }


def _options(given: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Return all options with their defaults, without those that have no effect on the numbers.

    Options that name a place are left out, too.
    """
    known = [option for option in fields(kind) if not {"neutral", "path"} & set(option.metadata)]
    return {option.name: given.get(option.name, option.default) for option in known}


def _beyond(evaluation: Record, config: TrialConfig) -> str | None:
    """Return which metric is worse than its bound, or None.

    A metric that is nan is worse, too.
    """
    metrics = all_metrics()
    for name, bound in config.stop_beyond.items():
        value = evaluation.values[f"metric/{name}"]
        # The name may start with the kind of weights, `raw_` or `average_`.
        metric = metrics.get(name) or metrics[name.partition("_")[2]]
        if not (value >= bound if metric.better == "higher" else value <= bound):
            return f"{name} {value:.4g} is beyond {bound:g}"
    return None


def _due(now: int, every: int, last: int) -> bool:
    """Return whether something that happens every so often and at the last step happens now."""
    return now == last or (every > 0 and now % every == 0)


def _evaluation(
    evaluate: Evaluator, networks: Networks, step: int, health: Mapping[str, float] | None = None
) -> Record:
    """Return the record of an evaluation, with the time that it took."""
    started = time.perf_counter()
    values, images = evaluate(networks)
    values |= health or {}
    return Record(
        step, "eval", values=values | {"time/eval_s": time.perf_counter() - started}, images=images
    )


def _parameter_counts(networks: Networks) -> dict[str, int]:
    networks_by_name = {"generator": networks.generator, "discriminator": networks.discriminator}
    return {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in networks_by_name.items()
        if network is not None
    }
