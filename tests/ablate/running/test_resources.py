"""What a machine can do, told before hours are spent."""

import os
from pathlib import Path

import pytest

from ablate.disk.locks import Locked, Share, machine_share
from ablate.running.resources import (
    Resources,
    computes_bfloat16,
    trials_at_once,
    visible_cards,
)
from ablate.running.study import run_study
from ablate.trial import trial_file
from benchmarks.toy_study import BARE, toy_plan


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("model name\t: A\nflags\t\t: fpu avx2 fma\n", False),
        ("flags\t\t: fpu avx2 avx512f avx512bw avx512_bf16\n", True),
        ("Features\t: fp asimd i8mm\n", False),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("processor\t: 0\n", True),
    ],
)
def test_whether_a_processor_computes_in_bfloat16(tmp_path: Path, text: str, does: bool) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    assert computes_bfloat16(path) is does
    assert computes_bfloat16(tmp_path / "not there")


@pytest.mark.parametrize(("precision", "said"), [("bfloat16", 1), ("float32", 0)])
def test_bfloat16_without_instructions_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, said: int
) -> None:
    monkeypatch.setattr("ablate.running.study.computes_bfloat16", lambda: False)
    result = run_study(toy_plan(precision=precision), tmp_path, workers=0, **BARE)
    assert sum("no instructions for it" in line for line in result.messages) == said


TWO = "GPU 0: NVIDIA H100 (UUID: GPU-aa1)\nGPU 1: NVIDIA H100 (UUID: GPU-bb2)\n"
DIVIDED = (
    "GPU 0: NVIDIA A100 (UUID: GPU-aa1)\n"
    "  MIG 3g.20gb     Device  0: (UUID: MIG-11)\n  MIG 3g.20gb     Device  1: (UUID: MIG-22)\n"
    "GPU 1: NVIDIA A100 (UUID: GPU-bb2)\n"
)


@pytest.mark.parametrize(
    ("listed", "visible", "uuids"),
    [
        (TWO, None, ["GPU-aa1", "GPU-bb2"]),
        (TWO, "1", ["GPU-bb2"]),
        (TWO, "1,0", ["GPU-bb2", "GPU-aa1"]),
        (TWO, "GPU-bb", ["GPU-bb2"]),
        (TWO, "-1", []),
        (TWO, "0,-1,1", ["GPU-aa1"]),
        (TWO, "NoDevFiles", []),
        (TWO, "7", []),
        (TWO, "GPU-", []),
        (DIVIDED, None, ["MIG-11", "MIG-22", "GPU-bb2"]),
        (DIVIDED, "MIG-22", ["MIG-22"]),
        (DIVIDED, "0", ["MIG-11"]),
        ("No devices were found\n", None, []),
    ],
)
def test_the_gpus_that_a_process_may_use(
    listed: str, visible: str | None, uuids: list[str]
) -> None:
    assert [card.uuid for card in visible_cards(listed, visible)] == uuids


@pytest.mark.parametrize(
    ("gpus", "per_trial", "fit"),
    [(4, 0.6, 4), (4, 1, 4), (4, 2, 2), (1, 0.1, 10), (1, 1 / 3, 3), (3, 2, 1)],
)
def test_a_trial_is_not_spread_over_fractions(gpus: int, per_trial: float, fit: int) -> None:
    assert trials_at_once(gpus, per_trial) == fit


@pytest.mark.parametrize(
    ("workers", "per_trial", "cards"), [(4, 0.25, 1.0), (1, 0.25, 0.25), (3, 0.5, 2), (2, 2, 4)]
)
def test_several_cards_are_claimed_whole(workers: int, per_trial: float, cards: float) -> None:
    assert Resources(workers, gpus=per_trial).cards_needed == cards


@pytest.fixture
def two_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program `nvidia-smi` that lists two cards, which neither Ray nor torch can see."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{TWO}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_two_studies_get_cards_of_their_own(two_cards: None, tmp_path: Path) -> None:
    total = Share(64, 2, ("GPU-aa1", "GPU-bb2"))
    with machine_share(Share(1, 1), total, tmp_path) as first:
        assert first == ("GPU-aa1",)
        with machine_share(Share(1, 0.5), total, tmp_path) as second:
            assert second == ("GPU-bb2",)
            with machine_share(Share(1, 0.5), total, tmp_path) as third:
                assert third == ("GPU-bb2",), "two halves share a card"
            with (
                pytest.raises(Locked, match=r"2 GPUs asked for, 0\.5 of 2 free"),
                machine_share(Share(1, 2), total, tmp_path),
            ):
                pass
    with machine_share(Share(1, 2), total, tmp_path) as all_of_them:
        assert all_of_them == total.cards


@pytest.mark.slow
def test_a_study_uses_the_card_that_it_claimed(two_cards: None, tmp_path: Path) -> None:
    """Ray sees no card here, and starts the trials all the same."""
    total = Share(64, 2, ("GPU-aa1", "GPU-bb2"))
    options = BARE | {"workers": 1, "gpus_per_trial": 1, "cpus_per_trial": 0.5}
    with machine_share(Share(0.1, 1), total, tmp_path):
        result = run_study(toy_plan(seeds=1, steps=2), tmp_path / "out", **options)
    assert result.exit_code == 0
    documents = [trial_file.read(one.folder) for one in result.results]
    assert {document["visible"] for document in documents} == {"GPU-bb2"}
    assert {document["device"] for document in documents} == {"cuda"}
