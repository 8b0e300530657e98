"""What the report says that trials share is read from what the factors change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reports import make_report, open_study
from reports.page.blocks import plain
from reports.render.plain_text import to_text
from reports.sections.answer import facts
from reports.sections.trust import trust
from reports.table import StudyTable
from reports.view.patches import changed, changing
from reports.words.methods import methods

Make = Callable[..., StudyTable]
BASE = {
    **{
        "steps": 400,
        "dataset": "synthetic",
        "data": {"classes": 20},
        "batch_size": 4,
        "model": "funit2funit",
    },
    **{
        "eval_pairs": 32,
        "eval_shots": 1,
        "eval_every": 50,
        "evaluate": ["raw", "average"],
        "ema_decay": 0.999,
    },
}
SHARED = (
    "Within a seed, the trials of all arms share initial weights, data order, augmentation, and "
    "evaluation pairs"
)

UNKNOWN = " It isn't known what the 2 seeds vary, because the trials recorded no digests."


@pytest.fixture
def patched(make_study: Make) -> Callable[..., StudyTable]:
    """A study of two factors, `long_recon` and `long_fm`, of which the second one patches these
    paths."""

    def make(
        with_: Mapping[str, Any], without: Mapping[str, Any] | None = None, **more: Any
    ) -> StudyTable:
        study = make_study(seeds=2, **more)
        factor = study.study["factors"]["long_fm"]
        factors = {
            **study.study["factors"],
            "long_fm": {**factor, "levels": {"without": without or {}, "with": with_}},
        }
        return replace(study, study={**study.study, "base": BASE, "factors": factors})

    return make


def design(study: StudyTable) -> str:
    """The paragraph on the design, without what its seeds vary (see test_replicates)."""
    return plain(methods(open_study(study))[0]).removesuffix(UNKNOWN)


def dangers(study: StudyTable) -> str:
    bullets, *_ = trust(open_study(study)).blocks
    return "\n".join(plain(item) for item in bullets.items)


def test_paths_that_differ_are_those_of_levels_that_are_there(
    patched: Callable[..., StudyTable],
) -> None:
    plan = patched({"steps": 400, "data": {"classes": 20, "world": 1}, "losses.long_fm": 0.1}).study
    assert changed(plan, "long_fm") == {"data.world", "losses.long_fm"}
    assert changing(plan, "data") == ("long_fm",)
    assert changing(plan, "steps") == ()
    narrowed = {
        **plan,
        "cells": [cell for cell in plan["cells"] if cell["levels"]["long_fm"] == "with"],
    }
    assert changed(narrowed, "long_fm") == frozenset()


def test_patches_of_other_depth_that_set_the_same_are_no_difference(
    patched: Callable[..., StudyTable],
) -> None:
    assert (
        changed(patched({"network.filters": 16}, {"network": {"filters": 16}}).study, "long_fm")
        == frozenset()
    )
    deeper = patched(
        {"network.filters": 16, "network": {"depth": 2}}, {"network": {"filters": 16}}
    ).study
    assert changed(deeper, "long_fm") == {"network.depth"}
    assert changed(patched({"network.filters": 16}).study, "long_fm") == {"network.filters"}


def test_a_study_of_losses_shares_all(patched: Callable[..., StudyTable]) -> None:
    study = patched({"losses.long_fm": 0.1})
    assert f"of 400 steps each. {SHARED}, so arms differ in nothing but the factors." in design(
        study
    )
    assert "yardstick" not in dangers(study)
    assert (
        "One dataset, one training length. The results hold for this dataset and 400 steps"
        in dangers(study)
    )


def test_other_evaluation_pairs_are_another_yardstick(patched: Callable[..., StudyTable]) -> None:
    study = patched({"eval_pairs": 8})
    words = (
        "Evaluation pairs differ between the levels of long_fm, so differences between those "
        "levels are also "
        "differences of the yardstick."
    )
    assert f"share initial weights, data order, and augmentation. {words}" in design(study)
    assert f"Evaluated differently. {words}" in dangers(study)


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (
            {"eval_shots": 5},
            "Evaluation shots differ between the levels of long_fm, so differences",
        ),
        (
            {"evaluate": ["average"]},
            "Evaluated weights differ between the levels of long_fm, so differences",
        ),
        (
            {"eval_every": 100},
            "Evaluation steps differ between the levels of long_fm, so onsets are read at other",
        ),
    ],
)
def test_what_is_evaluated_otherwise_is_said(
    patched: Callable[..., StudyTable], patch: Any, words: str
) -> None:
    study = patched(patch)
    assert f"{SHARED}. {words}" in design(study)
    assert f"Evaluated differently. {words}" in dangers(study)


def test_recording_more_weights_or_no_average_leaves_the_outcome_as_it_is(
    patched: Callable[..., StudyTable],
) -> None:
    assert "yardstick" not in dangers(patched({"evaluate": ["raw"], "ema_decay": None}))
    assert "Evaluated weights differ" in dangers(
        patched({"ema_decay": None}, {"evaluate": ["average", "raw"]})
    )


def test_what_training_starts_from_and_sees_is_said(patched: Callable[..., StudyTable]) -> None:
    batch = patched({"batch_size": 8})
    words = "Data order and augmentation differ between the levels of long_fm."
    assert f"the trials of all arms share initial weights and evaluation pairs. {words}" in design(
        batch
    )
    assert f"Weaker pairing. {words}" in dangers(batch)
    model = patched({"network.width": 8})
    assert "Initial weights differ between the levels of long_fm." in design(model)
    data = patched({"data.classes": 5})
    assert (
        "Initial weights, data order, and augmentation differ between the levels of long_fm. Eval"
        in design(data)
    )
    assert "trials of all arms share" not in design(data)
    assert "One training length. The results hold for these datasets and 400 steps" in dangers(data)
    flip = patched({"data.flip": False, "data.workers": 2})
    assert (
        "share initial weights, data order, and evaluation pairs. Augmentation differs between"
        in design(flip)
    )


def test_equal_digests_settle_that_a_part_is_shared(patched: Callable[..., StudyTable]) -> None:
    study = patched({"data.folder": "elsewhere"})
    assert "Evaluation pairs differ" in dangers(study)
    parts = {
        f"digest.{part}": study.trials["seed"]
        for part in ("initial_weights", "data_order", "eval_pairs")
    }
    assert SHARED + ", so arms" in design(replace(study, trials=study.trials.assign(**parts)))


def test_a_digest_settles_nothing_where_a_level_recorded_none(
    patched: Callable[..., StudyTable],
) -> None:
    study = patched({"batch_size": 8})
    recorded = study.trials["seed"].where(study.trials["level.long_fm"] == "without")
    half = replace(study, trials=study.trials.assign(**{"digest.data_order": recorded}))
    assert "Data order and augmentation differ between the levels of long_fm." in design(half)


def test_lengths_are_told_by_level(patched: Callable[..., StudyTable]) -> None:
    study = patched({"steps": 800})
    study.trials.loc[study.trials["level.long_fm"] == "with", "steps_done"] = 800
    assert "in all, of 400 steps each, 800 with long_fm=with. Within" in design(study)
    assert "Training: 400 steps each, 800 with long_fm=with; " in plain(facts(open_study(study)))
    assert "at the end of training" in to_text(make_report(study).document)
    assert "One dataset. The results hold for this dataset and these training lengths" in dangers(
        study
    )
    trained = "Finished trials trained for 400 to 800 steps. The length is a level of long_fm"
    assert f"Different training lengths. {trained}" in dangers(study)


def test_trials_that_ended_early_have_not_all_steps(patched: Callable[..., StudyTable]) -> None:
    study = patched({"losses.long_fm": 0.1}, status={(3, 0): "diverged"})
    assert "Training: up to 400 steps each; " in plain(facts(open_study(study)))


def test_pictures_of_other_pairs_are_not_called_the_same(make_study: Make, tmp_path: Any) -> None:
    study = make_study(tmp_path, seeds=2)
    assert "Each arm mixes the same pair:" in to_text(make_report(study).document)
    factor = {
        "levels": {"without": {"eval_pairs": 4}, "with": {"eval_pairs": 8}},
        "reference": "without",
    }
    other = replace(
        study, study={**study.study, "factors": {**study.study["factors"], "long_fm": factor}}
    )
    text = to_text(make_report(other).document)
    assert "Each arm mixes a pair:" in text
    assert "Arms at other levels of long_fm have other pairs." in text
    assert "the same pair:" not in text
