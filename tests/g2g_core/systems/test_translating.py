"""Trained systems without their trials: LORD mixes images, Fader Networks fade attributes."""

from contextlib import closing
from dataclasses import replace

import pytest
import torch

from g2g_core.checkpoints.checkpoint import read
from g2g_core.checkpoints.checkpoint_file import CheckpointError, step_file
from g2g_core.systems.translating import fade
from g2g_core.translation import g2g, generator_of
from tests.g2g_core.systems.test_loop import SYSTEMS


def trained(system, folder, **changes):
    """The checkpoint of a few steps."""
    trainer, config = SYSTEMS[system]
    config = replace(config, **{"steps": 3, "checkpoint_every": 1, "eval_every": 3, **changes})
    with closing(trainer.train(config, "cpu", folder)) as records:
        for _ in records:
            pass
    return read(step_file(folder, 3))


def test_lord_mixes_new_images_once_its_encoders_are_trained(tmp_path) -> None:
    saved = trained("lord", tmp_path)
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    rows = g2g(generator_of(saved), *images)
    assert rows["mixed"].shape == (2, 3, 16, 16)
    with pytest.raises(CheckpointError, match=r"encoders of this LORD are not trained \(step 2;"):
        generator_of(read(step_file(tmp_path, 2)))


def test_fader_fades_between_named_values(tmp_path) -> None:
    saved = trained("fader", tmp_path)
    image = torch.rand(3, 32, 32) * 2 - 1
    images, chosen = fade(saved, image, "class=look002:look000")
    assert chosen == ("class", "look002", "look000")
    assert images.shape == (9, 3, 32, 32)
    assert not torch.equal(images[0], images[-1])
    back, _ = fade(saved, image, "class=look000:look002")
    assert torch.allclose(images.flip(0), back, atol=1e-5)
    assert fade(saved, image, "class")[1] == ("class", "look000", "look002")


def test_what_a_network_can_not_do_is_one_line(tmp_path) -> None:
    saved = trained("fader", tmp_path / "fader")
    image = torch.zeros(3, 32, 32)
    with pytest.raises(ValueError, match="no attribute 'clas'; did you mean class"):
        fade(saved, image, "clas")
    with pytest.raises(ValueError, match="no value of class 'look003'; did you mean look00"):
        fade(saved, image, "class=look003:look001")
    with pytest.raises(CheckpointError, match="takes no class from an image; use --fade"):
        generator_of(saved)
    other = trained("lord", tmp_path / "lord", latent_share=1.0)
    with pytest.raises(CheckpointError, match="only Fader Networks can fade"):
        fade(other, image, "class")
