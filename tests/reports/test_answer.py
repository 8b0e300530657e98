from collections.abc import Callable
from dataclasses import replace

from reports import headline
from reports.analysis import analyse
from reports.document import plain
from reports.table import StudyTable
from reports.view import StudyView
from reports.words.answer import others


def sentences(study: StudyTable) -> str:
    return " ".join(plain(sentence) for sentence in others(StudyView(study, analyse(study))))


def degraded(study: StudyTable, **spared: str) -> None:
    """All trials degrade but those at one level of a factor."""
    spare = [study.trials[f"level.{factor}"] == level for factor, level in spared.items()]
    study.trials["degraded_at_step"] = 25.0
    for trials in spare:
        study.trials.loc[trials, "degraded_at_step"] = float("nan")


def test_a_reference_that_degrades_with_all_other_arms_is_said(make_study: Callable[..., StudyTable]) -> None:
    study = make_study(factors=2, seeds=4)
    assert "The reference itself degraded" not in sentences(study)
    degraded(study)
    reference = study.trials["cell_id"] == study.study["reference_cell"]
    study.trials.loc[reference, "degraded_at_step"] = [25.0, 25.0, 50.0, float("nan")]
    words = "The reference itself degraded (3 of 4 seeds, median step 25): something that all arms share is a cause."
    assert words in sentences(study)
    assert words in headline(study)[1]


def test_arms_that_are_spared_are_named(make_study: Callable[..., StudyTable]) -> None:
    study = make_study(factors=2, seeds=4)
    level = list(study.study["factors"]["long_fm"]["levels"])[-1]
    degraded(study, long_fm=level)
    assert f"median step 25); the 2 arms with long_fm={level} did not." in sentences(study)
    one = study.trials["cell_id"] == study.trials.loc[study.trials["level.long_fm"] == level, "cell_id"].iloc[0]
    study.trials.loc[one, "degraded_at_step"] = 25.0
    assert "median step 25); 1 of 4 arms did not." in sentences(study)


def test_an_arm_without_an_ended_trial_is_not_spared(make_study: Callable[..., StudyTable]) -> None:
    study = make_study(factors=2, seeds=4)
    degraded(study, long_fm="with")
    waiting = study.trials["level.long_fm"] == "with"
    study.trials.loc[waiting, "status"] = "planned"
    assert "something that all arms share" in sentences(study)


def test_a_factor_that_helps_is_told_first_where_none_harms(make_study: Callable[..., StudyTable]) -> None:
    study = make_study(factors=2, seeds=4)
    study.trials.loc[study.trials["level.long_fm"] == "with", "metric.kid"] -= 0.04
    assert headline(study)[1].startswith("long_fm makes kid better: −0.032 at step 400 (95 % interval")
    assert "makes it better" not in sentences(study)


def test_a_factor_that_can_not_be_compared_is_named(make_study: Callable[..., StudyTable]) -> None:
    """All arms have `long_recon`: no sentence says that it changes nothing."""
    study = make_study(factors=2, seeds=4)
    cells = [cell for cell in study.study["cells"] if cell["levels"]["long_recon"] == "with"]
    trials = study.trials[study.trials["level.long_recon"] == "with"]
    lines = headline(replace(study, study={**study.study, "cells": cells}, trials=trials))
    assert lines[1].startswith("No factor that can be compared changes kid")
    assert lines[2].startswith("= long_fm equivalent")
    assert lines[2].endswith("No verdict on long_recon: no two arms differ in it alone.")
    one = replace(study, study={**study.study, "cells": cells[:1]}, trials=trials[trials["level.long_fm"] == "without"])
    assert headline(one)[1].startswith("One arm: kid is 0.032")
    assert "No verdict on" not in sentences(one)


def test_where_one_harms_what_helps_is_told_after_it(make_study: Callable[..., StudyTable]) -> None:
    study = make_study(factors=3, seeds=4)
    study.trials.loc[study.trials["level.long_fm"] == "with", "metric.kid"] -= 0.04
    assert headline(study)[1].startswith("reassembly_fm makes kid worse")
    assert "long_fm makes it better" in sentences(study)


def test_a_factor_that_never_acted_is_told_apart_from_one_that_does_not_matter(
    make_study: Callable[..., StudyTable],
) -> None:
    """As when a warm-up of the discriminator is longer than the trials: differences of exactly 0 are no finding."""
    study = make_study(factors=2, seeds=4)
    trials = study.trials.set_index(["seed", "level.long_recon", "level.long_fm"]).sort_index()
    trials.loc[(slice(None), slice(None), "with"), "metric.kid"] = trials.loc[
        (slice(None), slice(None), "without"), "metric.kid"
    ].to_numpy()
    one = replace(study, trials=trials.reset_index())
    assert "long_fm did nothing: with and without it all trials end equal, to the last digit." in sentences(one)
    assert headline(one)[-1] == "Next: find out why long_fm did nothing in these trials."
    trials["metric.kid"] = 0.1
    none = replace(study, trials=trials.reset_index())
    assert headline(none)[1] == "No factor did anything: all trials of a seed end with equal kid, to the last digit."
    assert "make no difference that matters" not in sentences(none)


def test_a_level_at_which_trials_diverge_is_told_first(make_study: Callable[..., StudyTable]) -> None:
    """A diverged trial has no outcome, so that no mean tells of it: its share does."""
    study = make_study(factors=2, seeds=4)
    assert "diverged" not in headline(study)[1]
    study.trials.loc[study.trials["level.long_fm"] == "with", ["status", "metric.kid"]] = ["diverged", float("nan")]
    words = "Trials diverged: long_fm=with 8 of 8 (without 0 of 8). What follows is of those that finished."
    assert headline(study)[1].startswith(words)
