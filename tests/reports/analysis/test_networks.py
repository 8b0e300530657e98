"""Studies that repeat their seeds with several networks: networks are what intervals are over."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from reports import analyse, open_study
from reports.documents.plan import PlanDocument
from reports.page.blocks import plain
from reports.sections.networks import networks
from reports.table import StudyTable
from reports.words.facts import interim, status_words
from reports.words.methods import methods
from reports.words.networks import shares_words
from reports.words.replicates import replicates, replicates_words
from reports.words.sentences import sentence
from reports.words.undecided import undecided

Make = Callable[..., StudyTable]


def over_networks(study: StudyTable, each: int = 3, share: float = 0.01) -> StudyTable:
    """The study with its seeds spread over networks, each of which adds something of its own."""
    trials = study.trials.copy()
    trials["network"] = trials["seed"] // each
    seeds = sorted({int(seed) for seed in trials["seed"]})
    networks = [
        {"network": number, "seeds": [seed for seed in seeds if seed // each == number]}
        for number in sorted({seed // each for seed in seeds})
    ]
    on = (trials.filter(like="level.") == "with").sum(axis=1)
    own = np.random.default_rng(3).normal(size=len(networks))
    trials["metric.kid"] += share * on * own[trials["network"]]
    digests = {"checkpoint": "network", "data_order": "seed", "eval_pairs": "seed"}
    for part, column in digests.items():
        trials[f"digest.{part}"] = trials[column].map("{:012d}".format)
    trials["digest.initial_weights"] = "w"
    plan: Any = {**study.study, "networks": networks}
    plan["base"] = {"checkpoint": {"train": "first", "networks": len(networks)}}
    return replace(study, trials=trials, study=plan)


def effects_by_network(study: StudyTable, factor: str, each: int = 3) -> list[float]:
    """The mean difference between the levels of a factor in each network, from the table."""
    table = study.trials.assign(network=study.trials["seed"] // each)
    means = table.groupby(["network", f"level.{factor}"])["metric.kid"].mean().unstack()
    return list(means["with"] - means["without"])


def test_an_interval_is_over_the_networks_mean_differences(make_study: Make) -> None:
    study = over_networks(make_study(factors=2, seeds=15))
    verdicts = analyse(study).verdicts.set_index("factor")
    for factor in verdicts.index:
        effects = effects_by_network(study, factor)
        interval = stats.ttest_1samp(effects, 0.0).confidence_interval(0.95)
        row = verdicts.loc[factor]
        assert row["n_pairs"] == 5
        assert row["effect"] == pytest.approx(np.mean(effects))
        assert (row["low"], row["high"]) == pytest.approx(tuple(interval))


def test_a_network_without_some_seed_counts_like_the_others(make_study: Make) -> None:
    study = over_networks(make_study(factors=1, seeds=15, status={(1, 0): "failed"}))
    analysis = analyse(study)
    effects = analysis.differences.set_index("network")["effect"]
    cells = study.trials.pivot_table(index="seed", columns="cell_id", values="metric.kid")
    pairs = (cells.iloc[:, 1] - cells.iloc[:, 0]).dropna()
    expected = pairs.groupby(pairs.index // 3).mean()
    assert list(effects) == pytest.approx(list(expected))
    assert list(effects.index) == [0, 1, 2, 3, 4]
    assert analysis.checks["n_missing"].tolist() == [1]


def test_looks_count_networks(make_study: Make) -> None:
    study = over_networks(make_study(factors=1, seeds=9))
    outcome = {**study.study["outcome"], "looks": [3, 5]}
    plan: PlanDocument = {**study.study, "outcome": outcome}  # type: ignore[typeddict-item]
    view = open_study(replace(study, study=plan))
    assert view.analysis.judgement.look == 3
    judgement = view.analysis.judgement
    still_open = replace(judgement, verdicts=dict.fromkeys(judgement.verdicts, "not enough data"))
    view = replace(view, analysis=replace(view.analysis, judgement=still_open, futile=()))
    assert "3 of 5 networks are done (18 of 30 trials)" in plain(interim(view))


def test_sentences_name_networks(make_study: Make) -> None:
    view = open_study(over_networks(make_study(factors=2, seeds=15)))
    text = " ".join(plain(sentence(view, claim)) for claim in view.analysis.claims)
    assert "over 5 networks (3 seeds each)" in text
    assert plain(status_words(view)).startswith("4 arms × 5 networks × 3 seeds = 60 trials")
    paragraphs = " ".join(plain(paragraph) for paragraph in methods(view))
    assert "each with the same 5 networks (3 seeds each), 60 training runs in all" in paragraphs
    assert "Student's t over the networks" in paragraphs
    facts = replicates(view)
    assert (facts.networks, facts.one_network, facts.each) == (5, False, "3 seeds each")
    words = plain(replicates_words(view))
    assert "They start from 5 pre-trained networks (3 seeds each)" in words


def with_costs(study: StudyTable, network_steps: int) -> StudyTable:
    """The study with the steps of its pre-trainings."""
    networks = study.study["networks"]
    starts = [{"study": "first", "steps": network_steps} for _ in networks]
    plan: Any = {**study.study, "pretrainings": [*starts, {"study": "shared", "steps": 9999}]}
    return replace(study, study=plan)


def test_the_variance_of_an_effect_is_split_into_networks_and_seeds(make_study: Make) -> None:
    study = with_costs(over_networks(make_study(factors=1, seeds=15)), 4000)
    (row,) = analyse(study).variance.to_dict("records")
    cells = study.trials.pivot_table(index="seed", columns="cell_id", values="metric.kid")
    effects = (cells.iloc[:, 1] - cells.iloc[:, 0]).to_numpy().reshape(5, 3)
    within = effects.var(axis=1, ddof=1).mean()
    between = effects.mean(axis=1).var(ddof=1) - within / 3
    assert row["within_networks"] == pytest.approx(within)
    assert row["between_networks"] == pytest.approx(between)
    assert (row["network_steps"], row["seed_steps"]) == (4000, 800)
    assert row["next"] == "network"
    assert row["next_steps"] == 4000 + 3 * 800
    (verdict,) = analyse(study).verdicts.to_dict("records")
    assert row["half_width"] == pytest.approx((verdict["high"] - verdict["low"]) / 2)
    assert row["next_half_width"] < row["half_width"]


def test_an_interval_of_one_network_is_over_its_seeds(make_study: Make) -> None:
    study = over_networks(make_study(factors=1, seeds=15))
    frame = analyse(study).networks
    cells = study.trials.pivot_table(index="seed", columns="cell_id", values="metric.kid")
    effects = (cells.iloc[:, 1] - cells.iloc[:, 0]).to_numpy().reshape(5, 3)
    for row, own in zip(frame.to_dict("records"), effects, strict=True):
        interval = stats.ttest_1samp(own, 0.0).confidence_interval(0.95)
        assert row["n_seeds"] == 3
        assert (row["low"], row["high"]) == pytest.approx(tuple(interval))


def test_a_study_without_networks_has_no_such_rows(make_study: Make) -> None:
    analysis = analyse(make_study(factors=1, seeds=4))
    assert analysis.networks.empty
    assert analysis.variance.empty


def test_the_section_says_what_each_interval_is_about(make_study: Make) -> None:
    view = open_study(with_costs(over_networks(make_study(factors=1, seeds=15)), 4000))
    section = networks(view)
    assert section is not None
    text, table = section.blocks
    about = [plain(row[1].spans) for row in table.rows]  # type: ignore[union-attr]
    assert about[:2] == [
        "the method, over 5 networks (3 seeds each)",
        "network 0 alone, over 3 seeds",
    ]
    words = plain(text.spans)  # type: ignore[union-attr]
    assert "Of the variance of the effect of long_recon between seeds, " in words
    assert "The cheapest next replicate is another network with 3 seeds: 6,400 training" in words
    assert "Another seed on each network would take 4,000 steps" in words
    assert networks(open_study(make_study(factors=1, seeds=4))) is None


def test_few_networks_tell_little_of_the_variance(make_study: Make) -> None:
    study = over_networks(make_study(factors=1, seeds=6), each=2)
    noise = np.random.default_rng(6).normal(size=len(study.trials))
    trials = study.trials.assign(**{"metric.kid": study.trials["metric.kid"] + 0.02 * noise})
    view = open_study(replace(study, trials=trials))
    assert "3 networks are too few to say how much" in plain(shares_words(view))


def test_what_networks_do_not_decide_is_said_of_networks(make_study: Make) -> None:
    view = open_study(over_networks(make_study(factors=2, seeds=9), share=0.2))
    text = " ".join(plain(one) for one in undecided(view))
    assert "These 3 networks (3 seeds each) do not decide" in text


def test_two_networks_are_too_few_for_a_verdict(make_study: Make) -> None:
    view = open_study(over_networks(make_study(factors=1, seeds=6)))
    assert set(view.analysis.judgement.verdicts.values()) == {"not enough data"}
    (text,) = [plain(one) for one in undecided(view)]
    assert text.startswith("Two networks: no verdict on")
    assert text.endswith("a verdict needs three networks.")
