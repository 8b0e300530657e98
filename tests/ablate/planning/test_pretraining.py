"""Checkpoints that a study trains first: what is planned, what is shared, and what is refused."""

import json
from pathlib import Path

import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.plan_file import plan_record, resolved_yaml
from ablate.planning.pretraining import pretrainings
from ablate.study.nouns import Plan, StudyError
from tests.tiny import TINY

FIRST = "extends: pretrain-synthetic\nname: first\nquestion: What is learned?\nseeds: [7, 8]\n"
STUDY = """
extends: funit2funit
name: later
base:
  checkpoint: {{train: {train}}}
factors:
  long_fm: null
  reassembly_fm: null
design: full_factorial
seeds: [0, 1, 2]
"""


def written(folder: Path, train: str = "first.yaml", first: str = FIRST) -> Path:
    """A study that starts from another one, both in this folder."""
    (folder / "first.yaml").write_text(first, encoding="utf-8")
    file = folder / "later.yaml"
    file.write_text(STUDY.format(train=train), encoding="utf-8")
    return file


def planned(file: Path, *settings: str) -> Plan:
    small = [value for value in TINY if "checkpoint" not in value]
    return plan(load_study(file, [*small, *settings]))


def test_all_trials_start_from_one_trial_of_the_other_study(tmp_path: Path) -> None:
    made = planned(written(tmp_path))
    (start,) = pretrainings(made.trials)
    assert all(trial.start is start for trial in made.trials)
    assert (start.spec.name, start.trial.seed, made.missing) == ("first", 7, ())
    (record,) = plan_record(made)["pretrainings"]
    assert (record["study"], record["trials"], record["starts_from"]) == ("first", 6, None)
    assert json.dumps(plan_record(made))


def test_it_is_the_trial_that_the_other_study_plans_itself(tmp_path: Path) -> None:
    made = planned(written(tmp_path))
    small = [
        value for value in TINY if value.startswith(("base.network", "base.image", "base.data"))
    ]
    alone = plan(load_study(tmp_path / "first.yaml", small))
    assert pretrainings(made.trials)[0].trial.id == alone.trials[0].id


def test_each_seed_may_have_a_network_of_its_own(tmp_path: Path) -> None:
    made = planned(written(tmp_path), "base.checkpoint.per=seed")
    assert {trial.seed: trial.start.trial.seed for trial in made.trials if trial.start} == {
        seed: seed + 1000 for seed in (0, 1, 2)
    }
    assert len({trial.cell_id for trial in made.trials}) == 2
    assert len({trial.id for trial in made.trials}) == 6


def test_its_settings_and_its_arm_are_part_of_the_identity(tmp_path: Path) -> None:
    two = FIRST + "factors:\n  rate: {path: lr_generator, levels: {low: 0.0001, high: 0.001}}\n"
    file = written(tmp_path, first=two)
    ids = {
        planned(file, *settings).trials[0].id
        for settings in (
            (),
            ("base.checkpoint.trial={rate: high}",),
            ("base.checkpoint.trial={seed: 8}",),
            ("base.checkpoint.set={base.steps: 5}",),
            ("base.checkpoint.per=seed",),
        )
    }
    assert len(ids) == 5
    neutral = planned(file, "base.checkpoint.set={base.checkpoint_every: 5}")
    assert neutral.trials[0].id == planned(file).trials[0].id


def test_it_shares_the_data_and_the_networks_unless_told_otherwise(tmp_path: Path) -> None:
    file = written(tmp_path)
    shared = pretrainings(planned(file).trials)[0].trial.config.to_dict()
    assert (shared["image_size"], shared["network"]["filters"]) == (16, 4)
    alone = pretrainings(planned(file, "base.checkpoint.same=[network]").trials)[0]
    assert alone.trial.config.to_dict()["image_size"] == 32
    set_ = planned(file, "base.checkpoint.set={base.image_size: 24}")
    assert pretrainings(set_.trials)[0].trial.config.to_dict()["image_size"] == 24


def test_a_level_may_name_another_start(tmp_path: Path) -> None:
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8")
    levels = (
        "  start:\n    levels:\n      trained: {checkpoint: {train: first.yaml}}\n"
        "      fresh: {checkpoint: null}\n"
    )
    file.write_text(text.replace("design:", levels + "design:"), encoding="utf-8")
    made = planned(file, "base.checkpoint=null")
    starts = {trial.levels["start"]: trial.start for trial in made.trials}
    assert starts["fresh"] is None
    assert starts["trained"] is not None


def test_studies_may_form_a_chain(tmp_path: Path) -> None:
    file = written(tmp_path, train="second.yaml")
    second = "extends: first.yaml\nname: second\nbase: {checkpoint: {train: first.yaml}}\n"
    (tmp_path / "second.yaml").write_text(second, encoding="utf-8")
    chain = pretrainings(planned(file).trials)
    assert [start.spec.name for start in chain] == ["first", "second"]
    own = pretrainings(planned(file, "base.checkpoint.per=seed").trials)
    assert [start.trial.seed for start in own] == [2000, 1000, 2001, 1001, 2002, 1002]
    record = plan_record(planned(file))["pretrainings"]
    assert record[1]["starts_from"] == record[0]["trial_id"]


def test_a_setting_may_make_a_chain(tmp_path: Path) -> None:
    (tmp_path / "zeroth.yaml").write_text(FIRST.replace("first", "zeroth"), encoding="utf-8")
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8")
    chained = "{train: first.yaml, set: {base.checkpoint: {train: zeroth.yaml}}}"
    file.write_text(text.replace("{train: first.yaml}", chained), encoding="utf-8")
    made = planned(file)
    assert [start.spec.name for start in pretrainings(made.trials)] == ["zeroth", "first"]
    (tmp_path / "resolved").mkdir()
    resolved = tmp_path / "resolved" / "later.yaml"
    resolved.write_text(resolved_yaml(made.spec), encoding="utf-8")
    assert plan(load_study(resolved)).hash == made.hash


def test_the_resolved_study_plans_the_same_trials(tmp_path: Path) -> None:
    made = planned(written(tmp_path), "base.checkpoint.per=seed")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "resolved.yaml").write_text(resolved_yaml(made.spec), encoding="utf-8")
    again = plan(load_study(elsewhere / "resolved.yaml"))
    assert [trial.id for trial in again.trials] == [trial.id for trial in made.trials]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("{train: pretrain-synthetik}", "no such study file; did you mean pretrain-synthetic?"),
        ("{train: later.yaml}", "more than 10 studies start from each other"),
        ("{train: first.yaml, trial: {rate: low}}", "rate: no such factor in first"),
        ("{train: first.yaml, trial: {seed: x}}", "seed: must be a whole number, 0 or more"),
        ("{train: first.yaml, trial: {seed: 3}, per: seed}", "each seed trains its own network"),
        ("{train: first.yaml, per: network}", "'network' is not known; one of seed, study"),
        ("{train: first.yaml, set: {base.stepz: 3}}", "stepz"),
        ("{study: first.yaml}", "train"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, setting: str, message: str) -> None:
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8").replace("{train: first.yaml}", setting)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as refused:
        load_study(file)
    assert message in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_another_trainers_study_makes_no_checkpoint(tmp_path: Path) -> None:
    other = (
        'name: first\ntrainer: {command: "true {folder} {a}"}\nbase: {a: 1}\nseeds: [0]\n'
        "outcome: {metric: x, better: lower}\n"
    )
    with pytest.raises(StudyError, match="first has a trainer of its own"):
        load_study(written(tmp_path, first=other))
