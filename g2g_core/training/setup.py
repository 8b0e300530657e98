"""What a training run starts from: the dataset, the networks, and batches on the device.

The networks have their initial or restored weights.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from g2g_core.checkpoints import checkpoint, checkpoint_file
from g2g_core.config import TrialConfig
from g2g_core.data import all_datasets
from g2g_core.data.pairs import Batch, Data, EvaluationPairs
from g2g_core.hashing import sha256
from g2g_core.models import Networks, all_models
from g2g_core.training.step import TrainingStep
from g2g_core.transfer import to_device

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
"""Precision -> dtype of the weights; `bfloat16` is mixed precision."""


def build(config: TrialConfig, device: str) -> tuple[Data, Networks]:
    """Return the dataset, and the networks with the initial weights of the seed, on their device.

    Raises:
        ValueError: an unknown precision, or options that the dataset or the model refuses.
    """
    if config.precision not in DTYPES:
        raise ValueError(f"precision: {config.precision!r} is not one of {', '.join(DTYPES)}")
    data = all_datasets()[config.dataset](config)
    networks = all_models()[config.model](config, data.n_classes)

    def on_device(network: nn.Module | None) -> Any:
        if network is None:
            return None
        network.to(device, DTYPES[config.precision])
        return network.to(memory_format=torch.channels_last) if config.channels_last else network

    return data, replace(
        networks,
        generator=on_device(networks.generator),
        discriminator=on_device(networks.discriminator),
        average=on_device(networks.average),
    )


def start(
    config: TrialConfig, networks: Networks, step: TrainingStep, data: Data, pairs: EvaluationPairs
) -> dict[str, Any]:
    """Restore what the config names, and return facts that hold for all attempts of the run.

    Args:
        config: its `checkpoint` and `restore`.
        networks: changed in place.
        step: its optimizers are changed in place.
        data: the dataset.
        pairs: the evaluation pairs.

    Returns:
        `restored`: what came from the checkpoint; `digests`: of the checkpoint, the initial
        weights, the data, their order, and the evaluation pairs.

    Raises:
        CheckpointError: the checkpoint can't be used, or is still to be trained.
    """
    restored: dict[str, Any] = {
        "checkpoint": None,
        "parts": dict.fromkeys(checkpoint.PARTS, "fresh"),
    }
    digests: dict[str, str | None] = {"checkpoint": None}
    if config.checkpoint is not None:
        if not isinstance(config.checkpoint, str):
            raise checkpoint_file.CheckpointError(
                "checkpoint: must be trained first; `run` does it"
            )
        path = Path(config.checkpoint)
        restored = checkpoint.restore(checkpoint.read(path), config, networks, step)
        digests["checkpoint"] = sha256(path)
    return {
        "restored": restored,
        "digests": digests
        | {
            "initial_weights": checkpoint.weights_digest(networks),
            "data": data.digest,
            "data_order": data.order_digest(config.steps),
            "eval_pairs": pairs.digest,
        },
    }


def ready(batch: Batch, config: TrialConfig, device: str) -> Batch:
    """Return the batch on the device, in the dtype and the memory layout of the networks."""
    there, dtype = torch.device(device), DTYPES[config.precision]
    layout = torch.channels_last if config.channels_last else torch.contiguous_format

    def images(values: Tensor | None) -> Any:
        if values is None:
            return None
        return to_device(values, there, dtype).contiguous(memory_format=layout)

    return Batch(
        images(batch.content_images),
        to_device(batch.content_labels, there, torch.int64),
        images(batch.class_images),
        to_device(batch.class_labels, there, torch.int64),
        images(batch.content_erase),
        images(batch.class_erase),
    )
