"""Sentences and numbers of a report that once said more than the trials do."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from reports.build import make_report, open_study
from reports.plain_text import to_text
from reports.sections.sensitivity import _by_level
from reports.sections.survival import survival
from reports.table import StudyTable

Make = Callable[..., StudyTable]


def text_of(study: StudyTable) -> str:
    return to_text(make_report(study).document)


def with_outcome(study: StudyTable, **changes: object) -> StudyTable:
    return replace(study, study={**study.study, "outcome": {**study.study["outcome"], **changes}})


@pytest.mark.parametrize("summary", ["last", "mean", "auc"])
def test_the_references_drift_is_from_start_to_end_of_its_finished_trials(make_study: Make, summary: str) -> None:
    study = make_study(factors=1, seeds=4, status={(0, 0): "diverged"})
    history = study.history.copy()
    reference = list(study.trials.loc[study.trials["cell_id"] == "000000000000", "trial_id"])
    here = history["trial_id"].isin(reference) & (history["name"] == "metric/kid")
    history.loc[here, "value"] = 0.3 - 0.1 * history.loc[here, "step"] / 400  # it gets better by 0.1
    history.loc[here & (history["trial_id"] == reference[0]), "value"] = 0.01  # it diverged
    told = text_of(replace(with_outcome(study, summary=summary), history=history))
    assert "The reference changes too. It gets better by 0.100 between step 0 and its last evaluation." in told


def test_good_steps_are_counted_as_far_as_all_groups_were_watched(make_study: Make) -> None:
    study = make_study(factors=1, seeds=4)
    trials = study.trials.copy()
    trials["degraded_at_step"] = float("nan")
    trials.loc[trials["level.long_recon"] == "without", "steps_done"] = 200
    trials.loc[trials["level.long_recon"] == "with", "degraded_at_step"] = [50.0, 75.0, 125.0, 175.0]
    table = survival(open_study(replace(study, trials=trials))).blocks[1].right[0]
    good = {row[0].value: row[4].value for row in table.rows}
    assert good == {"without": 200, "with": 106.2}
    assert "of 200, until the event" in "".join(span.text for span in table.note)


@pytest.mark.parametrize(("seeds", "told"), [(3, False), (4, True)])
def test_a_log_rank_p_needs_four_seeds_and_says_what_it_takes(make_study: Make, seeds: int, told: bool) -> None:
    study = make_study(factors=1, seeds=seeds)
    trials = study.trials.copy()
    on = trials["level.long_recon"] == "with"
    trials["degraded_at_step"] = float("nan")
    trials.loc[on, "degraded_at_step"] = 100.0
    text = text_of(replace(study, trials=trials))
    assert ("Log-rank test of without against with" in text) is told
    assert ("takes the arms of a seed for independent" in text) is told


def test_levels_are_read_at_equal_settings_of_the_others(make_study: Make) -> None:
    """One at a time: the first level's trials at other settings of the other factor are not its own."""
    study = make_study(factors=2, seeds=2, cells=3)
    levels = {**study.study["factors"]["long_recon"]["levels"], "more": {}}
    plan = {
        **study.study,
        "design": "one_at_a_time",
        "factors": {**study.study["factors"], "long_recon": {**study.study["factors"]["long_recon"], "levels": levels}},
        "cells": [*study.study["cells"], {"cell_id": "more", "levels": {"long_recon": "more", "long_fm": "without"}}],
    }
    more = study.trials.iloc[:2].assign(cell_id="more", trial_id=["m0", "m1"], **{"level.long_recon": "more"})
    trials = pd.concat([study.trials, more], ignore_index=True)
    trials.loc[trials["level.long_fm"] == "with", "metric.kid"] = 9.0
    seeds, means = _by_level(open_study(replace(study, study=plan, trials=trials)), "long_recon")
    assert {level: len(values) for level, values in means.items()} == {"without": 2, "with": 2, "more": 2}
    assert max(value for values in means.values() for value in values) < 9
    assert [len(points) for points in seeds.values()] == [3, 3]


def test_methods_say_what_effects_are_averaged_over(make_study: Make) -> None:
    assert "averaged over the levels of the other factor" in text_of(make_study(factors=2))
    assert "averaged over the settings of the other factors" in text_of(make_study(factors=3, seeds=2))
    narrowed = text_of(make_study(factors=2, cells=3))
    assert "averaged over the pairs of arms that differ in that factor alone" in narrowed
    assert "the settings of the other factors" not in narrowed
