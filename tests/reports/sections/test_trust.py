"""What could be wrong: each point stands only where the study's own data show it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reports.build import open_study
from reports.page.blocks import plain
from reports.sections.trust import trust
from reports.table import StudyTable

Make = Callable[..., StudyTable]


def points(study: StudyTable) -> str:
    bullets, *_ = trust(open_study(study)).blocks
    return "\n".join(plain(item) for item in bullets.items)


def with_outcome(study: StudyTable, **changes: object) -> StudyTable:
    return replace(study, study={**study.study, "outcome": {**study.study["outcome"], **changes}})


@pytest.mark.parametrize("summary", ["last", "mean", "auc"])
def test_the_references_drift_is_from_start_to_end_of_its_finished_trials(
    make_study: Make, summary: str
) -> None:
    study = make_study(factors=1, seeds=4, status={(0, 0): "diverged"})
    history = study.history.copy()
    reference = list(study.trials.loc[study.trials["cell_id"] == "000000000000", "trial_id"])
    here = history["trial_id"].isin(reference) & (history["name"] == "metric/kid")
    history.loc[here, "value"] = (
        0.3 - 0.1 * history.loc[here, "step"] / 400
    )  # it gets better by 0.1
    history.loc[here & (history["trial_id"] == reference[0]), "value"] = 0.01  # it diverged
    told = points(replace(with_outcome(study, summary=summary), history=history))
    assert (
        "The reference changes too. It gets better by 0.100 between step 0 and its last evaluation."
        in told
    )


@pytest.mark.parametrize(
    ("seeds", "told"),
    [(1, "One seed."), (2, "Two seeds."), (3, "Few seeds. With 3 seeds"), (10, "")],
)
def test_few_seeds_are_said(make_study: Make, seeds: int, told: str) -> None:
    found = points(make_study(factors=1, seeds=seeds))
    assert told in found
    assert ("seed" in found.split("\n")[0]) == bool(told)


def test_seeds_without_a_result_do_not_count(make_study: Make) -> None:
    waiting = {(cell, seed): "planned" for cell in (0, 1) for seed in range(4, 12)}
    assert "Few seeds. With 4 seeds" in points(make_study(factors=1, seeds=12, status=waiting))
    failed = {(cell, seed): "failed" for cell in (0, 1) for seed in range(3)}
    assert "seed." not in points(make_study(factors=1, seeds=3, status=failed))


def test_missing_trials_name_their_arms(make_study: Make) -> None:
    one = points(make_study(factors=1, status={(1, 0): "failed"}))
    assert "Missing trials. 1 trial has no result (arm long_recon)." in one
    two = points(make_study(factors=1, status={(0, 1): "failed", (1, 0): "failed"}))
    assert "2 trials have no result (arms long_recon and without long_recon)." in two


def test_a_study_without_a_margin_is_told_so(make_study: Make) -> None:
    assert "No margin." in points(with_outcome(make_study(factors=1), smallest_effect=None))
    assert "No margin." not in points(make_study(factors=1))
