"""The first step of a config, as digests.

They show what two arms of a study have in common before and after the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from g2g_core.checkpoints import checkpoint, checkpoint_file
from g2g_core.config import TrialConfig
from g2g_core.metrics.evaluator import Evaluator
from g2g_core.training.computing import computing
from g2g_core.training.setup import build, ready, start
from g2g_core.training.step import TrainingStep


@dataclass(frozen=True)
class FirstStep:
    """What one training step starts from and leads to.

    Attributes:
        before: SHA-256 (hex) of `initial_weights`, `data`, `data_order`, `eval_pairs`.
        after: SHA-256 (hex) of all weights and optimizer states after the step. They depend on its
            losses, its gradients, and its update.
        recorded: names of the metrics that the run records.
        checkpoint_bytes: size of these weights and states, which is that of a checkpoint.
        finite: whether all losses and gradients of the step are finite.
    """

    before: Mapping[str, str]
    after: str
    recorded: tuple[str, ...]
    checkpoint_bytes: int
    finite: bool


def first_step(
    config: TrialConfig, device: str = "cpu", checkpoint: Path | None = None
) -> FirstStep:
    """Take the first step of a config, without evaluation.

    On a GPU, sums are taken in a fixed order where torch can, since digests are compared.

    Args:
        config: as for `train`.
        device: as for `train`.
        checkpoint: file for a checkpoint after the step; None writes nothing.

    Raises:
        ValueError: the config can't be trained, or a metric isn't supported.
    """
    fixed = replace(config, deterministic=True)
    with computing(fixed, device, lenient=not config.deterministic):
        return _first_step(config, device, checkpoint)


def _first_step(config: TrialConfig, device: str, file: Path | None) -> FirstStep:
    """Take the step under torch's present settings."""
    data, networks = build(config, device)
    step = TrainingStep(config, networks)
    pairs = data.evaluation_pairs(config.eval_pairs, shots=config.eval_shots)
    recorded = Evaluator(pairs, data, config).recorded(networks)

    facts = start(config, networks, step, data, pairs)
    before = {name: digest for name, digest in facts["digests"].items() if name != "checkpoint"}
    values = step(ready(data.batch(0), config, device), 0)
    finite = all(bool(torch.isfinite(value)) for value in values.values())

    states = checkpoint.parts_of(networks, step)
    if file is not None:
        known = {"step": 1, "config": config.to_dict(), "n_classes": data.n_classes, "start": facts}
        checkpoint_file.write(file, states, known)
    tensors = {
        f"{part}/{name}": value for part, named in states.items() for name, value in named.items()
    }
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    return FirstStep(before, checkpoint_file.tensors_digest(tensors), recorded, size, finite)
