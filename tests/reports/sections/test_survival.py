"""How long trials stay good: the table of survival and its test."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reports.build import make_report, open_study
from reports.render.plain_text import to_text
from reports.sections.survival import survival
from reports.table import StudyTable

Make = Callable[..., StudyTable]


def text_of(study: StudyTable) -> str:
    return to_text(make_report(study).document)


def test_good_steps_are_counted_as_far_as_all_groups_were_watched(make_study: Make) -> None:
    study = make_study(factors=1, seeds=4)
    trials = study.trials.copy()
    trials["degraded_at_step"] = float("nan")
    trials.loc[trials["level.long_recon"] == "without", "steps_done"] = 200
    trials.loc[trials["level.long_recon"] == "with", "degraded_at_step"] = [
        50.0,
        75.0,
        125.0,
        175.0,
    ]
    table = survival(open_study(replace(study, trials=trials))).blocks[1].right[0]
    good = {row[0].value: row[4].value for row in table.rows}
    assert good == {"without": 200, "with": 106.2}
    assert "of 200, until the event" in "".join(span.text for span in table.note)


@pytest.mark.parametrize(("seeds", "told"), [(3, False), (4, True)])
def test_a_log_rank_p_needs_four_seeds_and_says_what_it_takes(
    make_study: Make, seeds: int, told: bool
) -> None:
    study = make_study(factors=1, seeds=seeds)
    trials = study.trials.copy()
    on = trials["level.long_recon"] == "with"
    trials["degraded_at_step"] = float("nan")
    trials.loc[on, "degraded_at_step"] = 100.0
    text = text_of(replace(study, trials=trials))
    assert ("Log-rank test of without against with" in text) is told
    assert ("takes the arms of a seed for independent" in text) is told


def test_trials_that_never_ran_are_not_watched(make_study: Make) -> None:
    study = make_study(factors=1, seeds=4, status={(1, 3): "failed"})
    table = survival(open_study(study)).blocks[1].right[0]
    assert {row[0].value: row[1].value for row in table.rows} == {"without": 4, "with": 3}
