import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.analysis import analyse
from reports.stats.paired import Interval, holm


@pytest.fixture(scope="module")
def full(make_study):
    """Three factors, five seeds, nothing missing."""
    return make_study(factors=3, seeds=5)


def test_holm_is_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = [0.001, 0.04, 0.03, 0.8, 0.01]
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([0.02, math.nan, 0.03])[0] == pytest.approx(0.04)
    assert math.isnan(holm([0.02, math.nan])[1])


def test_an_interval_is_scipys():
    data = [0.1, 0.3, 0.2, 0.6]
    interval, known = Interval.of(data), stats.ttest_1samp(data, 0.0)
    assert (interval.low, interval.high) == pytest.approx(tuple(known.confidence_interval()))
    assert interval.p == pytest.approx(known.pvalue)
    one = Interval.of([0.5])
    assert one.mean == 0.5
    assert math.isnan(one.low)


def test_effects_are_those_of_least_squares(full):
    """With signs -1 and +1, twice the coefficient of a term is its contrast."""
    from statsmodels.formula.api import ols

    data = full.trials.rename(columns={"metric.kid": "y"})
    for name, factor in zip("abc", full.study["factors"], strict=True):
        data[name] = np.where(data[f"level.{factor}"] == "with", 1, -1)
    fit = ols("y ~ a * b * c", data).fit()
    terms = ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]
    assert analyse(full).effects["estimate"].tolist() == pytest.approx(
        [2 * fit.params[t] for t in terms], abs=1e-9
    )


def test_shapley_values_sum_to_the_total_and_equal_the_definition(full):
    shares = analyse(full).shapley.set_index("factor")["value"]
    means = full.trials.groupby("cell_id")["metric.kid"].mean().to_numpy()
    assert shares.sum() == pytest.approx(means[-1] - means[0], abs=1e-12)
    value = {bits: means[index] for index, bits in enumerate(itertools.product((0, 1), repeat=3))}
    first = sum(
        weight * (value[1, b, c] - value[0, b, c])
        for (b, c), weight in {(0, 0): 1 / 3, (1, 0): 1 / 6, (0, 1): 1 / 6, (1, 1): 1 / 3}.items()
    )
    assert shares["long_recon"] == pytest.approx(first, abs=1e-12)


def test_pairs_that_share_a_seed_count_once(full):
    """Four pairs a seed over five seeds: n is 5, and the interval is that of the five means."""
    row = analyse(full).verdicts.set_index("factor").loc["long_fm"]
    on = full.trials["level.long_fm"] == "with"
    means = full.trials.groupby([on, "seed"])["metric.kid"].mean().unstack(0)
    known = stats.ttest_1samp(means[True] - means[False], 0.0)
    assert row["n_pairs"] == 5
    assert (row["low"], row["high"]) == pytest.approx(tuple(known.confidence_interval()), abs=1e-12)


def test_what_did_not_finish_is_never_averaged_in(make_study):
    table = make_study(status={(1, 0): "diverged", (2, 1): "failed"})
    arms = analyse(table).arms
    assert arms["n_finished"].tolist() == [4, 3, 3, 4]
    assert arms["n_diverged"].tolist() == [0, 1, 0, 0]
    assert arms["n_failed"].tolist() == [0, 0, 1, 0]
    finished = (
        table.trials[table.trials["status"] == "finished"].groupby("cell_id")["metric.kid"].mean()
    )
    assert arms.set_index("cell_id")["mean"].to_dict() == pytest.approx(finished.to_dict())


def test_an_outcome_that_is_not_finite_is_missing(make_study):
    table = make_study()
    chosen = (table.trials["seed"] == 1) & (table.trials["level.long_fm"] == "with")
    table.trials.loc[chosen, "metric.kid"] = math.inf
    verdicts = analyse(table).verdicts.set_index("factor")
    assert verdicts["n_pairs"].to_dict() == {"long_recon": 4, "long_fm": 3}
    assert np.isfinite(verdicts["effect"]).all()


def test_several_levels_have_a_verdict_each(make_study):
    table = make_study(factors=1)
    extra = table.trials.iloc[4:].assign(cell_id="more", **{"level.long_recon": "10"})
    study = {
        **table.study,
        "cells": [*table.study["cells"], {"cell_id": "more", "levels": {"long_recon": "10"}}],
    }
    factor = table.study["factors"]["long_recon"]
    study["factors"] = {"long_recon": {**factor, "levels": {**factor["levels"], "10": {}}}}
    found = analyse(replace(table, study=study, trials=pd.concat([table.trials, extra])))
    assert found.verdicts["factor"].tolist() == ["long_recon=with", "long_recon=10"]
    assert len(found.effects) == len(found.shapley) == 0


def test_several_levels_in_a_full_factorial_have_effects_and_interactions(make_study):
    """A third level of `long_fm` that adds 0.5 to `kid` without `long_recon` and 0.9 with it."""
    table = make_study(factors=2)
    cells, trials = list(table.study["cells"]), [table.trials]
    for number, (recon, amount) in enumerate((("without", 0.5), ("with", 0.9))):
        levels = {"long_recon": recon, "long_fm": "10"}
        cells.append({"cell_id": f"more{number}", "levels": levels})
        chosen = (table.trials["level.long_recon"] == recon) & (
            table.trials["level.long_fm"] == "without"
        )
        extra = table.trials[chosen].assign(cell_id=f"more{number}", **{"level.long_fm": "10"})
        trials.append(extra.assign(**{"metric.kid": extra["metric.kid"] + amount}))
    factors = dict(table.study["factors"])
    factors["long_fm"] = {
        **factors["long_fm"],
        "levels": {**factors["long_fm"]["levels"], "10": {}},
    }
    study = {**table.study, "cells": cells, "factors": factors}
    found = analyse(replace(table, study=study, trials=pd.concat(trials, ignore_index=True)))
    effects = found.effects.set_index("term")["estimate"]
    names = [
        "long_recon",
        "long_fm=with",
        "long_fm=10",
        "long_recon × long_fm=with",
        "long_recon × long_fm=10",
    ]
    assert effects.index.tolist() == names
    assert effects["long_fm=10"] == pytest.approx(0.7)
    assert effects["long_recon × long_fm=10"] == pytest.approx(0.2)
    two_levels = analyse(table).effects.set_index("term")["estimate"]
    assert effects["long_fm=with"] == pytest.approx(two_levels["long_fm"])
    assert effects["long_recon × long_fm=with"] == pytest.approx(two_levels["long_recon × long_fm"])
    simple = found.simple.set_index(["factor", "other", "level"])["effect"]
    assert simple["long_fm=10", "long_recon", "with"] == pytest.approx(0.9)
    assert simple["long_fm=10", "long_recon", "without"] == pytest.approx(0.5)
    assert ("long_recon", "long_fm", "10") in simple


def test_leave_one_out_compares_each_arm_with_its_neighbour(make_study):
    """All on and each one off: the pair of a factor are the full arm and the one without it."""
    table = make_study(factors=2)
    kept = [1, 2, 3]
    cells = [table.study["cells"][i] for i in kept]
    ids = [cell["cell_id"] for cell in cells]
    study = {**table.study, "cells": cells, "reference_cell": ids[-1]}
    trials = table.trials[table.trials["cell_id"].isin(ids)]
    found = analyse(replace(table, study=study, trials=trials)).verdicts.set_index("factor")
    means = trials.groupby("cell_id")["metric.kid"].mean()
    assert found.loc["long_recon", "effect"] == pytest.approx(means[ids[2]] - means[ids[0]])
    assert found.loc["long_fm", "effect"] == pytest.approx(means[ids[2]] - means[ids[1]])


def kept(table, numbers, kind="custom"):
    """The study with these cells alone."""
    cells = [table.study["cells"][number] for number in numbers]
    trials = table.trials[table.trials["cell_id"].isin([cell["cell_id"] for cell in cells])]
    return replace(
        table, study={**table.study, "cells": cells, "design": {"kind": kind}}, trials=trials
    )


def cell_means(table):
    return table.trials.groupby("cell_id")["metric.kid"].mean().to_numpy()


@pytest.mark.parametrize("kind", ["full_factorial", "fractional_factorial", "custom"])
def test_a_level_that_all_arms_have_is_no_effect(make_study, kind):
    """As `--only long_recon=with` leaves it: the mean outcome is large, and says nothing of
    `long_recon`."""
    found = analyse(kept(make_study(factors=2), (2, 3), kind))
    assert found.verdicts["factor"].tolist() == ["long_fm"]
    assert found.uncompared == ("long_recon",)
    assert len(found.effects) == len(found.shapley) == 0


def test_factors_that_never_change_alone_have_no_verdict(make_study):
    """Cells 000, 100 and 011: the first factor has a pair, the others always change together."""
    table = kept(make_study(factors=3), (0, 4, 3))
    found, means = analyse(table), cell_means(table)
    assert found.verdicts["factor"].tolist() == ["long_recon"]
    assert found.verdicts["effect"][0] == pytest.approx(means[2] - means[0])
    assert found.uncompared == ("long_fm", "reassembly_fm")
    assert len(found.effects) == 0


def test_two_cells_that_differ_in_all_factors_tell_of_none(make_study):
    """00 and 11 are balanced, and yet no contrast is one factor's."""
    found = analyse(kept(make_study(factors=2), (0, 3)))
    assert len(found.verdicts) == len(found.effects) == 0


def test_a_fraction_has_verdicts_by_contrast_and_a_part_of_it_has_none(make_study):
    """Half of a 2^3: 000, 011, 101, 110. With `--only long_recon=with` the other two can't be told
    apart."""
    table = kept(make_study(factors=3), (0, 3, 5, 6), "fractional_factorial")
    aliases = {"long_recon": ["long_fm:reassembly_fm"], "long_fm:reassembly_fm": ["long_recon"]}
    found, means = (
        analyse(replace(table, study={**table.study, "aliases": aliases})),
        cell_means(table),
    )
    assert found.effects["aliases"].tolist() == [
        "long_fm × reassembly_fm",
        "long_recon × reassembly_fm",
        "long_recon × long_fm",
    ]
    assert found.verdicts["effect"][1] == pytest.approx(
        (means[1] + means[3] - means[0] - means[2]) / 2
    )
    assert found.effects["term"].tolist() == found.verdicts["factor"].tolist()
    assert found.uncompared == ()
    part = analyse(kept(make_study(factors=3), (5, 6), "fractional_factorial"))
    assert len(part.verdicts) == len(part.effects) == 0


def test_a_level_that_equals_the_first_takes_nothing_from_the_others(make_study):
    """`zero` gives the configs of `without`: its cells are the same ones, and it has no verdict of
    its own."""
    table = make_study(factors=2)
    zero = [
        {"cell_id": cell["cell_id"], "levels": {**cell["levels"], "long_recon": "zero"}}
        for cell in table.study["cells"][:2]
    ]
    factor = table.study["factors"]["long_recon"]
    factors = {
        **table.study["factors"],
        "long_recon": {**factor, "levels": {**factor["levels"], "zero": {}}},
    }
    study = {**table.study, "cells": [*table.study["cells"], *zero], "factors": factors}
    found, usual = analyse(replace(table, study=study)), analyse(table)
    assert found.verdicts["factor"].tolist() == ["long_recon=with", "long_fm"]
    assert found.verdicts["effect"][0] == pytest.approx(usual.verdicts["effect"][0])
    means = cell_means(table)
    assert found.verdicts["effect"][1] == pytest.approx(
        (2 * (means[1] - means[0]) + means[3] - means[2]) / 3
    )
    assert found.uncompared == ("long_recon=zero",)
    assert found.arms["cell_id"].tolist() == usual.arms["cell_id"].tolist()
    assert found.arms["level.long_recon"].tolist() == ["without", "without", "with", "with"]


def test_a_factor_that_acts_with_another_alone_is_averaged_over_equal_cells(make_study):
    """`long_fm` changes nothing without `long_recon`: cells 00 and 01 are one, whose outcome stands
    at both places."""
    found, means = analyse(table := make_study(equal={1: 0})), cell_means(table)
    effects = found.effects.set_index("term")["estimate"]
    verdicts = found.verdicts.set_index("factor")["effect"]
    assert verdicts["long_fm"] == pytest.approx((means[2] - means[1]) / 2)
    assert verdicts["long_recon"] == pytest.approx((means[1] + means[2]) / 2 - means[0])
    assert effects[["long_recon", "long_fm"]].tolist() == pytest.approx(verdicts.tolist())
    assert effects["long_recon × long_fm"] == pytest.approx(verdicts["long_fm"])
    simple = found.simple.set_index(["factor", "other", "level"])["effect"]
    assert simple["long_fm", "long_recon", "without"] == 0.0
    assert found.shapley["value"].sum() == pytest.approx(means[2] - means[0])


def test_a_cell_beside_itself_makes_no_seed_count(make_study):
    """Seed 1 lacks the one pair that tells of `long_fm`: it is missing, not without effect."""
    found = analyse(make_study(equal={1: 0}, status={(3, 1): "diverged"}))
    assert found.verdicts.set_index("factor")["n_pairs"].to_dict() == {
        "long_recon": 4,
        "long_fm": 3,
    }
    assert found.differences.groupby("factor")["seed"].apply(list)["long_fm"] == [0, 2, 3]


def test_a_cell_beside_itself_differs_by_nothing_also_where_its_trial_is_missing(make_study):
    """Seed 1 lacks the reference: what `long_fm` does beside `long_recon` still counts half."""
    whole, found = (
        analyse(make_study(equal={1: 0})),
        analyse(make_study(equal={1: 0}, status={(0, 1): "diverged"})),
    )
    ours, theirs = [
        one.differences.query("factor == 'long_fm'")["effect"].tolist() for one in (found, whole)
    ]
    assert ours == theirs
    assert found.checks.set_index("factor")["n_missing"].to_dict() == {
        "long_recon": 2,
        "long_fm": 0,
    }


def test_what_could_be_detected_and_the_seeds_needed_agree(make_study):
    """Both are planned at the level of one direction: a margin can be detected with the seeds that
    find it."""
    table = make_study(factors=3, seeds=5)
    noise = np.random.default_rng(0).normal(0, 0.01, len(table.trials))
    table = replace(
        table, trials=table.trials.assign(**{"metric.kid": table.trials["metric.kid"] + noise})
    )
    for margin in np.linspace(0.005, 0.05, 46):
        outcome = {**table.study["outcome"], "smallest_effect": float(margin)}
        found = analyse(replace(table, study={**table.study, "outcome": outcome}))
        enough = found.checks["seeds_low"] <= found.verdicts["n_pairs"]
        assert (found.verdicts["detectable_effect"] <= margin).tolist() == enough.tolist()


def test_onset_says_when_or_how_long_it_was_watched(make_study):
    onset = analyse(make_study(status={(0, 1): "diverged"})).onset
    assert onset["event"].tolist()[:4] == ["none", "diverged", "none", "none"]
    assert onset["censored_at_step"].tolist()[:2] == [400, 200]
    assert (onset.loc[onset["event"] == "degraded", "degraded_at_step"] > 0).all()


def test_the_interval_covers_the_truth_as_often_as_it_claims():
    """2000 simulated studies of five seeds: 95 % of the intervals hold the true mean."""
    data = np.random.default_rng(0).normal(0.3, 1.0, (2000, 5))
    covered = [(found := Interval.of(row.tolist())).low <= 0.3 <= found.high for row in data]
    assert 0.93 < np.mean(covered) < 0.97
