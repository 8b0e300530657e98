"""Values that every arm chooses among tries: what is planned before, and what is refused."""

import json
from pathlib import Path

import pytest

from ablate.planning.forks import steps_saved
from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.plan_file import plan_record, resolved_yaml
from ablate.planning.pretraining import needed, pretrainings, tries
from ablate.study.nouns import Plan, StudyError
from ablate.trainers.resolve import trainer_of
from tests.tiny import TINY

STUDY = """
extends: funit2funit
name: tuned
factors:
  long_fm: null
  reassembly_fm: null
design: full_factorial
seeds: [0, 1, 2]
tune: {path: lr_generator, values: [1.0e-5, 1.0e-4, 1.0e-3]}
"""


def written(folder: Path, text: str = STUDY) -> Path:
    """A study file in this folder."""
    file = folder / "tuned.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def planned(file: Path, *settings: str, seeds: tuple[int, ...] | None = None) -> Plan:
    return plan(load_study(file, [*TINY, *settings]), seeds)


def ids(made: Plan) -> set[str]:
    return {trial.id for trial in made.trials}


def tried(made: Plan) -> set[str]:
    return {one.trial.id for one in tries(made.trials)}


def test_every_arm_tries_the_same_values_on_seeds_that_are_no_replicates(tmp_path: Path) -> None:
    made = planned(written(tmp_path))
    arms = {trial.cell_id: trial.tuned for trial in made.trials}
    assert len(arms) == 2
    for tuned in arms.values():
        assert tuned is not None
        assert [one.value for one in tuned.tries] == [1e-5, 1e-4, 1e-3]
        assert [trial.seed for one in tuned.tries for trial in one.trials] == [100] * 3
    assert len(tries(made.trials)) == 6
    assert {one.spec.name for one in tries(made.trials)} == {"tuned-tuning"}

    record = plan_record(made)
    assert record["tuning"]["values"] == [1e-5, 1e-4, 1e-3]
    assert {one["cell_id"] for one in record["tuning"]["tries"]} == set(arms)
    assert record["steps"]["tuning"] == 6 * 6
    assert json.dumps(record)


def test_ids_are_known_before_and_depend_on_the_tries_and_the_rule(tmp_path: Path) -> None:
    file = written(tmp_path)
    before = ids(planned(file))
    assert before == ids(planned(file))
    for setting in (
        "tune.values=[1.0e-5, 1.0e-4]",
        "tune.seeds=[101]",
        "outcome.summary=best",
        "outcome.metric=short_l1",
        "tune=null",
    ):
        assert not before & ids(planned(file, setting)), setting
    # What `base:` says at the path counts for nothing, nor do names and margins
    for setting in (
        "base.lr_generator=0.5",
        "outcome.smallest_effect=0.5",
        "base.checkpoint_every=3",
    ):
        assert before == ids(planned(file, setting)), setting


def test_further_seeds_and_arms_try_nothing_again(tmp_path: Path) -> None:
    file = written(tmp_path)
    made = planned(file)
    more = planned(file, seeds=(0, 1, 2, 3))
    assert ids(made) < ids(more)
    assert tried(made) == tried(more)

    text = STUDY.replace("  long_fm: null\n", "")
    arms = planned(written(tmp_path, text))
    assert ids(made) < ids(arms)
    assert tried(made) < tried(arms)
    assert len(tried(arms)) == 12


def test_a_range_is_drawn_once_and_can_be_drawn_further(tmp_path: Path) -> None:
    text = STUDY.replace(
        "values: [1.0e-5, 1.0e-4, 1.0e-3]", "from: 1.0e-5, to: 1.0e-3, scale: log, tries: 3"
    )
    file = written(tmp_path, text)
    made = planned(file)
    assert plan_record(made)["tuning"]["values"] == [1e-4, 3.16e-5, 3.16e-4]
    more = planned(file, "tune.tries=5")
    assert tried(made) < tried(more)
    whole = planned(
        file, "tune={path: discriminator_warmup, from: 0, to: 4, tries: 3}", "base.steps=5"
    )
    assert plan_record(whole)["tuning"]["values"] == [2, 1, 3]


def test_the_resolved_study_is_the_same_study(tmp_path: Path) -> None:
    for settings in ((), ("tune={path: lr_generator, from: 0.1, to: 0.2, tries: 2}",)):
        made = planned(written(tmp_path), *settings)
        resolved = tmp_path / "study.resolved.yaml"
        resolved.write_text(resolved_yaml(made.spec), encoding="utf-8")
        assert plan(load_study(resolved)).hash == made.hash


def test_arms_that_choose_share_no_steps(tmp_path: Path) -> None:
    late = (
        "  long_recon: null\n  begin:\n    levels:\n      never: {losses.long_recon: 0}\n"
        "      late: {losses.long_recon: 1, schedules.long_recon: {kind: delay, start: 5}}\n"
    )
    text = STUDY.replace("design:", f"{late}design:")
    made = planned(written(tmp_path, text))
    trainer = trainer_of(made.spec)
    assert steps_saved(made.trials, trainer) == 0
    fixed = planned(written(tmp_path, text), "tune=null")
    assert steps_saved(fixed.trials, trainer) > 0


def test_the_reference_of_a_design_that_turns_factors_off_is_the_reference_of_the_tries(
    tmp_path: Path,
) -> None:
    made = planned(written(tmp_path, STUDY.replace("full_factorial", "leave_one_out")))
    tuning = made.spec.tune
    assert tuning is not None
    cells = {trial.levels["long_recon"] for trial in made.trials}
    assert {factor.name: factor.reference for factor in tuning.study.factors}["long_recon"] == (
        made.reference["long_recon"]
    )
    assert len(plan(tuning.study).trials) == len(cells) * 3


def test_tries_start_where_their_arm_starts(tmp_path: Path) -> None:
    first = "extends: pretrain-synthetic\nname: first\nseeds: [7]\n"
    (tmp_path / "first.yaml").write_text(first, encoding="utf-8")
    train = f"{{train: {tmp_path / 'first.yaml'}, per: seed}}"
    made = planned(written(tmp_path), f"base.checkpoint={train}")
    assert [one.trial.seed for one in pretrainings(made.trials)] == [1000, 1100, 1001, 1002]
    names = [one.name for one in needed(made.trials)]
    for one in tries(made.trials):
        assert one.trial.start is not None
        assert names.index(one.trial.start.name) < names.index(one.name)


MISTAKES = {
    "tune.path=lr_generater": "tune.path: 'lr_generater' is not known; did you mean lr_generator?",
    "tune.path=losses.long_recon": (
        "tune.path: factor long_recon sets losses.long_recon; arms can't choose it too"
    ),
    "tune.path=losses": "tune.path: factor long_recon sets losses.long_recon",
    "tune.path=checkpoint": "tune.path: a checkpoint can't be chosen",
    "tune.values=[1.0e-4, fast]": "tune.values.1: 'fast' must be a number",
    "tune.values=[1.0e-4]": "tune.values: needs at least 2, has 1",
    "tune.values=[1.0e-4, 0.0001]": "tune.values: ",
    "tune.seeds=[100, 1]": "tune.seeds.1: 1 is a replicate",
    "tune.tries=3": "tune.tries: goes with a range, and not with values",
    "tune={path: lr_generator}": "tune: needs values: [...], or a range: from, to, and tries",
    "tune={path: lr_generator, from: 1}": "tune: a range needs from, to, and tries; to is missing",
    "tune={path: lr_generator, from: 2, to: 1, tries: 2}": "tune.to: must be above from, 2",
    "tune={path: lr_generator, from: 0, to: 1, tries: 2, scale: log}": "tune.from: must be above 0",
    "tune={path: model, from: 0, to: 1, tries: 2}": "tune: model isn't a number",
    "tune={path: threads, from: 1, to: 2, tries: 4}": "only 2 different values",
    "tune={path: checkpoint_every, values: [2, 3]}": "tune.path: changes nothing",
    "tune={path: optimizer, values: [adam, rmsprop, sgd]}": "tune.values.2: ",
}


@pytest.mark.parametrize("setting", MISTAKES)
def test_mistakes_are_told_at_their_place(tmp_path: Path, setting: str) -> None:
    with pytest.raises(StudyError) as error:
        planned(written(tmp_path), setting)
    assert MISTAKES[setting] in str(error.value)
    assert "\n" not in str(error.value)


def test_a_seed_of_the_tries_is_no_replicate_of_the_option_either(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"--seeds 0,100: the tries of tune use seed 100"):
        planned(written(tmp_path), seeds=(0, 100))
    beside = planned(written(tmp_path), "seeds=[100, 101, 5]")
    assert plan_record(beside)["tuning"]["seeds"] == [102]


def test_a_pretraining_can_not_choose(tmp_path: Path) -> None:
    written(tmp_path)
    later = tmp_path / "later.yaml"
    text = "extends: funit2funit\nname: later\nbase: {checkpoint: {train: tuned.yaml}}\n"
    later.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"tuned tunes lr_generator, and a pre-training can't"):
        load_study(later, [one for one in TINY if "checkpoint" not in one])
