"""The one-step check of arms, on real first steps of tiny networks, with planted faults."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate.check_arms import check_arms
from ablate.planning import plan
from ablate.run import run_study
from ablate.spec import load_study
from ablate.study import Plan, StudyError

BASE = """
name: checked
question: Does the check see it?
base:
  network: {filters: 4, mlp_filters: 8, class_dim: 6, content_downs: 2, class_downs: 2, d_filters: 4, d_blocks: 4}
  image_size: 16
  batch_size: 2
  data: {classes: 4, test_classes: 3, contents: 8}
  losses: {adversarial: 1.0, short_recon: 1.0, d_hinge: 1.0}
  steps: 2
  eval_every: 2
  eval_pairs: 3
  metrics: [short_l1]
seeds: [0, 1]
outcome: {metric: short_l1, smallest_effect: 0.01}
factors:
  long_recon: {path: losses.long_recon, levels: {without: 0.0, with: 0.1}}
"""
IDLE = "  idle: {path: network.perceptual, levels: {vgg: vgg16, lite: efficientnet_lite0}}\n"


def planned(tmp_path: Path, text: str = "") -> Plan:
    path = tmp_path / "checked.yaml"
    path.write_text(BASE + text, encoding="utf-8")
    return plan(load_study(path))


def check(study: Plan) -> int:
    return check_arms(study, study.trials).arms


def test_arms_that_train_differently_pass(tmp_path: Path) -> None:
    assert check(planned(tmp_path)) == 1


def test_a_factor_without_effect_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        check(planned(tmp_path, IDLE))
    (line,) = str(caught.value).splitlines()
    assert line.startswith("factors.idle=lite: without effect")


def test_arms_that_are_meant_to_be_equal_pass(tmp_path: Path) -> None:
    meant = IDLE + "equal_arms:\n  - [{long_recon: without, idle: vgg}, {long_recon: without, idle: lite}]\n"
    assert check(planned(tmp_path, meant)) == 3


@pytest.mark.parametrize(
    "factor",
    [
        "  judged: {path: evaluate, levels: {raw: [raw], average: [average]}}\n",
        "  late: {path: schedules.long_recon, levels: {now: {kind: constant}, late: {kind: delay, start: 1}}}\n",
    ],
)
def test_factors_that_act_later_or_on_what_is_measured_pass(tmp_path: Path, factor: str) -> None:
    assert check(planned(tmp_path, factor)) >= 2


def test_arms_that_start_from_other_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: initial weights come from torch's own generator, wherever it stands."""

    @contextlib.contextmanager
    def unseeded(seed: int, purpose: str) -> Iterator[None]:
        yield

    monkeypatch.setattr("g2g_core.models.networks.seeded_init", unseeded)
    with pytest.raises(StudyError, match="initial weights differ from the reference's, though no factor says so"):
        check(planned(tmp_path))


def test_the_run_refuses_before_anything_starts_and_can_be_told_not_to(tmp_path: Path) -> None:
    study = planned(tmp_path, IDLE)
    options = {"workers": 0, "tracking_uri": "none", "report": False, "quiet": True}
    with pytest.raises(StudyError, match="without effect"):
        run_study(study, tmp_path / "runs", **options)
    assert not list((tmp_path / "runs").rglob("trial.json"))
    assert run_study(study, tmp_path / "runs", check=False, **options).exit_code == 0
