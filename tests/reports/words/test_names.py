"""How factors, levels, settings, and amounts are called."""

from dataclasses import replace

import pytest

from reports.build import open_study
from reports.claims.claim import Claim, Scope
from reports.page.blocks import joined, plain
from reports.view.study import StudyView
from reports.words.names import (
    aliases,
    amount,
    at_levels,
    bare,
    interval_words,
    percent,
    settings_words,
    subject,
)
from tests.reports.truths import SWITCH, on, truth

FACTORS = {"a": SWITCH, "resume": ("whole", "generator"), "rate": ("low", "usual", "high")}


@pytest.fixture(scope="module")
def view() -> StudyView:
    return open_study(truth(FACTORS, lambda s: 0.02 * on(s, "a"), seeds=3))


def test_a_factor_is_named_by_what_is_compared(view: StudyView) -> None:
    names = {"a": "a", "resume": "resume=generator", "rate=high": "rate=high"}
    assert {name: plain(subject(view, name)) for name in names} == names
    assert [plain(bare(view, name)) for name in names] == ["a", "resume", "rate=high"]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ({"a": "with"}, "with a"),
        ({"a": "without"}, "without a"),
        ({"resume": "whole"}, "with resume=whole"),
        ({"a": "with", "rate": "low"}, "with a and with rate=low"),
    ],
)
def test_settings_are_named_by_their_levels(
    view: StudyView, at: dict[str, str], words: str
) -> None:
    assert plain(at_levels(view, at)) == words


def test_all_others_on_or_off_have_short_names() -> None:
    three = open_study(truth(("a", "b", "c"), lambda s: 0.0, seeds=3))
    assert plain(at_levels(three, {"a": "with", "b": "with"})) == "with everything else on"
    first = {"a": "without", "b": "without"}
    assert plain(at_levels(three, first)) == "with every other factor at its first level"


def test_many_settings_are_counted(view: StudyView) -> None:
    five = [{"rate": level} for level in ("low", "usual", "high", "low", "usual")]
    assert plain(settings_words(view, five)) == "five settings"
    assert plain(settings_words(view, five[:2])) == "with rate=low and with rate=usual"


@pytest.mark.parametrize(
    ("value", "text"),
    [(36.2, "+36%"), (3.26, "+3.3%"), (-0.02, "less than 0.1%"), (0.0, "0%"), (-12.0, "−12%")],
)
def test_percent(value: float, text: str) -> None:
    assert percent(value) == text


def test_an_effect_has_digits_enough_for_its_interval(view: StudyView) -> None:
    claim = Claim(
        "direction:a", "direction", "a", Scope("everywhere"), word="harms", estimate=0.02,
        low=0.01996, high=0.02004, p_adjusted=0.01,
    )  # fmt: skip
    assert amount(view, 0.02) == "+0.020"
    assert amount(view, 0.02, claim) == "+0.02000"
    assert interval_words(view, claim) == " (95% interval +0.01996 to +0.02004; p = 0.010)"
    wide = replace(claim, low=0.011, high=0.029, percent=15.2)
    assert interval_words(view, wide) == " (+15%; 95% interval +0.011 to +0.029; p = 0.010)"


def test_lists_have_a_comma_before_and() -> None:
    assert [plain(joined(list("abc")[:n])) for n in (1, 2, 3)] == ["a", "a and b", "a, b, and c"]


def test_only_fractions_have_aliases(view: StudyView) -> None:
    assert aliases(view, "a") == ()
