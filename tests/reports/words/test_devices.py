"""Trials of several devices are never pooled without a word."""

from dataclasses import replace

import pytest

from reports.build import open_study
from reports.page.blocks import plain
from reports.words.devices import computing_words, pooled_words


def on(study, *names):
    """The study with these devices, one per cell in turn, or per trial if there is one name."""
    cells = list(dict.fromkeys(study.trials["cell_id"]))
    device = [names[cells.index(cell) % len(names)] for cell in study.trials["cell_id"]]
    return open_study(replace(study, trials=study.trials.assign(device=device)))


def test_one_device_needs_no_word(study):
    assert pooled_words(on(study, "NVIDIA H100")) == ()
    assert pooled_words(open_study(study)) == ()


def test_arms_of_different_devices_are_a_cause(study):
    words = plain(pooled_words(on(study, "cpu", "NVIDIA H100")))
    assert "trials on cpu" in words
    assert "trials on NVIDIA H100" in words
    assert "Arms ran on different devices, so an effect may be one of the device." in words


def test_devices_in_every_arm_are_noise(study):
    names = {seed: "H100" if seed % 2 else "A100" for seed in study.trials["seed"]}
    mixed = replace(study, trials=study.trials.assign(device=study.trials["seed"].map(names)))
    assert "that adds noise and no bias" in plain(pooled_words(open_study(mixed)))


def test_a_resumed_trial_is_told(study):
    words = plain(pooled_words(on(study, "H100, then cpu")))
    assert "resumed on another device." in words


@pytest.mark.parametrize(
    ("base", "device", "expected"),
    [
        ({"precision": "float32", "channels_last": False}, "cpu", "float32; "),
        ({"precision": "float32"}, "H100", "float32, TF32, sums in any order; "),
        (
            {"precision": "float32", "tf32": False, "deterministic": True, "channels_last": True},
            "H100",
            "float32, no TF32, sums in a fixed order, channels last; ",
        ),
    ],
)
def test_how_it_was_computed(study, base, device, expected):
    plan = {**study.study, "base": {**study.study.get("base", {}), **base}}
    assert plain(computing_words(on(replace(study, study=plan), device))).startswith(expected)
