"""The answer in words: what comes first, and what is said of factors of each kind."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reports import headline
from reports.analysis import analyse
from reports.page.blocks import plain
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.answer import lead, others

Make = Callable[..., StudyTable]


def sentences(study: StudyTable) -> str:
    return " ".join(plain(sentence) for sentence in others(StudyView(study, analyse(study))))


def answer(study: StudyTable) -> str:
    view = StudyView(study, analyse(study))
    return " ".join(plain(words) for words in (lead(view), *others(view)))


def degraded(study: StudyTable, **spared: str) -> None:
    """All trials degrade but those at one level of a factor."""
    spare = [study.trials[f"level.{factor}"] == level for factor, level in spared.items()]
    study.trials["degraded_at_step"] = 25.0
    for trials in spare:
        study.trials.loc[trials, "degraded_at_step"] = float("nan")


def test_a_reference_that_degrades_with_all_other_arms_is_said(make_study: Make) -> None:
    study = make_study(factors=2, seeds=4)
    assert "The reference degraded" not in sentences(study)
    degraded(study)
    reference = study.trials["cell_id"] == study.study["reference_cell"]
    study.trials.loc[reference, "degraded_at_step"] = [25.0, 25.0, 50.0, float("nan")]
    words = (
        "The reference degraded too (3 of 4 trials, median step 25), and so did every other arm."
    )
    assert words in sentences(study)
    assert words in headline(study)[1]
    assert "is a cause" not in sentences(study)

    # One trial of another arm does not degrade: not every trial of it did.
    other = study.trials.index[~reference][0]
    study.trials.loc[other, "degraded_at_step"] = float("nan")
    assert "and so did most trials of every other arm." in sentences(study)


def test_arms_that_are_spared_are_named(make_study: Make) -> None:
    study = make_study(factors=2, seeds=4)
    level = list(study.study["factors"]["long_fm"]["levels"])[-1]
    degraded(study, long_fm=level)
    told = sentences(study)
    assert f"median step 25); the two arms with long_fm={level} did not." in told
    cells = study.trials.loc[study.trials["level.long_fm"] == level, "cell_id"]
    study.trials.loc[study.trials["cell_id"] == cells.iloc[0], "degraded_at_step"] = 25.0
    assert "median step 25); 1 of 4 arms did not." in sentences(study)


def test_an_arm_without_an_ended_trial_is_not_spared(make_study: Make) -> None:
    study = make_study(factors=2, seeds=4)
    degraded(study, long_fm="with")
    waiting = study.trials["level.long_fm"] == "with"
    study.trials.loc[waiting, "status"] = "planned"
    assert "something that all arms share" in sentences(study)


def test_a_factor_that_helps_is_told_first_where_none_harms(make_study: Make) -> None:
    study = make_study(factors=2, seeds=4)
    study.trials.loc[study.trials["level.long_fm"] == "with", "metric.kid"] -= 0.04
    start = "long_fm makes kid better: −0.0316 at step 400 (−102%; 95% interval −0.0318"
    assert headline(study)[1].startswith(start)
    assert "makes kid better" not in sentences(study)


def test_a_factor_that_can_not_be_compared_is_named(make_study: Make) -> None:
    """All arms have `long_recon`: no sentence says that it changes nothing."""
    study = make_study(factors=2, seeds=4)
    cells = [c for c in study.study["cells"] if c["levels"]["long_recon"] == "with"]
    trials = study.trials[study.trials["level.long_recon"] == "with"]
    narrow = replace(study, study={**study.study, "cells": cells}, trials=trials)
    lines = headline(narrow)
    assert lines[1].startswith("With long_recon, long_fm changes kid by less than 0.010 (effect")
    assert "No factor" not in answer(narrow)
    assert lines[2].startswith("= long_fm equivalent")
    assert lines[2].endswith("? long_recon not compared")
    assert "No verdict on long_recon: no two arms differ in it alone." in answer(narrow)
    without = trials[trials["level.long_fm"] == "without"]
    one = replace(study, study={**study.study, "cells": cells[:1]}, trials=without)
    assert headline(one)[1].startswith("One arm: kid is 0.032")
    assert "No verdict on" not in sentences(one)


def test_where_one_harms_what_helps_is_told_after_it(make_study: Make) -> None:
    study = make_study(factors=3, seeds=4)
    study.trials.loc[study.trials["level.long_fm"] == "with", "metric.kid"] -= 0.04
    assert headline(study)[1].startswith("reassembly_fm makes kid worse")
    assert "long_fm makes kid better" in sentences(study)


def test_a_factor_that_never_acted_is_told_apart_from_one_that_does_not_matter(
    make_study: Make,
) -> None:
    """As when a warm-up is longer than the trials: differences of exactly 0 are no finding."""
    study = make_study(factors=2, seeds=4)
    trials = study.trials.set_index(["seed", "level.long_recon", "level.long_fm"]).sort_index()
    without = trials.loc[(slice(None), slice(None), "without"), "metric.kid"].to_numpy()
    trials.loc[(slice(None), slice(None), "with"), "metric.kid"] = without
    one = replace(study, trials=trials.reset_index())
    told = "long_fm did nothing: with and without it all trials end with identical values."
    assert told in sentences(one)
    reason = "the levels may not reach the training run"
    assert headline(one)[-1] == f"Next: find out why long_fm did nothing: {reason}."
    trials["metric.kid"] = 0.1
    none = replace(study, trials=trials.reset_index())
    start = "No factor has any effect: for each seed, all trials end with identical kid."
    assert headline(none)[1] == start
    assert "by less than" not in sentences(none)


def test_a_level_at_which_trials_diverge_is_told_first(make_study: Make) -> None:
    """A diverged trial has no outcome, so that no mean tells of it: its share does."""
    study = make_study(factors=2, seeds=4)
    assert "diverge" not in headline(study)[1]
    lost = study.trials["level.long_fm"] == "with"
    study.trials.loc[lost, ["status", "metric.kid"]] = ["diverged", float("nan")]
    words = "long_fm makes trials diverge: 8 of 8 with long_fm, 0 of 8 without long_fm (p < 0.001)."
    assert headline(study)[1].startswith(words)
    assert "The mean of kid is not compared where trials diverged." in answer(study)


@pytest.mark.parametrize(("shown", "told"), [(6, "four"), (3, "all")])
def test_many_factors_of_one_verdict_share_a_sentence(
    make_study: Make, shown: int, told: str
) -> None:
    """Of six factors that harm the four largest have a sentence each."""
    study = make_study(factors=shown, seeds=3)
    for place, factor in enumerate(study.study["factors"]):
        on = study.trials[f"level.{factor}"] == "with"
        study.trials.loc[on, "metric.kid"] += 0.1 + 0.01 * place
    text = answer(study)
    assert text.count(" makes kid worse: ") == (4 if told == "four" else 3)
    assert ("The same holds for long_fm (+0.1187) and long_recon (+" in text) == (told == "four")
