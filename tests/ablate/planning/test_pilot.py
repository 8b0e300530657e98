"""The measured cost of a study, on the trivial trainer (whose steps cost what they are told) and
the real one."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ablate.cli import app
from ablate.planning.load import load_study
from ablate.planning.pilot import pilot
from ablate.planning.plan import plan
from ablate.running.study import run_study
from ablate.study.nouns import StudyError
from benchmarks.toy_study import TRAINER, toy_plan
from g2g_core.config import TrialConfig
from g2g_core.record import Record

WHOLE = f"{__name__}:whole_steps"


def test_cost_is_steps_times_their_time() -> None:
    study = toy_plan(seeds=3, steps=200, data={"sleep_s": 0.02})
    # The trivial trainer does not time itself: the time from one record to the next counts.
    found = pilot(study.trials, 2, lambda line: None, entry=TRAINER)
    assert found.trials == 6
    assert len(found.kinds) == 2, "a loss that is off is another cost"
    assert all(kind.step_s > 0.019 for kind in found.kinds)
    assert found.seconds >= 6 * 200 * 0.02
    assert found.wall_s == pytest.approx(found.seconds / 2)


def test_seeds_and_weights_share_a_kind(tmp_path: Path) -> None:
    said: list[str] = []
    small = ["base.steps=30", "base.eval_every=15", "base.eval_pairs=4", "base.batch_size=2"]
    study = plan(load_study("degradation-confirm", [*small, "base.image_size=16"]), [0, 1])
    found = pilot(study.trials, 1, said.append)
    assert len(found.kinds) == len(said) == 4, (
        "losses that are on: right or swapped labels, new losses or not"
    )
    assert sum(kind.trials for kind in found.kinds) == len(study.trials) == 16
    assert found.memory_mb > 100
    assert found.disk_mb > 16 * 4, "a checkpoint of 4.5 MB a trial"
    result = run_study(
        replace(study, trials=study.trials[:1]),
        tmp_path,
        workers=0,
        tracking_uri="none",
        report=False,
        quiet=True,
    )
    kind = found.kinds[0]
    assert 30 * kind.step_s + 3 * kind.eval_s > 0.1 * result.results[0].seconds
    used = sum(
        path.stat().st_size for path in result.results[0].folder.rglob("*") if path.is_file()
    )
    assert found.disk_mb / 16 == pytest.approx(used / 2**20, rel=0.2)


def whole_steps(config: TrialConfig, **_where: object) -> Iterator[Record]:
    """A trainer that measures nothing but what it is asked."""
    assert not config.discriminator_warmup
    assert not config.schedules
    for step in range(1, config.steps + 1):
        yield Record(step, "train", {"loss/short_recon": 1.0, "time/step_s": 1.0})


def test_the_measured_steps_have_all_losses_on_and_lines_go_by_how_often_is_logged() -> None:
    trial = toy_plan(seeds=1, steps=1000).trials[0]
    late = {
        "discriminator_warmup": 500,
        "schedules": {"short_recon": {"kind": "delay", "start": 500}},
    }
    often, rarely = (
        pilot(
            [replace(trial, config=replace(trial.config, log_every=n, **late))],
            1,
            lambda _: None,
            entry=WHOLE,
        )
        for n in (1, 10)
    )
    assert often.seconds >= 1000
    assert often.disk_mb == pytest.approx(10 * rarely.disk_mb, rel=0.05)


def test_a_trial_that_cannot_run_is_told_before_hours_are_spent() -> None:
    with pytest.raises(StudyError, match="planted bug"):
        pilot(toy_plan(data={"fault": "bug", "at": 3}).trials, 1, lambda line: None, entry=TRAINER)


DEVICES = """
from dataclasses import dataclass
from pathlib import Path

from ablate import Metric, Trainer


@dataclass(frozen=True)
class Config:
    rate: int = 1
    steps: int = 50
    seed: int = 0


def train(config, device):
    Path(__file__).with_name("device").write_text(device)
    for step in range(config.steps + 1):
        yield {"step": step, "error": 1.0}


trainer = Trainer(Config, train, {"error": Metric("lower", "m", "how far off")}, "A line.")
"""
STUDY = """
name: devices
trainer: %s:trainer
base: {rate: 1}
factors: {rate: {path: rate, levels: {low: 1, high: 2}}}
seeds: [0]
outcome: {metric: error, better: lower, smallest_effect: 0.1}
"""


@pytest.mark.parametrize(
    ("words", "device"), [((), "cpu"), (("--gpus-per-trial", "1"), "cuda")], ids=["cpu", "gpu"]
)
def test_the_pilot_runs_on_the_device_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], device: str
) -> None:
    """A program `nvidia-smi` lists a card that torch can't see, and the trainer doesn't use it."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H100 (UUID: GPU-aa1)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    module = f"devices_on_{device}"
    (tmp_path / f"{module}.py").write_text(DEVICES)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "s.yaml").write_text(STUDY % module)
    study = ["plan", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "out"), "--pilot"]
    done = CliRunner().invoke(app, [*study, *words])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "device").read_text() == device
