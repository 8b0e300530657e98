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
from reports.table import StudyTable
from reports.words.facts import interim, status_words
from reports.words.methods import methods
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
