"""The methods paragraph says what was done in this very study."""

from collections.abc import Callable

import pytest

from reports.build import make_report, open_study
from reports.page.blocks import plain
from reports.render.plain_text import to_text
from reports.table import StudyTable
from reports.words.methods import methods
from tests.reports.truths import left_out, truth

Make = Callable[..., StudyTable]


def text_of(study: StudyTable) -> str:
    return to_text(make_report(study).document)


def paragraphs(study: StudyTable) -> str:
    return "\n".join(plain(words) for words in methods(open_study(study)))


def test_methods_say_what_effects_are_averaged_over(make_study: Make) -> None:
    assert "averaged over the levels of the other factor" in text_of(make_study(factors=2))
    assert "averaged over the settings of the other factors" in text_of(
        make_study(factors=3, seeds=2)
    )
    narrowed = text_of(make_study(factors=2, cells=3))
    assert "averaged over the pairs of arms that differ in that factor alone" in narrowed
    assert "the settings of the other factors" not in narrowed


def test_the_budget_is_that_of_the_design(make_study: Make) -> None:
    crossed = paragraphs(make_study(factors=2))
    assert "tested at 3% divided by their number (2)" in crossed
    assert "1 interaction at 1.4% in all" in crossed
    names = ("a", "b", "c")
    alone = truth(names, lambda s: 0.0, cells=left_out(names), design="leave_one_out", seeds=3)
    assert "in a leave-one-out design over 3 factors (a, b, and c)" in paragraphs(alone)
    assert "tested at 4% divided by their number (3)" in paragraphs(alone)
    assert "interaction" not in paragraphs(alone)


def test_tests_are_named_where_they_were_used(make_study: Make) -> None:
    whole = paragraphs(make_study())
    assert "CR2" not in whole
    assert "Boschloo" not in whole
    assert "cluster-robust errors (CR2)" in paragraphs(make_study(status={(0, 1): "failed"}))
    lost = paragraphs(make_study(status={(3, 2): "diverged"}))
    assert "Boschloo's exact test, two-sided" in lost
    assert "with divergence (1 run) as an event" in lost


@pytest.mark.parametrize("spend", ["even", "late"])
def test_looks_are_told_with_their_spending(make_study: Make, spend: str) -> None:
    study = make_study(factors=1, seeds=6)
    study.study["outcome"] |= {"looks": [4, 6], "spend": spend}
    found = paragraphs(study)
    assert "Looks were planned after 4, 6 seeds." in found
    assert {"even": "evenly", "late": "late"}[spend] in found


def test_an_unfinished_study_says_how_far_it_is(make_study: Make) -> None:
    waiting = {(cell, seed): "planned" for cell in range(4) for seed in (2, 3)}
    found = paragraphs(make_study(status=waiting))
    assert "each with up to 4 planned seeds (2 done so far), 8 of 16 training runs so far" in found
