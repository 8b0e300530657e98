"""The one-step check of arms, on real first steps of tiny networks, with planted faults."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.planning.check_arms import check_arms
from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.running.study import run_study
from ablate.study.nouns import Plan, StudyError

BASE = """
name: checked
question: Does the check see it?
base:
  network:
    {filters: 4, mlp_filters: 8, class_dim: 6, content_downs: 2, class_downs: 2, d_filters: 4,
     d_blocks: 4}
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
    meant = (
        IDLE
        + "equal_arms:\n  - [{long_recon: without, idle: vgg}, {long_recon: without, idle: lite}]\n"
    )
    assert check(planned(tmp_path, meant)) == 3


@pytest.mark.parametrize(
    "factor",
    [
        "  judged: {path: evaluate, levels: {raw: [raw], average: [average]}}\n",
        (
            "  late: {path: schedules.long_recon, levels: {now: {kind: constant}, late: {kind: "
            "delay, start: 1}}}\n"
        ),
        "  bound: {path: stop_beyond, levels: {none: {}, wide: {short_l1: 9.0}}}\n",
    ],
)
def test_factors_that_act_later_or_on_what_is_measured_pass(tmp_path: Path, factor: str) -> None:
    assert check(planned(tmp_path, factor)) >= 2


@pytest.mark.parametrize(
    "override",
    [
        "base.discriminator_warmup=1",
        "factors.warm={path: discriminator_warmup, levels: {without: 0, with: 5}}",
    ],
)
def test_factors_of_the_generator_pass_where_the_discriminator_warms_up(
    tmp_path: Path, override: str
) -> None:
    path = tmp_path / "checked.yaml"
    path.write_text(BASE + "design: leave_one_out\n", encoding="utf-8")
    assert check(plan(load_study(path, [override]))) >= 1


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (
            "  d: {path: network.d_classes, levels: {as_many: null, few: 2}}\n",
            "network.d_classes: 2 is less than",
        ),
        (
            "  far: {path: losses.perceptual_long, levels: {without: 0.0, with: 1.0}}\n",
            "the weights of vgg16 are not",
        ),
        (
            (
                "  judged: {path: metrics, levels: {a: [short_l1], b: [short_l1, "
                "landmark_distance]}}\n"
            ),
            "metrics: landmark_dist",
        ),
    ],
)
def test_arms_that_cannot_be_trained_or_measured_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: str, message: str
) -> None:
    monkeypatch.setenv("G2G_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = factor.partition(":")[0].strip()
    with pytest.raises(StudyError) as caught:
        check(planned(tmp_path, factor))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2, "without and with the loss"
    assert all(
        line.startswith("factors.") and f"{name}=" in line and f": {message}" in line
        for line in lines
    )


def test_a_reference_that_cannot_be_trained_is_one_line(tmp_path: Path) -> None:
    study = planned(tmp_path)
    spoilt = replace(
        study,
        trials=tuple(replace(t, config=replace(t.config, image_size=18)) for t in study.trials),
    )
    with pytest.raises(
        StudyError,
        match=r"^the reference: network\.content_downs: 2 does not go with image_size 18$",
    ):
        check(spoilt)


def test_an_outcome_that_the_data_cannot_give_is_told_before_hours_are_spent(
    tmp_path: Path, make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))
    make_folder(name="images")
    text = BASE.replace("data: {classes: 4, test_classes: 3, contents: 8}", "data: {root: images}")
    text = text.replace("base:", "base:\n  dataset: image_folder").replace(
        "  metrics: [short_l1]\n", ""
    )
    path = tmp_path / "checked.yaml"
    path.write_text(text.replace("metric: short_l1", "metric: mixed_l1"), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        check(plan(load_study(path)))
    (line,) = str(caught.value).splitlines()
    assert (
        line == "the reference: outcome.metric: mixed_l1 is not recorded with this data and model"
    )
    path.write_text(text, encoding="utf-8")
    assert check(plan(load_study(path))) == 1


def test_arms_that_start_from_other_weights_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: initial weights come from torch's own generator, wherever it stands."""

    @contextlib.contextmanager
    def unseeded(seed: int, purpose: str) -> Iterator[None]:
        yield

    monkeypatch.setattr("g2g_core.models.networks.seeded_init", unseeded)
    with pytest.raises(
        StudyError, match="initial weights differ from the reference's, though no factor says so"
    ):
        check(planned(tmp_path))


def test_the_run_refuses_before_anything_starts_and_can_be_told_not_to(tmp_path: Path) -> None:
    study = planned(tmp_path, IDLE)
    options = {"workers": 0, "tracking_uri": "none", "report": False, "quiet": True}
    with pytest.raises(StudyError, match="without effect"):
        run_study(study, tmp_path / "runs", **options)
    assert not list((tmp_path / "runs").rglob("trial.json"))
    assert run_study(study, tmp_path / "runs", check=False, **options).exit_code == 0
