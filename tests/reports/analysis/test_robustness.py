"""Verdicts asked otherwise: other tests, a seed less, missing trials, an interaction behind a main effect."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from reports.robustness import check_verdicts
from scipy import stats

from reports.analysis import analyse
from reports.document import plain
from reports.stats.signflip import sign_flip_p
from reports.view import StudyView
from reports.words.answer import lead

CLEAR = {seed: 1.0 + 0.05 * seed for seed in range(8)}


def checks(values, sides=None, margin=0.2, start=1):
    sides = sides or {name: [(value, 0.0) for value in by_seed.values()] for name, by_seed in values.items()}
    frame = check_verdicts(values, sides, (0.0, 2.0), 0.5, margin, "lower", start)
    return {row["factor"]: row for row in frame.to_dict("records")}


def test_exact_p_and_bootstrap_are_those_of_the_libraries():
    found = checks({"a": CLEAR, "b": {seed: 0.01 * (-1) ** seed for seed in range(8)}})
    assert found["a"]["p_sign_flip"] == sign_flip_p(list(CLEAR.values())) == 2 / 2**8
    assert found["a"]["p_sign_flip_adjusted"] == 2 * found["a"]["p_sign_flip"]
    data = np.asarray(list(CLEAR.values()))
    known = stats.bootstrap((data,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(1))
    assert (found["a"]["boot_low"], found["a"]["boot_high"]) == tuple(known.confidence_interval)
    assert found["a"]["effect_in_sds"] == pytest.approx(data.mean() / 0.5)


def test_equal_plans_give_equal_numbers():
    assert repr(checks({"a": CLEAR})) == repr(checks({"a": CLEAR}))
    assert checks({"a": CLEAR})["a"]["boot_low"] != checks({"a": CLEAR}, start=2)["a"]["boot_low"]


def test_a_seed_that_decides_is_named():
    """Seed 4 hides an effect that all others show."""
    found = checks({"a": {0: 0.5, 1: 0.52, 2: 0.48, 3: 0.5, 4: -0.4, 5: 0.51}})["a"]
    assert found["verdict"] == "not enough data"
    assert found["hangs_on_seeds"] == "4"
    assert checks({"a": CLEAR})["a"]["hangs_on_seeds"] == ""


def test_few_seeds_have_no_bootstrap_and_none_is_left_out():
    found = checks({"a": {0: 1.0, 1: 1.1, 2: -3.0}})["a"]
    assert math.isnan(found["boot_low"])
    assert found["hangs_on_seeds"] == ""


def test_missing_trials_bound_the_effect():
    sides = {"a": [(1.0, 0.0)] * 6 + [(math.nan, 0.5), (1.5, math.nan)]}
    found = checks({"a": dict.fromkeys(range(6), 1.0)}, sides)["a"]
    assert found["n_missing"] == 2
    assert found["worst_low"] == pytest.approx((6 + (0.0 - 0.5) + (1.5 - 2.0)) / 8)
    assert found["worst_high"] == pytest.approx((6 + (2.0 - 0.5) + (1.5 - 0.0)) / 8)
    assert math.isnan(checks({"a": CLEAR})["a"]["worst_low"])


def test_a_factor_that_acts_with_another_alone_is_told_so(make_study):
    """`long_fm` does nothing without `long_recon`, and much with it."""
    table = make_study(factors=2, seeds=6)
    noise = 0.0002 * np.sin(np.arange(len(table.trials)))
    both = (table.trials["level.long_recon"] == "with") & (table.trials["level.long_fm"] == "with")
    value = 0.03 + 0.02 * (table.trials["level.long_recon"] == "with") + 0.05 * both + noise
    table = replace(table, trials=table.trials.assign(**{"metric.kid": value}))
    analysis = analyse(table)
    simple = analysis.simple.set_index(["factor", "other", "level"])["effect"]
    assert simple["long_fm", "long_recon", "without"] == pytest.approx(0.0, abs=0.001)
    assert simple["long_fm", "long_recon", "with"] == pytest.approx(0.05, abs=0.001)
    words = plain(lead(StudyView(table, analysis)))
    assert "long_fm does so only with long_recon=with (+0.050; with without 0.000)" in words
    assert "long_recon does so only" not in words


def test_simple_effects_average_to_the_main_effect(make_study):
    analysis = analyse(make_study(factors=3, seeds=5))
    assert isinstance(analysis.simple, pd.DataFrame)
    for row in analysis.verdicts.to_dict("records"):
        for _, part in analysis.simple[analysis.simple["factor"] == row["factor"]].groupby("other"):
            assert part["effect"].mean() == pytest.approx(row["effect"], abs=1e-12)
