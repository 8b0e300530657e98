"""First steps in a process of their own, as they are taken on a GPU."""

from dataclasses import replace
from pathlib import Path

import pytest

from ablate.planning.check_arms import check_arms
from ablate.planning.first_steps import elsewhere
from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.study.nouns import Plan, StudyError
from ablate.trainers.core import trainer as core
from tests.ablate.planning.test_check_arms import planned

TRAINER = """
import os
import signal
from dataclasses import dataclass

from ablate import Metric, Trainer

@dataclass(frozen=True)
class Config:
    kind: str = "good"
    seed: int = 0

def train(config, checkpoints):
    yield {"step": 0, "error": 0.0}

def first_step(config, device):
    print("words on stdout")
    if config.kind == "dies":
        os._exit(1)
    if config.kind == "stops":
        os.kill(os.getpid(), signal.SIGSTOP)
    if config.kind == "lacks":
        raise KeyError("key")
    return {"before": {}, "after": f"{config.kind} on {device}", "recorded": ["error"]}

trainer = Trainer(Config, train, metrics={"error": Metric()}, first_step=first_step)
"""
STUDY = """
name: elsewhere
trainer: own_steps:trainer
seeds: [0]
outcome: {metric: error, smallest_effect: 0.1}
factors:
  kind: {levels: {good: {kind: good}, KIND: {kind: KIND}}}
"""


def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> Plan:
    (tmp_path / "own_steps.py").write_text(TRAINER, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "s.yaml"
    path.write_text(STUDY.replace("KIND", kind), encoding="utf-8")
    return plan(load_study(path))


def test_a_step_elsewhere_is_the_step_here_and_errors_come_back(tmp_path: Path) -> None:
    trainer, config = core.CoreTrainer(), planned(tmp_path).trials[0].config
    with elsewhere(trainer) as probe:
        there = probe(config, "cpu")
        with pytest.raises(ValueError, match="short_L1"):
            probe(replace(config, metrics=("short_L1",)), "cpu")
        with pytest.raises(ValueError, match=r"^the first step fails: .*(CUDA|NVIDIA)"):
            probe(config, "cuda:99")
    assert there == trainer.first_step(config, "cpu")


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("other", None),
        ("stops", None),
        ("dies", "factors.kind=dies: the first step ends its process"),
        ("lacks", "factors.kind=lacks: the first step fails: KeyError: 'key'"),
    ],
)
def test_on_a_gpu_the_arms_are_checked_in_a_process_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, problem: str | None
) -> None:
    study = own(tmp_path, monkeypatch, kind)
    if problem is None:
        assert check_arms(study, study.trials, "cuda").arms == 1
        return
    with pytest.raises(StudyError) as caught:
        check_arms(study, study.trials, "cuda")
    assert str(caught.value).startswith(problem)
