"""A whole step on a device that refuses to mix with the CPU, and where reading a number waits.

The tensors are torch's fakes: they have shapes and devices, but no numbers. So the step of a GPU
runs here in seconds, and what would stop or slow it is counted.
"""

import math
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.training_step import CLASSES, random_batch, settings
from g2g_core.data.pairs import Batch
from g2g_core.models import MODELS, reflected_conv, upsample_conv
from g2g_core.passes import cross
from g2g_core.training.step import TrainingStep
from tests.g2g_core.tiny_funit import NETWORK

DEVICE = "fakegpu"
"""The backend that `tests/g2g_core/conftest.py` registers."""
WAITS = ("_local_scalar_dense", "nonzero", "is_nonzero")
"""Parts of the names of operations that bring a number to the CPU."""
FOLDED = "aten.flip"
"""The operation of padding's gradient in a fixed order; nothing else in a step flips."""


class Watched(TorchDispatchMode):
    """A context that counts operations, and lists those that wait or that move data."""

    def __init__(self):
        super().__init__()
        self.counts, self.waits, self.moves = Counter(), [], []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = str(operation)
        self.counts[name.rpartition(".")[0]] += 1
        if any(part in name for part in WAITS) and args[0].device.type != "cpu":
            self.waits.append(name)
        result = operation(*args, **(kwargs or {}))
        if name.startswith("aten._to_copy") and args[0].device != result.device:
            self.moves.append((str(args[0].device), tuple(args[0].shape)))
        return result


@pytest.fixture
def step_on_it(monkeypatch):
    """A function that takes a config's second step there, and returns what was watched."""
    # Constants are made once and kept, which a fake may not be.
    zeros = torch.zeros
    monkeypatch.setattr(
        upsample_conv, "_taps", lambda dtype, device: zeros(2, 3, 5, dtype=dtype, device=device)
    )
    monkeypatch.setattr(
        reflected_conv,
        "_transforms",
        lambda dtype, device: (
            zeros(4, 9, dtype=dtype, device=device),
            zeros(4, 4, dtype=dtype, device=device),
        ),
    )
    monkeypatch.setattr(cross, "STACKED_PIXELS", math.inf)

    def on_it(tensor):
        return zeros(tensor.shape, dtype=tensor.dtype, device=DEVICE)

    def take(config):
        networks, drawn = MODELS[config.model](config, CLASSES), random_batch(config)
        # Parameters are replaced, since a fake tensor can't be the data of a real one.
        monkeypatch.setattr(torch.__future__, "_overwrite_module_params_on_conversion", True)
        with FakeTensorMode(allow_non_fake_inputs=True):
            for network in (networks.generator, networks.discriminator, networks.average):
                if network is not None:
                    network._apply(on_it)
            images, labels = on_it(drawn.content_images), on_it(drawn.content_labels)
            step = TrainingStep(config, networks)
            batch = Batch(images, labels, images, labels)
            step(batch, 0)
            with Watched() as watched:
                values = step(batch, 1)
            assert {value.device.type for value in values.values()} == {DEVICE}
        return watched

    return take


MODELS_TO_TRY = {
    "funit2funit": settings("4x32", "all"),
    "funit": settings("4x32", "funit"),
}


@pytest.mark.parametrize("model", MODELS_TO_TRY)
def test_a_step_stays_on_its_device_and_never_waits(step_on_it, model):
    watched = step_on_it(MODELS_TO_TRY[model])
    assert watched.waits == []
    assert watched.moves == []
    assert not watched.counts[FOLDED]


def test_a_narrow_content_code_waits_for_nothing_either(step_on_it):
    narrow = {**NETWORK, "content_noise": 1.0, "content_erase": "fixed"}
    watched = step_on_it(settings("4x16", "off", network=narrow))
    assert watched.waits == []
    assert watched.moves  # the noise
    assert {came_from for came_from, _ in watched.moves} == {"cpu"}


def test_the_deterministic_mode_pads_without_atomic_gradients(step_on_it):
    torch.use_deterministic_algorithms(True)
    try:
        watched = step_on_it(replace(MODELS_TO_TRY["funit2funit"], deterministic=True))
    finally:
        torch.use_deterministic_algorithms(False)
    assert watched.counts[FOLDED]
    assert not [name for name in watched.counts if "reflection_pad" in name and "backward" in name]
