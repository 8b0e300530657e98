"""What seeds vary and share is read from the trials' digests, and sentences say no more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reports import open_study
from reports.page.blocks import plain
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.replicates import (
    Replicates,
    interval_words,
    network_threat,
    replicates,
    replicates_json,
    replicates_words,
)

Make = Callable[..., StudyTable]
ALL = ("generator", "average", "discriminator", "optimizers")
FACES = {"dataset": "image_folder", "data": {"root": "faces"}, "batch_size": 4}
RESTORED = {**FACES, "checkpoint": "/data/checkpoints/faces.pt", "restore": list(ALL)}


def recorded(study: StudyTable, base: Mapping[str, Any], **digests: Any) -> StudyView:
    """The study with these digests of its trials: texts, or functions of a row of the trials."""
    trials = study.trials.copy()
    for part, of in digests.items():
        values = [of(row) if callable(of) else of for row in trials.to_dict("records")]
        trials[f"digest.{part}"] = values
    return open_study(replace(study, trials=trials, study={**study.study, "base": dict(base)}))


def by_seed(row: Mapping[str, Any]) -> str:
    """A digest that differs from seed to seed."""
    return f"seed {row['seed']}"


def resumed(study: StudyTable, **other: Any) -> StudyView:
    """All seeds start from one checkpoint, restored as a whole."""
    usual = {"checkpoint": "c0ffee" * 4, "initial_weights": "w", "data_order": by_seed}
    return recorded(study, RESTORED, **(usual | {"eval_pairs": by_seed} | other))


def test_a_resumed_study_is_about_one_network(make_study: Make) -> None:
    view = resumed(make_study(seeds=5))
    assert replicates(view) == Replicates(
        vary=("data_order", "augmentation", "eval_pairs"),
        share=("network", "initial_weights"),
        unknown=(),
        networks=1,
        checkpoint="faces.pt",
        seeds=5,
        start="pre-trained",
        digest="c0ffeec0ffee",
    )
    assert plain(replicates_words(view)) == (
        "The 5 seeds vary data order, augmentation, and evaluation pairs. All of them start from "
        "one pre-trained network (faces.pt), so the intervals are about this network; another "
        "network may answer differently."
    )
    threat = network_threat(view)
    assert threat is not None
    assert (threat[0].text, threat[0].style) == ("One pre-trained network.", "strong")
    assert plain(threat) == (
        "One pre-trained network. All 5 seeds start from faces.pt (digest c0ffeec0ffee). "
        "The 5 seeds vary data order, augmentation, and evaluation pairs. "
        "The intervals are about this network; another network may answer differently."
    )
    assert interval_words(view) == "for this network"
    assert "initial weights" not in plain(replicates_words(view)) + plain(threat)


def test_without_a_checkpoint_each_seed_has_a_network_of_its_own(make_study: Make) -> None:
    digests = {"checkpoint": "None", "initial_weights": by_seed, "data_order": by_seed}
    base = {"dataset": "synthetic", "checkpoint": None, "data": {}}
    view = recorded(make_study(seeds=4), base, **digests, eval_pairs=by_seed)
    found = replicates(view)
    assert found.vary == ("network", "initial_weights", "data_order", "eval_pairs")
    assert (found.share, found.networks, found.checkpoint) == ((), 4, None)
    assert plain(replicates_words(view)) == (
        "The 4 seeds vary initial weights, data order, and evaluation pairs. "
        "Each seed trains a network of its own from the start."
    )
    assert network_threat(view) is None
    assert interval_words(view) == ""


def test_a_fresh_discriminator_varies_although_the_network_is_shared(make_study: Make) -> None:
    study = make_study(seeds=3)
    base = {**RESTORED, "restore": ["generator", "average"]}
    digests = {"checkpoint": "c", "data_order": by_seed, "eval_pairs": "same"}
    view = recorded(study, base, **digests, initial_weights=by_seed)
    found = replicates(view)
    assert found.vary == ("initial_weights", "data_order", "augmentation")
    assert found.share == ("network", "eval_pairs")
    assert (found.networks, found.fresh) == (1, ("discriminator",))
    words = plain(replicates_words(view))
    assert "All 3 seeds share evaluation pairs." in words
    assert words.endswith("The discriminator starts from weights that vary by seed.")
    assert "vary initial weights" not in words


def seeded_with(row: Mapping[str, Any]) -> str:
    """A digest that differs from seed to seed at one level only."""
    return by_seed(row) if row["level.long_recon"] == "with" else "whole"


def with_levels(study: StudyTable, **levels: Mapping[str, Any]) -> StudyTable:
    """The study in which the first factor's levels patch something else."""
    name = next(iter(study.study["factors"]))
    entry = {**study.study["factors"][name], "levels": levels}
    plan = {**study.study, "factors": {**study.study["factors"], name: entry}}
    return replace(study, study=plan)


def test_parts_that_only_some_arms_restore_vary_in_the_others(make_study: Make) -> None:
    levels = {"without": {"restore": list(ALL)}, "with": {"restore": ["generator", "average"]}}
    study = with_levels(make_study(seeds=3), **levels)
    view = resumed(study, initial_weights=seeded_with)
    found = replicates(view)
    assert found.mixed == ("initial_weights",)
    assert found.share == ("network",)
    words = plain(replicates_words(view))
    assert "In some arms, the discriminator starts from weights that vary by seed." in words


def test_a_generator_that_is_not_restored_is_a_network_of_its_own(make_study: Make) -> None:
    levels = {"without": {}, "with": {"restore": ["discriminator"]}}
    study = with_levels(make_study(seeds=3), **levels)
    view = resumed(study, initial_weights=seeded_with)
    found = replicates(view)
    assert (found.start, found.networks) == ("both", None)
    assert "network" in found.mixed
    words = plain(replicates_words(view))
    assert "in the others each seed trains a network of its own" in words
    threat = network_threat(view)
    assert threat is not None
    assert plain(threat).startswith("One pre-trained network in some arms.")
    assert interval_words(view) == ""


def test_arms_of_different_checkpoints_are_about_these_networks(make_study: Make) -> None:
    levels = {"without": {}, "with": {"checkpoint": "other.pt"}}
    study = with_levels(make_study(seeds=3), **levels)
    view = resumed(study, checkpoint=lambda row: row["level.long_recon"])
    found = replicates(view)
    assert (found.networks, found.checkpoint, found.digest) == (1, None, None)
    words = plain(replicates_words(view))
    assert "In each arm all of them start from one pre-trained network" in words
    assert interval_words(view) == "for these networks"


def test_a_checkpoint_for_each_seed_is_no_single_network(make_study: Make) -> None:
    view = resumed(make_study(seeds=5), checkpoint=by_seed, initial_weights=by_seed)
    found = replicates(view)
    assert (found.networks, "network" in found.vary) == (5, True)
    words = plain(replicates_words(view))
    assert "Each of the 5 seeds starts from a pre-trained network of its own" in words
    assert network_threat(view) is None


def test_what_was_not_recorded_is_not_known(make_study: Make) -> None:
    view = recorded(make_study(seeds=4), RESTORED, checkpoint="c", initial_weights="w")
    found = replicates(view)
    assert found.unknown == ("data_order", "augmentation", "eval_pairs")
    assert plain(replicates_words(view)).endswith(
        "The trials don't record whether they vary data order, augmentation, and evaluation pairs."
    )


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        (
            {"command": "python train.py"},
            "The program that this study runs decides what the 4 seeds vary. It records nothing "
            "about that, so it isn't known what the intervals cover.",
        ),
        (None, "It isn't known what the 4 seeds vary, because the trials recorded no digests."),
    ],
)
def test_without_digests_nothing_is_claimed(
    make_study: Make,
    trainer: Mapping[str, str] | None,
    words: str,
) -> None:
    study = make_study(seeds=4)
    plan = {**study.study, **({"trainer": trainer} if trainer else {})}
    view = open_study(replace(study, study=plan))
    assert plain(replicates_words(view)) == words
    assert network_threat(view) is None
    found = replicates(view)
    assert (found.vary, found.share, found.networks) == ((), (), None)


def test_one_seed_varies_nothing(make_study: Make) -> None:
    view = resumed(make_study(seeds=1))
    found = replicates(view)
    assert (found.vary, found.share, found.networks) == ((), (), 1)
    assert plain(replicates_words(view)) == (
        "There is one seed, so nothing varies between the trials of an arm. "
        "It starts from one pre-trained network (faces.pt)."
    )
    assert network_threat(view) is not None


@pytest.mark.parametrize(
    ("data", "dataset", "told"),
    [
        ({}, "image_folder", True),
        ({"crop": "centre", "flip": False}, "image_folder", False),
        ({"crop": "centre"}, "image_folder", True),
        ({}, "synthetic", False),
        ({}, "celeba", False),
        ({"flip": True}, "celeba", True),
    ],
)
def test_augmentation_is_told_where_there_is_some(
    make_study: Make, data: Mapping[str, Any], dataset: str, told: bool
) -> None:
    base = {**RESTORED, "dataset": dataset, "data": data}
    digests: Mapping[str, Any] = {"checkpoint": "c", "initial_weights": "w", "data_order": by_seed}
    view = recorded(make_study(seeds=2), base, **digests)
    assert ("augmentation" in replicates(view).vary) is told


def late(row: Mapping[str, Any]) -> str | None:
    """A digest that the first seed did not record."""
    return None if row["seed"] == 0 else "w"


def test_trials_that_recorded_nothing_do_not_hide_the_others(make_study: Make) -> None:
    view = resumed(make_study(seeds=4), initial_weights=late)
    assert "initial_weights" in replicates(view).share


def test_the_facts_for_programs(make_study: Make) -> None:
    content = replicates_json(resumed(make_study(seeds=5)))
    lists: Sequence[str] = ("vary", "share", "mixed", "unknown")
    assert {name: content[name] for name in lists} == {
        "vary": ["data_order", "augmentation", "eval_pairs"],
        "share": ["network", "initial_weights"],
        "mixed": [],
        "unknown": [],
    }
    assert (content["networks"], content["checkpoint"], content["seeds"]) == (1, "faces.pt", 5)
