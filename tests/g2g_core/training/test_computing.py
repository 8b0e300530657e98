"""Torch computes as the config says, for the time of the run and not longer."""

import os
from dataclasses import replace

import pytest
import torch

from ablate.trial.environment import determinism
from g2g_core.training.computing import WORKSPACE, computing
from g2g_core.training.loop import train
from tests.g2g_core.tiny_funit import config


def switches():
    return (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.deterministic,
        torch.are_deterministic_algorithms_enabled(),
    )


@pytest.fixture(autouse=True)
def no_workspace(monkeypatch):
    monkeypatch.delenv(WORKSPACE, raising=False)


@pytest.mark.parametrize("tf32", [True, False])
@pytest.mark.parametrize("deterministic", [True, False])
def test_a_gpus_switches_are_set_and_told_and_restored(tf32, deterministic):
    before = switches()
    with computing(replace(config(), tf32=tf32, deterministic=deterministic), "cuda:1"):
        assert switches() == (tf32, tf32, deterministic, deterministic)
        told = determinism("cuda:1")
        assert os.environ[WORKSPACE] == ":4096:8"
    assert switches() == before
    assert told["tf32"] == {"convolutions": tf32, "products": tf32}
    assert (told["bit_equal"], told["deterministic_algorithms"]) == (deterministic, deterministic)


def test_torchs_own_defaults_are_told_as_they_are():
    """Convolutions use TF32 by default, products do not: one word for both was wrong."""
    told = determinism("cuda")["tf32"]
    assert told == {"convolutions": switches()[1], "products": switches()[0]}
    assert "tf32" not in determinism("cpu")


def test_an_error_restores_the_switches_too():
    before = switches()
    with (
        pytest.raises(ZeroDivisionError),
        computing(replace(config(), deterministic=True), "cuda"),
    ):
        raise ZeroDivisionError
    assert switches() == before


def test_on_a_cpu_nothing_changes():
    plain, other = (
        [(r.step, r.kind, {n: v for n, v in r.values.items() if "time/" not in n}) for r in run]
        for run in (train(config()), train(replace(config(), tf32=False, deterministic=True)))
    )
    assert plain == other
    assert WORKSPACE not in os.environ
