"""Each system on real images: ten steps change every trainable parameter and no frozen one."""

import os
from pathlib import Path

import pytest
import torch

from ablate.planning.load import load_study
from g2g_core.config import TrialConfig
from g2g_core.training.setup import build, ready
from g2g_core.training.step import TrainingStep

SHARED = Path(os.environ.get("G2G_SHARED", Path(__file__).resolve().parents[4] / "shared"))
FACES = SHARED / "data" / "caltech_faces"


def config(system: str) -> TrialConfig:
    """The system as the bundled study has it, on a folder of faces."""
    spec = load_study("systems")
    (factor,) = spec.factors
    document = spec.base.to_dict() | dict(factor.levels[system])
    document |= {
        "dataset": "image_folder",
        "data": {"root": str(FACES), "cache": "memory"},
        "batch_size": 4,
    }
    return TrialConfig.from_dict(document)


@pytest.mark.parametrize("system", ["funit2funit", "funit", "cyclefunit", "naive"])
def test_ten_steps_on_faces_train_everything(system: str) -> None:
    if not FACES.is_dir():
        pytest.skip("the faces are not there")
    chosen = config(system)
    data, networks = build(chosen, "cpu")
    step = TrainingStep(chosen, networks)
    trained = {"generator": networks.generator, "discriminator": networks.discriminator}
    before = {
        f"{part}/{name}": value.detach().clone()
        for part, network in trained.items()
        if network is not None
        for name, value in network.named_parameters()
    }
    for number in range(10):
        values = step(ready(data.batch(number), chosen, "cpu"), number)
        assert all(torch.isfinite(value) for value in values.values())
    for part, network in trained.items():
        for name, value in network.named_parameters() if network is not None else ():
            assert torch.equal(before[f"{part}/{name}"], value) != value.requires_grad, (
                f"{part}/{name}"
            )
