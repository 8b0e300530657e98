"""Whatever the trials are: claims agree, every sentence can be read, and the first lines keep their
order."""

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from reports.build import open_study
from reports.claims.claim import check
from reports.page.blocks import plain
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.next import next_experiment
from reports.words.sentences import sentence
from tests.reports.truths import SWITCH, crossed, left_out, truth

STUDIES = (*range(36), 97, 98, 144, 491)
"""Starts of the random numbers; the last four made sentences fail once."""
ORDER = (
    r"^Interim:",
    r"makes trials diverge|prevents divergence|trials diverged[,:]",
    r"and better (?:both )?with|and worse (?:both )?with",
    r"^What each of|^What \S+ does depends on \S+: it|more interactions? (?:is|are) established",
    r"\S+ makes kid worse: (?!.*; single settings)",
    r"\S+ makes kid better: (?!.*; single settings)",
    r"its effect changes by|^Factors act together|^In this fraction factors",
    r"; single settings are not known",
    r"does no (?:harm|good):",
    r"by less than 0\.0[0-9]+|^No factor changes|^No factor has any effect",
    r"do not decide|[Nn]o verdict on|not decided",
)
"""The groups of sentences in the order in which a reader needs them."""


def random_study(number: int) -> StudyTable:
    """A study whose design, effects, noise, seeds and losses are drawn."""
    rng = np.random.default_rng(number)
    names = ("a", "b", "c")[: rng.integers(1, 4)]
    factors = dict.fromkeys(names, SWITCH)
    if rng.random() < 0.2:
        factors["a"] = ("small", "medium", "large")
    cells, design = crossed(factors), "full_factorial"
    if len(names) == 3 and rng.random() < 0.4 and factors["a"] == SWITCH:
        half = [cell for cell in cells if sum(x == "with" for x in cell.values()) % 2 == 0]
        cells, design = (
            (half, "fractional_factorial")
            if rng.random() < 0.5
            else (left_out(names), "leave_one_out")
        )
    size = {
        str(cell): rng.choice([0.0, 0.002, 0.01, 0.03], p=[0.4, 0.2, 0.2, 0.2]) for cell in cells
    }
    seeds = int(rng.integers(1, 9))
    words = ("finished", "diverged", "failed", "planned")
    rates = (
        rng.dirichlet([1, 1, 1, 1]) * rng.choice([0.0, 0.3, 0.8])
        if rng.random() < 0.6
        else np.zeros(4)
    )
    rates[0] += 1 - rates.sum()

    def status(levels: Mapping[str, str], seed: int) -> str:
        own = np.random.default_rng([number, seed, cells.index(dict(levels))])
        return str(own.choice(words, p=rates))

    return truth(
        factors,
        lambda levels: float(size[str(levels)]),
        cells=cells,
        design=design,
        seeds=seeds,
        noise=float(rng.choice([0.0, 0.0005, 0.004, 0.03])),
        centred=bool(rng.random() < 0.5),
        status=status,
        start=number,
        margin=None if rng.random() < 0.15 else 0.01,
    )


@cache
def view_of(number: int) -> StudyView:
    return open_study(random_study(number))


def told(number: int) -> list[str]:
    view = view_of(number)
    groups = [plain(words) for words in (lead(view), *others(view), next_experiment(view))]
    return [*groups, *(plain(sentence(view, claim)) for claim in view.analysis.claims)]


@pytest.mark.parametrize("number", STUDIES)
def test_every_sentence_can_be_read(number: int) -> None:
    view = view_of(number)
    check(view.analysis.claims)
    for text in told(number):
        assert not re.search(r"\b(nan|inf|None)\b(?! of)", text), text
        assert text == text.strip()
        assert text[-1] == "."
        assert not re.search(r"  |\.\.| [,.;:)]|\(\)|\( ", text), text


@pytest.mark.parametrize("number", STUDIES)
def test_an_effect_that_is_claimed_is_never_shown_as_nothing(number: int) -> None:
    view = view_of(number)
    for claim in view.analysis.claims:
        if claim.kind == "direction":
            text = plain(sentence(view, claim))
            assert not re.search(r": [+−]?0\.0+ ", text), text


@pytest.mark.parametrize("number", STUDIES)
def test_no_sentence_about_a_factor_goes_beyond_its_verdict(number: int) -> None:
    """A factor without a direction is never said to make the outcome worse or better by itself."""
    view = view_of(number)
    words = view.analysis.judgement.verdicts
    answer = " ".join(told(number)[: 1 + len(others(view))])
    for name, word in words.items():
        bare = rf"(?<![,\w] ){name} makes kid (?:worse|better): "
        if word.split(" ")[0] not in ("harms", "helps") and word != "diverges":
            assert not re.search(bare, answer), (name, word, answer)
    if set(words.values()) != {"equivalent"}:
        assert "No factor changes" not in answer


@pytest.mark.parametrize("number", STUDIES)
def test_the_first_lines_keep_their_order(number: int) -> None:
    view = view_of(number)
    places = []
    for text in (plain(words) for words in (lead(view), *others(view))):
        if text.startswith(("The reference", "On ")) or " trials finished; " in text:
            break
        found = [place for place, pattern in enumerate(ORDER) if re.search(pattern, text)]
        assert (
            found or "can't be compared" in text or "did nothing" in text or "finished." in text
        ), text
        places += found[:1]
    assert places == sorted(places)


def test_the_studies_are_of_many_kinds() -> None:
    """Else the tests above would show little."""
    kinds = {claim.kind for number in STUDIES for claim in view_of(number).analysis.claims}
    assert kinds >= {"direction", "equivalent", "one_sided", "depends", "idle", "undecided"}
    scopes = {claim.scope.type for number in STUDIES for claim in view_of(number).analysis.claims}
    assert scopes == {"everywhere", "on_average", "at", "clean", "alias_group"}


def test_an_interaction_says_no_effect_is_open_that_a_claim_settles() -> None:
    counts = dict.fromkeys((0, 1, 2), 0)
    for number in (1, 5, 9, 19, 22, 28, 51, 52, 68, 282):
        view = view_of(number)
        for claim in view.analysis.claims:
            if claim.kind != "depends" or len(claim.subject.split(" × ")) != 2:
                continue
            first, second = claim.subject.split(" × ")
            other = second.partition("=")[0]
            settled = len(
                {
                    one.scope.at[other]
                    for one in view.analysis.claims
                    if one.gate and one.subject == first and set(one.scope.at) == {other}
                }
            )
            text = plain(sentence(view, claim))
            if "Factors act together" in text or "in this fraction" in text.lower():
                continue
            counts[min(settled, 2)] += 1
            assert ("do not settle its effect at each level" in text) is (settled == 0)
            assert ("settle its effect at one of the levels" in text) is (settled == 1)
    assert all(counts.values()), counts
