"""The simulation of claims over networks: what it draws, and what it finds."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.known_truth.designs import DESIGNS
from benchmarks.known_truth.truths import additive
from benchmarks.known_truth.world import World
from benchmarks.networks import Kind, Row, drawn, kinds, summary, tally
from reports.stats.nested import components


def kind(ratio: float, **other: object) -> Kind:
    return Kind("one factor, 2 levels", "nothing acts", additive(), 5, 3, ratio, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize("ratio", [0.0, 1.0, 4.0])
def test_networks_add_the_variance_that_a_kind_names(ratio: float) -> None:
    many = Kind("one factor, 2 levels", "nothing acts", additive(), 2000, 3, ratio)
    world = World(DESIGNS[many.design](), many.effects, many.sd)
    trials, networks = drawn(many, world, np.random.default_rng(1))
    differences = (trials.values[:, 1] - trials.values[:, 0]).reshape(2000, 3)
    assert networks[:4] == [0, 0, 0, 1]
    parts = components(list(differences))
    assert parts is not None
    assert parts.between / parts.within == pytest.approx(ratio, rel=0.15, abs=0.05)


def test_seeds_as_independent_are_wrong_where_networks_differ() -> None:
    sums = tally((kind(4.0), 60, 0, 1))
    networks, seeds = (Row(kind(4.0), rule, sums) for rule in ("networks", "seeds"))
    assert not networks.failures
    assert seeds.part["covered"] < networks.part["covered"]
    assert seeds.part["false"] > networks.part["false"]


def test_what_fails_is_told() -> None:
    sums = Counter({"studies": 1000, "networks false": 90, "networks shown": 1000})
    sums |= {"networks covered": 900, "networks shown²": 1000, "networks covered²": 900}
    sums |= {"networks covered × shown": 900, "networks changes": 1000}
    row = Row(kind(1.0), "networks", sums)
    assert row.failures == ("false claims", "covers too little")
    assert Row(kind(1.0, common=0.5), "networks", sums).failures == ()
    assert row.to_dict()["result"] == "false claims; covers too little"


def test_every_kind_has_a_name_of_its_own_and_a_line() -> None:
    all_ = list(kinds())
    assert len({one.name for one in all_}) == len(all_)
    sums = tally((kind(0.0), 2, 0, 1))
    assert "| 5 × 3 | 0 |" in summary(
        [Row(kind(0.0), rule, sums) for rule in ("networks", "seeds")], ""
    )
