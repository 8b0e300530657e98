"""Studies of the built-in systems: their names, their options, what applies, and resuming."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.running.study import run_study
from ablate.study.nouns import StudyError
from ablate.trainers.objects.config import ObjectConfig
from ablate.trainers.objects.load import named_trainers
from ablate.trainers.objects.run import train
from ablate.trainers.objects.trainer import ObjectTrainer

QUIET = {"workers": 0, "report": False, "tracking_uri": "none", "quiet": True}
STUDY = """
name: tiny
question: Does the latent discriminator help?
trainer: fader
base:
  image_size: 16
  data: {classes: 3, test_classes: 0, contents: 4}
  batch_size: 3
  steps: 4
  filters: 2
  max_filters: 4
  layers: 3
  hidden: 4
  latent: 0.1
  ramp: 2
  eval_every: 2
  eval_pairs: 3
  checkpoint_every: 2
factors:
  latent: {path: latent, levels: {with: 0.1, without: 0.0}}
seeds: [0]
outcome: {metric: mixed_l1, better: lower}
"""


@pytest.fixture
def study(tmp_path: Path):
    def write(old: str = "", new: str = "") -> Path:
        assert old in STUDY
        path = tmp_path / "tiny.yaml"
        path.write_text(STUDY.replace(old, new) if old else STUDY)
        return path

    return write


def test_built_in_systems_have_names() -> None:
    assert {"lord", "fader"} <= set(named_trainers())


def test_a_study_trains_and_keeps_images_and_facts(study, tmp_path: Path) -> None:
    spec = load_study(study())
    result = run_study(spec, tmp_path / "runs", **QUIET)
    assert {trial.status for trial in result.results} == {"finished"}
    for folder in (tmp_path / "runs" / "tiny" / "trials").iterdir():
        document = json.loads((folder / "trial.json").read_text())
        assert document["figure"]["rows"] == ["real", "mixed", "full_recon", "truth"]
        assert document["attributes"] == {"class": ["look000", "look001", "look002"]}
        assert document["digests"]["initial_weights"]
        assert list(folder.rglob("*.png"))


def test_an_attempt_may_resume_after_the_last_record_of_the_outcome(tmp_path: Path) -> None:
    """LORD's latent stage is measured before its encoders are trained."""
    options = {
        "image_size": 16,
        "data": {"classes": 3, "test_classes": 0, "contents": 4},
        "batch_size": 3,
        "steps": 4,
        "content_dim": 2,
        "class_dim": 2,
        "adain_layers": 2,
        "adain_dim": 8,
        "encoder_filters": 1,
        "perceptual": "pixels",
        "eval_every": 2,
        "eval_pairs": 2,
        "checkpoint_every": 1,
    }
    config = ObjectConfig("lord", options, "latent_mixed_l1")
    with closing(train(config, device="cpu", checkpoints=tmp_path)) as records:
        next(record for record in records if record.kind == "train" and record.step == 4)
    records = list(train(config, device="cpu", checkpoints=tmp_path))
    assert records[0].facts["resumed_at"] == 3
    assert records[-1].step == 4
    assert not any("metric/latent_mixed_l1" in record.values for record in records)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("metric: mixed_l1, better: lower", "metric: class_from_class", "does not apply: a Fader"),
        ("classes: 3", "clases: 3", "data.clases: no such option of synthetic; did you mean"),
        ("layers: 3", "layers: 6", "base.layers: 6 must be at most 4"),
        ("trainer: fader", "trainer: fadr", "fadr: no installed trainer has this name; did you"),
    ],
)
def test_mistakes_are_one_line_with_their_place(study, old: str, new: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        load_study(study(old, new))
    assert str(caught.value).count("\n") == 0
    assert "tiny.yaml:" in str(caught.value)


def test_a_level_can_change_an_option_of_the_data(study) -> None:
    old = "{path: latent, levels: {with: 0.1, without: 0.0}}"
    spec = load_study(study(old, "{path: data.classes, levels: {few: 3, more: 4}}"))
    assert len({trial.cell_id for trial in plan(spec).trials}) == 2


def test_a_ramp_that_never_rises_is_a_caution(study) -> None:
    spec = load_study(study("ramp: 2", "ramp: 500000"))
    (line,) = ObjectTrainer("fader").cautions(spec)
    assert line.startswith("ramp: 500000 steps of ramp in 4 steps")


def test_the_code_of_the_dataset_is_part_of_a_trial(study) -> None:
    sources = plan(load_study(study())).sources
    assert {"g2g_core.systems.fader", "g2g_core.data.synthetic_set"} <= set(sources)
    assert "g2g_core.systems.lord" not in sources
