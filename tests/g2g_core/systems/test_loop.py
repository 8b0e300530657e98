"""The systems resume with identical bits from any step, and refuse what is not theirs."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from g2g_core.checkpoints.checkpoint_file import CheckpointError, newest
from g2g_core.record import Diverged
from g2g_core.systems import fader, lord, mokady

TINY = {
    "dataset": "synthetic",
    "data": {"classes": 3, "test_classes": 0, "contents": 4},
    "image_size": 16,
    "batch_size": 3,
    "eval_pairs": 3,
    "steps": 6,
    "eval_every": 3,
    "checkpoint_every": 2,
}
SYSTEMS = {
    "lord": (
        lord.trainer,
        lord.LordConfig(
            **TINY,
            content_dim=4,
            class_dim=4,
            adain_layers=2,
            adain_dim=8,
            encoder_filters=2,
            perceptual="pixels",
        ),
    ),
    "fader": (
        fader.trainer,
        fader.FaderConfig(
            **{**TINY, "image_size": 32},
            filters=2,
            max_filters=4,
            layers=4,
            hidden=4,
            latent=0.1,
            patch=0.1,
            classifier=0.1,
            patch_steps=1,
            classifier_steps=1,
            decoder_dropout=0.2,
            ramp=4,
        ),
    ),
    "mokady": (
        mokady.trainer,
        mokady.MokadyConfig(
            **{
                **TINY,
                "dataset": "synthetic_accessory",
                "data": {"images": 6, "looks": 3, "contents": 3, "accessories": 3},
                "image_size": 64,
            },
            widths=(1, 1, 2, 2, 4),
            separate=1,
            hidden=2,
        ),
    ),
}


RATES = ("lr_generator", "lr_latent", "learning_rate")


def run(system, folder, *, kill_after=None, **changes):
    """Train to the end, or until a record of a step has been taken; return the records' values."""
    trainer, config = SYSTEMS[system]
    numbers = {}
    with closing(trainer.train(replace(config, **changes), "cpu", folder)) as records:
        for record in records:
            for name, value in record.values.items():
                if not name.startswith("time/"):
                    numbers[record.step, name] = value
            if record.kind == "train" and record.step == kill_after:
                return numbers
    return numbers


def states(folder):
    saved, damaged = newest(folder)
    assert not damaged
    return {
        f"{part}/{name}": value
        for part, named in saved.parts.items()
        for name, value in named.items()
    }


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_killed_run_ends_with_identical_bits(system: str, tmp_path: Path) -> None:
    whole = run(system, tmp_path / "whole")
    pieces = {}
    for step in (1, 3, 4, 5):  # before any checkpoint, at the border of stages, and between
        pieces |= run(system, tmp_path / "killed", kill_after=step)
    pieces |= run(system, tmp_path / "killed")
    assert pieces == whole
    ends = states(tmp_path / "whole"), states(tmp_path / "killed")
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert any(name.startswith("optimizers/") for name in ends[0])


@pytest.mark.parametrize("system", SYSTEMS)
def test_measuring_more_often_changes_no_weight(system: str, tmp_path: Path) -> None:
    run(system, tmp_path / "often", eval_every=1)
    run(system, tmp_path / "seldom", eval_every=6)
    ends = states(tmp_path / "often"), states(tmp_path / "seldom")
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


@pytest.mark.parametrize("system", SYSTEMS)
def test_other_data_or_options_are_refused(system: str, tmp_path: Path) -> None:
    """Rows would belong to other images."""
    run(system, tmp_path, kill_after=3)
    with pytest.raises(CheckpointError, match="data of another content"):
        run(system, tmp_path, data={**SYSTEMS[system][1].data, "world": 1})
    with pytest.raises(CheckpointError, match="written with batch_size 3, but the config has 2"):
        run(system, tmp_path, batch_size=2)
    run(system, tmp_path, checkpoint_every=1)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_first_step_is_that_of_the_run(system: str, tmp_path: Path) -> None:
    trainer, config = SYSTEMS[system]
    first = trainer.first_step(config, "cpu")
    with closing(trainer.train(config, "cpu", tmp_path)) as records:
        note, evaluation = (
            next(records),
            next(record for record in records if record.kind == "eval"),
        )
        assert note.facts["digests"]["initial_weights"] == first["before"]["initial_weights"]
        measured = {name.removeprefix("metric/") for name in evaluation.values if "metric/" in name}
        assert set(first["recorded"]) == measured
    other = trainer.first_step(replace(config, seed=1), "cpu")
    assert all(
        first["before"][name] != other["before"][name] for name in first["before"] if name != "data"
    )
    assert first["after"] != other["after"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_divergence_is_an_outcome(system: str, tmp_path: Path) -> None:
    rates = {name: 1e30 for name in vars(SYSTEMS[system][1]) if name in RATES}
    with pytest.raises(Diverged):
        run(system, tmp_path, **rates)
