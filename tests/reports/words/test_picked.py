"""The best of several means is told as picked, with what would confirm it."""

import shlex
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from reports import open_study
from reports.page.blocks import plain
from reports.sections.arms import arms
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.picked import compared, confirm_next, fresh_seeds, picked_words, ranking

Make = Callable[..., StudyTable]


def words(view: StudyView) -> str:
    found = picked_words(view)
    assert found is not None
    return plain(found)


def told(view: StudyView) -> str:
    section = arms(view)
    assert section is not None
    return plain(section.blocks[0].spans)


def test_the_best_of_several_arms_was_picked(make_study: Make) -> None:
    view = open_study(make_study(factors=3, seeds=4))
    ranked = ranking(view)
    best, following = ranked[:2]
    assert best.mean == min(one.mean for one in ranked)
    assert words(view) == (
        f"{best.arm.label} has the lowest mean of 8 arms ({best.mean:.3f}). It was not tested "
        f"against the next arm, {following.arm.label} ({following.mean:.3f}). It was picked as "
        "best on the same seeds and evaluation pairs that measured it, so its mean is probably "
        "too good. Fresh seeds and fresh evaluation pairs would confirm it."
    )


def test_the_arms_section_tells_means_without_a_claim(make_study: Make) -> None:
    many = told(open_study(make_study(factors=3, seeds=4)))
    assert "It was picked as best" in many
    assert "Highest mean: " in many
    assert "Lowest mean: " not in many
    two = told(open_study(make_study(factors=1, seeds=4)))
    assert two.startswith("Lowest mean: without long_recon, 0.03")
    assert "picked" not in two
    for text in (many, two):
        assert "Best" not in text
        assert "Worst" not in text


def test_where_higher_is_better_the_highest_mean_is_picked(make_study: Make) -> None:
    study = make_study(factors=2, seeds=4)
    outcome = {**study.study["outcome"], "better": "higher"}
    view = open_study(replace(study, study={**study.study, "outcome": outcome}))
    assert words(view).startswith("long_recon + long_fm has the highest mean of 4 arms")
    assert "Lowest mean: " in told(view)


def test_two_arms_or_a_tie_are_not_picked_from(make_study: Make) -> None:
    assert picked_words(open_study(make_study(factors=1, seeds=4))) is None
    study = make_study(factors=2, seeds=4)
    tied = open_study(replace(study, trials=study.trials.assign(**{"metric.kid": 0.03})))
    assert picked_words(tied) is None
    assert confirm_next(tied) is None
    assert "All 4 means are equal: none of the two, 0.03" in told(tied)


def test_trials_that_diverged_are_counted_beside_the_mean(make_study: Make) -> None:
    view = open_study(make_study(factors=2, seeds=4, status={(0, 1): "diverged"}))
    text = words(view)
    assert "has the lowest mean of 4 arms (0.030; 1 of 4 trials diverged)." in text


def one_at_a_time(study: StudyTable) -> StudyTable:
    return replace(study, study={**study.study, "design": {"kind": "add_one_in"}})


def test_a_verdict_on_just_these_two_arms_is_a_test(make_study: Make) -> None:
    """With arms 0, fm, and recon, the reference is compared with each of the others."""
    study = one_at_a_time(make_study(factors=2, seeds=6, cells=3))
    trials = study.trials.copy()
    shift = np.where(trials["level.long_fm"] == "with", 0.02, 0.0)
    shift += np.where(trials["level.long_recon"] == "with", 0.05, 0.0)
    trials["metric.kid"] = 0.03 + shift + 0.001 * np.sin(trials["seed"] * 7.0 + shift * 100)
    view = open_study(replace(study, trials=trials))
    best, following, last = (one.arm for one in ranking(view))
    assert compared(view, best, following)
    assert not compared(view, following, best)
    assert not compared(view, following, last)
    assert "It is better than the next arm, long_fm (0.050) by a verdict" in words(view)


@pytest.mark.parametrize("looks", [(), (2, 6)])
def test_fresh_seeds_are_neither_used_nor_planned(
    make_study: Make,
    looks: tuple[int, ...],
) -> None:
    study = make_study(factors=2, seeds=4)
    outcome = {**study.study["outcome"], **({"looks": list(looks)} if looks else {})}
    plan = {**study.study, "outcome": outcome, "seeds": [0, 1, 2, 3, 12]}
    view = open_study(replace(study, study=plan))
    seeds = fresh_seeds(view)
    assert not set(seeds) & {0, 1, 2, 3, 12}
    assert len(seeds) == (6 if looks else 4)


def test_the_command_runs_the_picked_arm_and_the_reference(make_study: Make) -> None:
    study = make_study(factors=3, seeds=4)
    trials = study.trials.copy()
    trials.loc[trials["cell_id"] == f"{1:012x}", "metric.kid"] = 0.001
    digest = trials["seed"].astype(str)
    fixed = {"digest.checkpoint": "c", "digest.eval_pairs": digest}
    view = open_study(replace(study, trials=trials.assign(**fixed)))
    next_ = confirm_next(view)
    assert next_ is not None
    text = plain(next_)
    assert text.startswith("to confirm the picked arm with 4 fresh seeds with new evaluation pairs")
    assert "(2 arms, with none of the three for comparison)" in text
    command = shlex.split(next(span.text for span in next_ if span.text.startswith("g2g")))
    assert command == [
        *("g2g-ablate", "run", "study.resolved.yaml"),
        *("--only", "long_recon=without", "--only", "long_fm=without"),
        *("--seeds", "4,5,6,7", "--out", "confirm"),
    ]


def test_pairs_that_seeds_share_are_not_offered_as_new(make_study: Make) -> None:
    study = make_study(factors=2, seeds=4)
    shared = {"digest.checkpoint": "c", "digest.eval_pairs": "same"}
    view = open_study(replace(study, trials=study.trials.assign(**shared)))
    next_ = confirm_next(view)
    assert next_ is not None
    assert "evaluation pairs" not in plain(next_)
    assert "Fresh seeds would confirm it." in words(view)
