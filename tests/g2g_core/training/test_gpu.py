"""What only a GPU can show: the CPU's numbers, identical repetitions, the faults of a full card."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ablate.planning.pilot import STEPS
from ablate.study.nouns import Trial
from ablate.trial import journal
from ablate.trial.environment import determinism
from ablate.trial.faults import classify
from ablate.trial.run import run_trial
from g2g_core.training.first_step import first_step
from g2g_core.training.loop import train
from tests.g2g_core.tiny_funit import config

pytestmark = pytest.mark.gpu


def numbers(run):
    return {
        (record.step, name): value
        for record in run
        for name, value in record.values.items()
        if not name.startswith("time/")
    }


def test_float64_gives_the_numbers_of_the_cpu():
    exact = config(precision="float64", steps=2)
    here, there = numbers(train(exact, device="cuda")), numbers(train(exact))
    assert here == pytest.approx(there, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_deterministic_run_repeats_bit_for_bit(precision):
    fixed = replace(config(precision=precision), deterministic=True, steps=STEPS)
    assert numbers(train(fixed, device="cuda")) == numbers(train(fixed, device="cuda"))


def test_equal_first_steps_have_equal_digests():
    assert first_step(config(), "cuda").after == first_step(config(), "cuda").after


def test_the_card_is_recorded(tmp_path: Path):
    folder = tmp_path / "trials" / "t"
    run_trial(Trial("t", "t", {}, 0, config()), folder, device="cuda")
    assert journal.read(folder)
    assert determinism("cuda")["gpu"] == torch.cuda.get_device_name()


def test_a_full_card_is_no_bug(tmp_path: Path):
    with pytest.raises(RuntimeError) as full:
        torch.empty(2**50, dtype=torch.uint8, device="cuda")
    assert classify(full.value, tmp_path) == "gpu_memory"
    assert float(torch.ones(2, device="cuda").sum()) == 2
