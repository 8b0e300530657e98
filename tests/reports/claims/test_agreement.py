import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reports.claims.agreement import Agreement, Mean, Measured, Part, Reason, agreements
from reports.claims.claim import ClaimError
from reports.claims.design import Change

CLIP = Change("clip", "clip", "with", "without")
MEASURED = Measured("kid", "lower", "linear", "last", "400 steps each")


def part(study, effects, change=CLIP, **facts):
    trials = frozenset(f"{study}-{seed}" for seed in range(len(effects)))
    return Part(study, change, "harms", tuple(effects), MEASURED, trials=trials, **facts)


def planted(*means, n=5, sd=0.005, seed=0):
    rng = np.random.default_rng(seed)
    return [part(f"study {i}", rng.normal(mean, sd, n)) for i, mean in enumerate(means, 1)]


def forbidding(found, which="sizes"):
    return [reason.what for reason in found.forbidden(which)]


def test_two_studies_by_hand():
    # Means 3 and 7, variances 1 and 4, three seeds each: squared errors of the means 1/3 and 4/3.
    (found,) = agreements([part("a", [2, 3, 4]), part("b", [5, 7, 9])])
    df = (5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2)
    assert found.test.statistic == pytest.approx(4**2 / (5 / 3))
    assert (found.test.df1, found.test.df2) == pytest.approx((1, df))

    half = stats.t.isf(0.025, df) * math.sqrt(5 / 3) / 2
    assert found.mean == pytest.approx((5, 5 - half, 5 + half, df))
    assert found.over is None
    assert [study.estimate for study in found.studies] == pytest.approx([3, 7])
    half = stats.t.isf(0.025, 2) / math.sqrt(3)
    assert found.studies[0][3:6] == pytest.approx((3 - half, 3 + half, 3))


def test_tests_are_those_of_statsmodels_corrected_together():
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.oneway import anova_oneway

    names = [Change(name, name, "with", "without") for name in ("a", "b", "c")]
    rng = np.random.default_rng(1)
    samples = {name: [rng.normal(i * 0.7, 1 + i, 5 + i) for i in range(3)] for name in names}
    parts = [part(f"study {i}", samples[name][i], name) for i in range(3) for name in names]
    known = [anova_oneway(samples[name], use_var="unequal").pvalue for name in names]

    found = agreements(parts)
    assert [one.change for one in found] == names
    assert [one.test.p for one in found] == pytest.approx(known)
    assert [one.test.p_adjusted for one in found] == pytest.approx(
        multipletests(known, method="holm")[1]
    )


def test_a_planted_disagreement_is_found():
    (found,) = agreements(planted(0.03, -0.031))
    assert found.differ
    assert found.mean.low < 0 < found.mean.high


def test_studies_that_agree_have_a_mean_and_from_three_on_one_for_studies_like_them():
    (found,) = agreements(planted(0.03, 0.03, 0.03))
    assert not found.differ
    assert found.mean.low < 0.03 < found.mean.high
    assert found.over.df == 2
    known = stats.ttest_1samp([study.estimate for study in found.studies], 0).confidence_interval()
    assert found.over[1:3] == pytest.approx((known.low, known.high))


def test_different_margins_forbid_words_and_leave_the_numbers():
    first, second = planted(0.03, -0.031)
    (found,) = agreements([replace(first, margin=0.01), replace(second, margin=0.05)])
    assert forbidding(found, "words") == ["margin"]
    assert not found.forbidden("sizes")
    assert found.margins == (0.01, 0.05)
    assert found.differ


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: replace(p, measured=p.measured._replace(metric="lpips")), "metric"),
        (lambda p: replace(p, measured=p.measured._replace(direction="higher")), "direction"),
        (lambda p: replace(p, measured=p.measured._replace(scale="log")), "scale"),
        (lambda p: replace(p, measured=p.measured._replace(summary="best")), "summary"),
        (lambda p: replace(p, measured=p.measured._replace(length="200 steps each")), "length"),
        (lambda p: replace(p, sets=frozenset({"lr"})), "levels"),
        (lambda p: replace(p, trials=frozenset({"study 1-0"})), "shared_trials"),
        (lambda p: replace(p, depends=True), "depends"),
        (lambda p: replace(p, diverged=1), "diverged"),
        (lambda p: replace(p, effects=p.effects[:2]), "few_seeds"),
        (lambda p: replace(p, effects=(0.01,) * 5), "no_spread"),
    ],
)
def test_what_forbids_every_number(change, reason):
    first, second = planted(0.03, 0.02)
    (found,) = agreements([first, change(second)])
    assert forbidding(found) == [reason]
    assert (found.test, found.mean, found.over) == (None, None, None)
    assert not found.differ


def test_a_forbidden_test_spends_nothing_of_the_correction():
    a, b = Change("a", "a", "1", "0"), Change("b", "b", "1", "0")
    parts = [replace(one, change=change) for change in (a, b) for one in planted(0.03, 0.02)]
    found = agreements([*parts[:3], replace(parts[3], depends=True)])
    assert found[0].test.p == found[0].test.p_adjusted
    assert found[1].test is None


def test_a_level_of_a_factor_is_shared_where_another_study_has_more_levels():
    two = Change("restore", "restore", "all", "none")
    three = Change("restore=all", "restore", "all", "none")
    other = Change("restore", "restore", "all", "some")
    first, second, third = planted(0.03, 0.03, 0.03)
    (found,) = agreements(
        [replace(first, change=two), replace(second, change=three), replace(third, change=other)]
    )
    assert found.change.name == "restore=all"
    assert [study.study for study in found.studies] == ["study 1", "study 2"]


def test_a_change_of_one_study_agrees_with_nothing():
    assert agreements([part("a", [1, 2, 3])]) == ()


def test_on_a_log_scale_effects_are_ratios():
    parts = [
        replace(p, measured=MEASURED._replace(scale="log"))
        for p in planted(math.log(1.5), math.log(1.5))
    ]
    (found,) = agreements(parts)
    logs = [np.mean(p.effects) for p in parts]
    assert found.log
    assert found.studies[0].estimate == pytest.approx(math.expm1(logs[0]))
    assert found.mean.estimate == pytest.approx(math.expm1(np.mean(logs)))


def test_the_interval_covers_the_mean_of_these_studies():
    # Effects, spreads, and numbers of seeds differ between the studies: their mean is covered
    # still.
    truths, spreads, sizes = (0.2, -1.0, 0.5), (1, 2, 3), (5, 5, 10)
    rng, covered = np.random.default_rng(0), 0
    for _ in range(500):
        drawn = map(rng.normal, truths, spreads, sizes)
        (found,) = agreements([part(str(place), sample) for place, sample in enumerate(drawn)])
        covered += found.mean.low < np.mean(truths) < found.mean.high
    assert 0.93 <= covered / 500 <= 0.97


def test_a_number_that_no_data_could_support_is_refused():
    (found,) = agreements(planted(0.03, 0.03))
    with pytest.raises(ClaimError, match="must not be compared"):
        replace(found, reasons=(Reason("length", "sizes", ("study 1", "study 2")),))
    with pytest.raises(ClaimError, match="nothing of others like them"):
        replace(found, over=Mean(0.03, 0.0, 0.06, 1.0))
    with pytest.raises(ClaimError, match="agrees with nothing"):
        Agreement(CLIP, found.studies[:1])


def test_as_json_what_is_not_known_is_null():
    first, second = planted(0.03, 0.02)
    (found,) = agreements([first, replace(second, effects=(0.1,))])
    content = found.to_dict()
    assert content["studies"][1]["low"] is None
    assert content["test"] is None
    assert content["reasons"] == [{"what": "few_seeds", "forbids": "sizes", "studies": ["study 2"]}]
