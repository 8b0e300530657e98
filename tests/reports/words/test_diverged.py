"""Studies in which trials diverge: every text counts them, and no mean hides them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd
import pytest

from reports import headline, make_report, open_study
from reports.page.blocks import Cell, Table, plain
from reports.render.plain_text import to_text
from reports.sections.survival import compared, groups_of, times_of
from reports.stats.survival import kaplan_meier
from reports.table import StudyTable
from reports.words.answer import lead, others
from reports.words.onset import onset_words

Make = Callable[..., StudyTable]
WIDE = {"smallest_effect": 0.1}


def diverged(cells: Mapping[int, int]) -> dict[tuple[int, int], str]:
    """Status of the first so many seeds of each cell."""
    return {(cell, seed): "diverged" for cell, many in cells.items() for seed in range(many)}


def table_of(study: StudyTable, name: str) -> Table:
    blocks = make_report(study).document.blocks()
    return next(block for block in blocks if isinstance(block, Table) and block.name == name)


def shown(table: Table, row: int, column: str) -> str:
    cell: Cell = table.rows[row][[c.key for c in table.columns].index(column)]
    return " / ".join(text for text in (plain(cell.spans), plain(cell.sub)) if text)


@pytest.fixture
def level(make_study: Make) -> StudyTable:
    """One factor, three seeds; at its second level all trials diverge at step 200, none degrades
    before."""
    return make_study(factors=1, seeds=3, status=diverged({1: 3}))


def test_a_diverged_trial_is_an_event_in_every_text(level: StudyTable) -> None:
    view = open_study(level)
    assert view.analysis.onset["event"].tolist() == ["none"] * 3 + ["diverged"] * 3
    assert onset_words(view, view.arms[1:]) == "3 of 3 trials diverged, median step 200"
    arms, verdicts = table_of(level, "arms"), table_of(level, "verdicts")
    assert [column.label for column in arms.columns if column.key == "degraded"] == [
        "Degraded or diverged"
    ]
    assert [shown(arms, row, "degraded") for row in (0, 1)] == [
        "0 of 3 trials",
        "3 of 3 trials / median step 200",
    ]
    assert shown(verdicts, 0, "verdict") == "alone: 3 of 3 trials diverged, median step 200"
    assert verdicts.columns[1].label == "Verdict"
    assert [shown(table_of(level, "trials"), row, "onset") for row in (0, 3)] == [
        "–",
        "200 / diverged",
    ]
    text = text_of(level)
    assert (
        "3 of 6 trials degraded by the rule of the study file or diverged; of the reference, 0 "
        "of 3 trials." in text
    )
    assert "3 seeds, 3 of 3 trials degraded or diverged" in text
    assert "an outcome: an event, like degraded, and part of no mean" in text


def test_what_degraded_before_it_diverged_counts_once(make_study: Make) -> None:
    """Cell 3 degrades at step 150 and diverges at 200; cell 0 diverges without."""
    study = make_study(status=diverged({0: 1, 3: 2}))
    view = open_study(study)
    assert onset_words(view, (view.arms[3],)) == "4 of 4 trials degraded, median step 150"
    assert onset_words(view, (view.arms[0],)) == "1 of 4 trials diverged, median step 200"
    assert (
        onset_words(view, (view.arms[0], view.arms[3]))
        == "5 of 8 trials degraded or diverged, median step 150"
    )
    assert len(view.events) == (view.analysis.onset["event"] != "none").sum()


def test_a_reference_that_diverges_is_said(make_study: Make) -> None:
    study = make_study(factors=1, seeds=3, status=diverged({0: 3}))
    words = [plain(sentence) for sentence in others(open_study(study))]
    told = (
        "The reference diverged too (3 of 3 trials, median step 200); the arm with "
        "long_recon=with did not."
    )
    assert told in words


def test_a_study_without_a_diverged_trial_speaks_of_degraded_alone(make_study: Make) -> None:
    text = to_text(make_report(make_study()).document)
    assert "8 of 16 trials degraded by the rule of the study file; of" in text
    assert "degraded or diverged" not in text


def test_diverged_trials_are_events_of_the_survival_curves(level: StudyTable) -> None:
    (without, good, _), (label, rows, _) = groups_of(open_study(level))
    assert (without, label) == ("without", "with")
    assert times_of(good) == ([], [400.0] * 3)
    assert kaplan_meier(*times_of(rows)) == ((200.0,), (0.0,))
    table = table_of(level, "survival")
    assert [shown(table, row, "degraded") for row in (0, 1)] == ["0", "3 / 3 diverged first"]


def test_survival_is_by_the_factor_at_whose_level_trials_diverge(make_study: Make) -> None:
    """`long_fm` moves the outcome of what finishes more than `long_recon`, at whose second level
    all trials diverge."""
    study = make_study(seeds=3, status=diverged({2: 3, 3: 3}))
    view = open_study(study)
    assert view.culprit == "long_fm"
    assert [label for label, _, _ in groups_of(view)] == ["without", "with"]
    assert all(set(rows["event"]) != {"none"} for _, rows, _ in groups_of(view)[1:])
    text = text_of(study)
    assert "By the level of long_recon, over all settings of the other factors." in text


def test_the_log_rank_test_compares_the_first_level_with_the_one_that_diverges(
    level: StudyTable,
) -> None:
    """The third level is like the first; the second diverges: with the levels in another order the
    pair is the same."""
    third = level.trials.iloc[:3].assign(cell_id="third", **{"level.long_recon": "weak"})
    third["trial_id"] = [f"third{seed}" for seed in third["seed"]]
    plan = level.study
    levels = plan["factors"]["long_recon"]["levels"]
    ordered = {"without": levels["without"], "weak": {}, "with": levels["with"]}
    factors = {"long_recon": {**plan["factors"]["long_recon"], "levels": ordered}}
    cells = [*plan["cells"], {"cell_id": "third", "levels": {"long_recon": "weak"}}]
    study = replace(
        level,
        study={**plan, "cells": cells, "factors": factors},
        trials=pd.concat([level.trials, third]),
    )
    assert [label for label, _, _ in groups_of(open_study(study))] == ["without", "weak", "with"]
    assert [label for label, _, _ in compared(open_study(study))] == ["without", "with"]


def test_a_level_without_a_finished_trial_is_told_however_few_its_seeds(make_study: Make) -> None:
    """As a count of each arm: two seeds show no reason."""
    study = make_study(factors=1, seeds=2, status=diverged({1: 2}))
    told = plain(lead(open_study(study)))
    assert told.startswith("2 of 4 trials diverged: 2 of 2 in the arm long_recon.")
    assert "These trials do not show that any one factor is the reason." in told
    first = make_study(factors=1, seeds=2, status=diverged({0: 2}))
    assert "2 of 4 trials diverged: 2 of 2 in the arm without long_recon." in plain(
        lead(open_study(first))
    )
    some = make_study(factors=1, seeds=2, status=diverged({1: 1}))
    assert "1 of 4 trials diverged: 1 of 2 in the arm long_recon." in plain(lead(open_study(some)))
    going_on = make_study(factors=1, seeds=2, status={(1, 0): "diverged", (1, 1): "running"})
    assert "1 of 3 trials diverged: 1 of 1 in the arm long_recon." in plain(
        lead(open_study(going_on))
    )


@pytest.mark.parametrize(
    ("cell", "word"), [(1, "makes trials diverge"), (0, "prevents divergence")]
)
def test_either_level_may_lose_trials(make_study: Make, cell: int, word: str) -> None:
    study = make_study(factors=1, seeds=4, status=diverged({cell: 4}))
    assert plain(lead(open_study(study))).startswith(f"long_recon {word}: ")
    assert open_study(study).analysis.judgement.verdicts == {"long_recon": "diverges"}


def test_of_two_factors_that_diverge_alike_survival_is_by_the_one_that_moves_the_outcome_more(
    make_study: Make,
) -> None:
    view = open_study(make_study(status=diverged({3: 4})))
    assert [rows["event"].tolist() for _, rows, _ in groups_of(view)] == [
        ["none"] * 8,
        ["degraded"] * 8,
    ]


def test_an_arm_of_which_all_trials_diverged_is_told_beside_the_means(
    level: StudyTable, make_study: Make
) -> None:
    assert (
        "One arm has a mean: without long_recon, 0.030. No mean: long_recon, all 3 trials diverged."
        in text_of(level)
    )
    two = make_study(status=diverged({2: 4, 3: 4}))
    assert "No mean: long_recon and long_recon + long_fm, all 8 trials diverged." in text_of(two)
    failed = make_study(factors=1, seeds=3, status={**diverged({1: 2}), (1, 2): "failed"})
    assert "No mean: long_recon, 2 of 3 trials diverged, none finished." in text_of(failed)
    some = make_study(factors=1, seeds=3, status=diverged({1: 1}))
    assert "Highest mean: long_recon, 0.032 (1 of 3 trials diverged)." in text_of(some)


def test_more_seeds_are_not_advised_where_trials_diverge(
    level: StudyTable, make_study: Make
) -> None:
    words = (
        "Next: try a smaller weight at long_recon=with, or leave out that level; more seeds do not"
    )
    assert headline(level)[-1] == f"{words} help where trials diverge."
    rate = {
        "levels": {"without": {"lr_generator": 1e-4}, "with": {"lr_generator": 1.0}},
        "reference": "without",
    }
    other = replace(level, study={**level.study, "factors": {"long_recon": rate}})
    assert "a smaller learning rate at long_recon=with" in headline(other)[-1]
    off = make_study(factors=1, seeds=3, status=diverged({0: 3}))
    words = "Next: try other settings at long_recon=without, or leave out that level;"
    assert headline(off)[-1].startswith(words)
    nothing = make_study(factors=1, seeds=2, status=diverged({0: 2, 1: 2}))
    assert headline(nothing)[-1] == "Next: every trial diverged; try a smaller weight."


def test_of_trials_that_diverge_without_a_reason_more_seeds_tell(make_study: Make) -> None:
    both = headline(make_study(seeds=1, status=diverged({1: 1, 3: 1})))[-1]
    assert "Use more than 1 seed to see whether" in both
    assert "more seeds do not help" not in both


def test_an_undecided_level_beside_one_that_diverges_is_not_forgotten(make_study: Make) -> None:
    level = make_study(factors=1, seeds=4, status=diverged({1: 4}))
    weak = level.trials.iloc[:4].assign(cell_id="weak", **{"level.long_recon": "weak"})
    weak["trial_id"], weak["metric.kid"] = (
        [f"weak{seed}" for seed in weak["seed"]],
        [0.02, 0.9, 0.4, 0.1],
    )
    plan = level.study
    levels = {**plan["factors"]["long_recon"]["levels"], "weak": {}}
    factors = {"long_recon": {**plan["factors"]["long_recon"], "levels": levels}}
    cells = [*plan["cells"], {"cell_id": "weak", "levels": {"long_recon": "weak"}}]
    study = replace(
        level,
        study={**plan, "cells": cells, "factors": factors},
        trials=pd.concat([level.trials, weak]),
    )
    told = headline(study)[-1]
    assert "try a smaller weight at long_recon=with" in told
    assert "For long_recon=weak, use more than 4 seeds." in told


def test_a_factor_without_a_pair_is_in_no_summary_of_effects(make_study: Make) -> None:
    """Three factors, one at a time: the arm with `reassembly_fm` diverges, the other two are
    compared."""
    study = make_study(factors=3, seeds=2, status=diverged({1: 2}))
    kept = [study.study["cells"][number] for number in (0, 1, 2, 4)]
    trials = study.trials[study.trials["cell_id"].isin([cell["cell_id"] for cell in kept])]
    found = replace(
        study,
        study={**study.study, "cells": kept, "outcome": study.study["outcome"] | WIDE},
        trials=trials,
    )
    view = open_study(found)
    words = [plain(sentence) for sentence in (lead(view), *others(view))]
    assert words == [
        "2 of 8 trials diverged: 2 of 2 in the arm reassembly_fm. "
        "These trials do not show that any one factor is the reason.",
        (
            "Two seeds: no verdict on long_fm (+0.01) and long_recon (+0.002). A verdict needs "
            "three seeds."
        ),
        "reassembly_fm can't be compared: no seed has a result in both arms.",
    ]


def text_of(study: StudyTable) -> str:
    return to_text(make_report(study).document)


def test_trials_that_equal_cells_share_count_at_the_levels_of_each(make_study: Make) -> None:
    """`long_fm` acts only beside `long_recon`: trials that are at both of its levels compare
    nothing."""
    view = open_study(make_study(seeds=4, equal={1: 0}, status=diverged({0: 4, 2: 4})))
    assert "4 of 4 trials diverged without long_fm, 0 of 4 with long_fm" in plain(lead(view))
    assert [(label, len(rows)) for label, rows, _ in groups_of(view)] == [
        ("without", 8),
        ("with", 8),
    ]


def test_an_arm_that_diverges_where_no_single_level_does_is_told(make_study: Make) -> None:
    """Both losses together diverge in 3 of 3 trials: of each level that is 3 of 6, no more than
    chance allows."""
    study = make_study(seeds=3, status=diverged({3: 3}))
    told = "3 of 12 trials diverged: 3 of 3 in the arm long_recon + long_fm."
    assert plain(lead(open_study(study))).startswith(told)
    assert "a smaller weight in long_recon + long_fm, or leave out that arm." in headline(study)[-1]
    going_on = make_study(seeds=3, status={**diverged({3: 2}), (3, 2): "running"})
    assert "leave out" not in headline(going_on)[-1]
    by_level = make_study(seeds=3, status=diverged({2: 3, 3: 3}))
    assert "long_recon + long_fm" not in headline(by_level)[-1]


@pytest.mark.parametrize(
    ("patch", "cure"),
    [
        ({"lr_generator": 0.1, "losses.short_recon": 0.1}, "a smaller learning rate"),
        ({"losses": {"long_recon": 0.0}}, "other settings"),
        ({"losses": {"short_recon": 0.1, "long_recon": 2.0}}, "a smaller weight"),
        ({"losses.short_recon": 0.01}, "other settings"),
        ({"model": "naive"}, "other settings"),
        ({"ema_decay": 0.9}, "other settings"),
    ],
)
def test_what_is_advised_is_what_the_level_raises(
    level: StudyTable, patch: Mapping[str, object], cure: str
) -> None:
    base = {"lr_generator": 1e-4, "ema_decay": 0.999, "losses": {"short_recon": 0.1}}
    factor = {
        "levels": {"without": {"losses.short_recon": 0.1}, "with": patch},
        "reference": "without",
    }
    study = replace(level, study={**level.study, "base": base, "factors": {"long_recon": factor}})
    assert f"try {cure} at long_recon=with, or leave out that level;" in headline(study)[-1]


def test_levels_are_told_after_correction_for_all_that_are_tested(make_study: Make) -> None:
    """5 of 8 against 0 of 8 is enough of one factor, 4 of 8 against 0 of 8 not of three."""
    one = make_study(factors=1, seeds=8, status=diverged({1: 5}))
    assert (
        "long_recon makes trials diverge: 5 of 8 with long_recon, 0 of 8 without"
        in headline(one)[1]
    )
    three = make_study(
        factors=3, seeds=2, status={(4, 0): "diverged", **{(c, 0): "diverged" for c in (5, 6, 7)}}
    )
    assert "makes trials diverge" not in headline(three)[1]
    assert "4 of 16 trials diverged, in 4 of 8 arms." in headline(three)[1]


def test_one_trial_that_diverged_is_no_level_that_diverges(make_study: Make) -> None:
    study = make_study(factors=1, seeds=1, status=diverged({1: 1}))
    assert "makes trials diverge" not in headline(study)[1]
    assert (
        headline(study)[-1]
        == "Next: use more than 1 seed to see whether long_recon makes trials diverge."
    )
