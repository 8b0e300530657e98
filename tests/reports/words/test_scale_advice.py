"""A log scale is proposed where spreads grow with means, and only there."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from reports import open_study
from reports.page.blocks import plain
from reports.table import StudyTable
from reports.words.scale_advice import scale_words

Make = Callable[..., StudyTable]


def multiplied(make_study: Make, scale: str = "linear") -> StudyTable:
    """Four arms with means 1 to 8 whose spreads are in proportion to them."""
    study = make_study(factors=2, seeds=5)
    trials = study.trials.copy()
    arm = trials["cell_id"].map(lambda cell: int(cell, 16))
    trials["metric.kid"] = 2.0**arm * np.exp(0.1 * np.sin(trials["seed"] * 7.0 + arm))
    plan = {**study.study, "outcome": {**study.study["outcome"], "scale": scale}}
    return replace(study, study=plan, trials=trials)


def test_growing_spreads_give_the_advice(make_study: Make) -> None:
    found = scale_words(open_study(multiplied(make_study)))
    assert found is not None
    text = plain(found)
    assert text.startswith("Spreads grow with means: the standard deviation over seeds is 0.0")
    assert "in none of the two (mean 1.0" in text
    assert "in long_recon + long_fm (mean " in text
    assert text.endswith("Set outcome.scale: log in the next study.")


def test_no_advice_on_a_log_scale_or_with_equal_spreads(make_study: Make) -> None:
    assert scale_words(open_study(multiplied(make_study, "log"))) is None
    assert scale_words(open_study(make_study(factors=2, seeds=5))) is None
