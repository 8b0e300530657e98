"""Tables with a known truth: what is claimed, and the words that must not stand anywhere."""

import math
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reports import make_report
from reports.build import Report
from reports.claims.claim import Claim
from reports.page.blocks import Table, plain
from reports.render.plain_text import to_text
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.facts import expectations
from reports.words.headline import headline
from reports.words.next import next_experiment
from tests.reports.truths import SWITCH, crossed, ledger_of, left_out, on, said, truth

GOLDEN = Path(__file__).parent / "golden" / "sentences.txt"

AB, ABC = ("a", "b"), ("a", "b", "c")
CLIP = ("clip", "b")
SIX = ("rate", "resume", "labels", "order", "decay", "warm")
GROUPS = {
    ("rate", "resume"): 0.010,
    ("resume", "labels"): 0.017,
    ("rate", "labels"): 0.005,
    ("rate", "order"): 0.006,
    ("resume", "order"): 0.006,
    ("labels", "order"): 0.007,
    ("decay", "order"): 0.008,
}
RESUME = {"resume": ("whole", "generator"), "labels": SWITCH}
RULE = {
    "metric": "kid",
    "better": "lower",
    "summary": "last",
    "degradation": {"relative": 0.1, "after_step": 0, "patience": 1},
}


def sign(levels: Mapping[str, str], *factors: str) -> int:
    """The product of -1 at `without` and +1 at `with`."""
    return math.prod(1 if levels[factor] == "with" else -1 for factor in factors)


def fraction(factors: tuple[str, ...], **words: str) -> list[dict[str, str]]:
    """The cells in which each named factor has the sign of the product of its word's factors."""
    cells = crossed(dict.fromkeys(factors, SWITCH))
    return [
        cell
        for cell in cells
        if all(sign(cell, name) == sign(cell, *word.split()) for name, word in words.items())
    ]


HALF = fraction(ABC, c="a b")
QUARTER = fraction(("a", "b", "c", "d", "e"), d="a b", e="a c")
SIXTEEN = fraction(SIX, decay="rate resume labels", warm="resume labels order")


def failed_at(cells: list[dict[str, str]], lost: set[tuple[int, int]]) -> Callable[..., str]:
    return lambda levels, seed: "failed" if (cells.index(levels), seed) in lost else "finished"


def when(word: str, condition: Callable[[dict[str, str], int], bool]) -> Callable[..., str]:
    """The status `word` where the condition holds, else finished."""
    return lambda levels, seed: word if condition(levels, seed) else "finished"


def plan_entry(day: int, ended: int = 0, **rule: Any) -> dict[str, Any]:
    shape = {"seeds": list(range(5)), "cells": 4, "trials": 20, "ended": ended, "ended_of": 20}
    return {
        "kind": "plan",
        "time": f"2026-11-{day:02d}T00:00:00+00:00",
        "rule": RULE | {"smallest_effect": 0.01} | rule,
        **shape,
    }


def look_entry(day: int, ended: int) -> dict[str, Any]:
    shape = {"ended": ended, "trials": 20, "seeds": list(range(5))}
    return {"kind": "look", "time": f"2026-11-{day:02d}T00:00:00+00:00", **shape}


CHANGED = (
    plan_entry(1),
    look_entry(2, 20),
    plan_entry(3, 20, smallest_effect=0.05),
    look_entry(4, 20),
    plan_entry(5, 20, smallest_effect=0.05, metric="other"),
)

TRUTHS: dict[str, Callable[[], StudyTable]] = {
    "crossover": lambda: truth(AB, lambda s: 0.03 * (on(s, "a") != on(s, "b"))),
    "three together": lambda: truth(ABC, lambda s: -0.01 * sign(s, *ABC)),
    "only together": lambda: truth(ABC, lambda s: 0.06 * on(s, *ABC)),
    "reversal": lambda: truth(
        AB, lambda s: -0.04 * on(s, "b") + (-0.03 if on(s, "b") else 0.05) * on(s, "a")
    ),
    "sixteen cells": lambda: truth(
        SIX,
        lambda s: sum(size * sign(s, *pair) for pair, size in GROUPS.items()),
        cells=SIXTEEN,
        design="fractional_factorial",
        noise=0.002,
    ),
    "only with the generator": lambda: truth(
        RESUME | {"steps": ("short", "long")},
        lambda s: (
            (0.03 + 0.02 * on(s, "labels"))
            if s["resume"] == "generator"
            else 0.0013 * on(s, "labels")
        ),
    ),
    "averaged over resume": lambda: truth(
        RESUME, lambda s: 0.013 * on(s, "labels"), noise=0.0115, margin=0.002, seeds=7
    ),
    "prevents divergence": lambda: truth(
        CLIP,
        lambda s: 0.0,
        seeds=10,
        status=when("diverged", lambda s, n: not on(s, "clip") and (7 * n + on(s, "b")) % 2 > 0),
    ),
    "makes diverge": lambda: truth(
        CLIP,
        lambda s: 0.0,
        seeds=10,
        status=when("diverged", lambda s, n: on(s, "clip") and n % 5 < 4),
    ),
    "rule changed": lambda: truth(
        AB,
        lambda s: 0.03 * on(s, "a"),
        ledger=ledger_of(*CHANGED),
        outcome={"metric": "other", "smallest_effect": 0.05},
    ),
    "half": lambda: truth(
        ABC, lambda s: -0.0075 * sign(s, "a", "b"), cells=HALF, design="fractional_factorial"
    ),
    "three of five seeds": lambda: truth(
        AB,
        lambda s: 0.03 * on(s, "a"),
        status=when("failed", lambda s, n: on(s, "a") and n > 2),
    ),
    "unpaired": lambda: truth(
        AB,
        lambda s: -0.021 * (not on(s, "a")),
        cells=left_out(AB),
        design="leave_one_out",
        status=failed_at(left_out(AB), {(0, 1), (1, 0)}),
    ),
    "redundant": lambda: truth(
        ABC, lambda s: 0.05, cells=left_out(ABC), design="leave_one_out", degraded=True
    ),
    "eleven and nine": lambda: truth(
        AB, lambda s: (0.011 if on(s, "b") else 0.009) * on(s, "a"), noise=0.0045
    ),
    "survivors are better": lambda: truth(
        ("a",),
        lambda s: -0.029 * on(s, "a"),
        status=when("diverged", lambda s, n: on(s, "a") and n > 2),
    ),
    "fraction with gaps": lambda: truth(
        ("a", "b", "c", "d", "e"),
        lambda s: 0.02 * on(s, "a"),
        cells=QUARTER,
        design="fractional_factorial",
        status=failed_at(QUARTER, {(1, 0), (2, 1), (3, 2), (4, 3), (6, 4)}),
    ),
    "an arm is missing": lambda: truth(
        ABC, lambda s: 0.02 * on(s, "a"), status=when("failed", lambda s, n: on(s, *ABC))
    ),
    "two equal seeds": lambda: truth(
        ("a",),
        lambda s: 0.0,
        seeds=2,
        value=lambda s, n: (8 + n + 2 * on(s, "a")) / 16,
        outcome={"better": "higher"},
        metrics={"kid": {"better": "higher", "description": "accuracy"}},
    ),
    "four of ten": lambda: truth(
        ("a",),
        lambda s: 0.03 * on(s, "a"),
        seeds=10,
        status=when("planned", lambda s, n: n > 3),
        ledger=ledger_of(plan_entry(1) | {"seeds": list(range(10)), "cells": 2, "trials": 20}),
    ),
    "undecided": lambda: truth(("a",), lambda s: 0.003 * on(s, "a"), noise=0.008),
    "off in the arm": lambda: truth(
        ABC, lambda s: -0.02 * on(s, "c"), cells=left_out(ABC), design="leave_one_out"
    ),
    "rounding": lambda: truth(AB, lambda s: 1e-13 * on(s, "a"), noise=0.0),
    "nothing acts": lambda: truth(AB, lambda s: 0.0),
    "cancels": lambda: truth(
        AB,
        lambda s: {(0, 0): 0.0, (0, 1): 0.02, (1, 0): 0.004, (1, 1): 0.0}[on(s, "a"), on(s, "b")],
    ),
    "divergence by chance": lambda: truth(
        ("a", "b", "c", "d"),
        lambda s: 0.0,
        seeds=2,
        cells=[
            dict.fromkeys("abcd", "without"),
            *({**dict.fromkeys("abcd", "without"), name: "with"} for name in "abcd"),
        ],
        design="add_one_in",
        status=when("diverged", lambda s, n: on(s, "a") and n == 0),
    ),
    "rule fixed": lambda: truth(
        AB, lambda s: 0.03 * on(s, "a"), ledger=ledger_of(plan_entry(1), look_entry(2, 20))
    ),
}


@cache
def table_of(row: str) -> StudyTable:
    """The table of a truth; metrics of other names hold the same numbers."""
    table = TRUTHS[row]()
    table.trials["metric.other"] = table.trials["metric.kid"]
    return table


@cache
def report_of(row: str) -> Report:
    return make_report(table_of(row))


def view_of(row: str) -> StudyView:
    return report_of(row).views[0]


@cache
def text_of(row: str) -> str:
    """All that is said of it, in small letters."""
    return said(report_of(row)).lower()


def answer(row: str) -> str:
    view = view_of(row)
    return " ".join(plain(words) for words in (lead(view), *others(view)))


def claims(row: str, *kinds: str) -> list[tuple[str, str, str, dict[str, str]]]:
    """Kind, subject, word, and levels of the claims."""
    found = view_of(row).analysis.claims
    return [
        (c.kind, c.subject, c.word, dict(c.scope.at)) for c in found if not kinds or c.kind in kinds
    ]


def claim(row: str, id_: str) -> Claim:
    return next(claim for claim in view_of(row).analysis.claims if claim.id == id_)


def verdicts(row: str) -> dict[str, str]:
    return dict(view_of(row).analysis.judgement.verdicts)


def table_rows(row: str, name: str) -> list[str]:
    """The rows of a table of the report as text."""
    document = report_of(row).document
    table = next(b for b in document.blocks() if isinstance(b, Table) and b.name == name)
    return ["; ".join(plain(cell.spans) for cell in cells) for cells in table.rows]


FORBIDDEN: dict[str, tuple[str, ...]] = {
    "crossover": ("no factor", "no difference", "makes no"),
    "three together": ("no factor", "(33%)", "no difference"),
    "reversal": ("no factor", "no difference"),
    "sixteen cells": ("difference that matters", "no factor", "by less than", "equivalent on"),
    "only with the generator": ("and labels make", "and labels=with make"),
    "averaged over resume": ("only with", "in no setting better"),
    "prevents divergence": ("no factor", "clip changes kid", "clip makes kid"),
    "makes diverge": ("no factor", "clip makes kid", "clip changes kid"),
    "rule changed": ("were fixed before the", "was fixed before the first"),
    "half": ("c makes kid", "c helps on average (−", "c helps (", "no factor"),
    "three of five seeds": ("no verdict would change", "without any one seed each of the 2"),
    "unpaired": ("on its own", "0.079", "0.140", "it takes it"),
    "redundant": ("share is a cause", "no factor changes", "single cause"),
    "eleven and nine": ("only with", "does so more", "depends on b"),
    "survivors are better": ("makes kid better", "helps", "a makes kid"),
    "fraction with gaps": ("were not compared", "can't be compared", "a makes kid"),
    "an arm is missing": ("averaged over the settings of the other factors",),
    "two equal seeds": ("p < ", "p = ", "interval +", "0.000", "helps", "harms"),
    "four of ten": ("of 10 trials", "0 of 10", "the same 10 seeds", "with 10 seeds"),
    "undecided": ("no difference", "use about 18 seeds to", "by less than 0.010"),
    "off in the arm": ("arm c:", "a + b", "a + c", "b + c"),
    "rounding": ("makes kid", "0.000000", "e−"),
    "cancels": ("no factor",),
    "divergence by chance": ("makes trials diverge:", "prevents divergence"),
    "rule fixed": ("exploratory", "was changed"),
}


UNSETTLED = {"crossover": "ab", "reversal": "a", "three together": "abc"}
"""Factors that make the outcome worse or better in a named setting only."""


@pytest.mark.parametrize(("row", "factor"), [(row, f) for row, fs in UNSETTLED.items() for f in fs])
def test_what_acts_in_a_setting_is_told_with_it(row: str, factor: str) -> None:
    """Each sentence names the setting: before the factor, or right behind `worse` or `better`."""
    bare = rf"(?<!, )(?<!\w){factor} makes kid (worse|better)(?! (at|both|with|without)\b)"
    assert not re.search(bare, text_of(row))


@pytest.mark.parametrize("row", FORBIDDEN)
def test_words_that_would_be_false_stand_nowhere(row: str) -> None:
    found = {words for words in FORBIDDEN[row] if words in text_of(row).replace("harms, helps", "")}
    assert not found


def test_a_crossover_is_told_with_its_signs_and_settings() -> None:
    found = {c.id: (c.word, round(c.estimate, 9)) for c in view_of("crossover").analysis.claims}
    assert found == {
        "depends:a_×_b": ("depends", -0.03),
        "direction:a,b=without": ("harms", 0.03),
        "direction:a,b=with": ("helps", -0.03),
        "direction:b,a=without": ("harms", 0.03),
        "direction:b,a=with": ("helps", -0.03),
    }
    assert "What a does depends on b: it makes kid worse without b (+0.030;" in answer("crossover")
    assert "and better with b (−0.030;" in answer("crossover")
    assert "The same holds for b with a." in answer("crossover")
    assert verdicts("crossover") == {"a": "depends", "b": "depends"}


def test_a_three_way_interaction_names_every_factor_and_splits_nothing() -> None:
    assert claims("three together", "depends") == [("depends", "a × b × c", "depends", {})]
    assert set(verdicts("three together").values()) == {"depends"}
    start = "What each of a, b, and c does depends on the other two together (three-way interaction"
    assert answer("three together").startswith(f"{start} −0.020")
    assert "Shares are not shown" in said(report_of("three together"))


def test_a_larger_interaction_says_where_each_change_acts() -> None:
    words = answer("only together")
    assert "a makes kid worse with everything else on (+0.0600); its effect is below 0.010" in words
    assert "at three other combinations. b makes" in words
    assert "What a does depends on b" not in words


def test_a_reversal_is_told_with_its_settings() -> None:
    assert claim("reversal", "direction:a,b=without").word == "harms"
    assert claim("reversal", "direction:a,b=with").word == "helps"
    assert "it makes kid worse without b (+0.050;" in answer("reversal")
    assert "and better with b (−0.030;" in answer("reversal")
    assert "b makes kid better both without a (−0.040;" in answer("reversal")


def test_a_fraction_whose_pairs_act_says_nothing_of_single_factors() -> None:
    assert len(claims("sixteen cells", "depends")) == 7
    assert set(verdicts("sixteen cells").values()) == {"not enough data"}
    told = answer("sixteen cells")
    assert (
        "In this fraction factors act together: all seven groups of pairs are established" in told
    )
    assert "nothing is said of the factors in these groups one by one" in told
    assert {name for name in SIX if name in told} >= {"rate", "resume", "labels", "order", "decay"}
    assert "16 new arms tell the pairs with rate" in plain(
        next_experiment(view_of("sixteen cells"))
    )
    assert "more seeds don't separate the pairs" in said(report_of("sixteen cells"))


def test_a_factor_that_acts_at_one_level_only_is_told_with_both() -> None:
    row = "only with the generator"
    assert ("equivalent", "labels", "equivalent", {"resume": "whole"}) in claims(row)
    assert ("direction", "labels", "harms", {"resume": "generator"}) in claims(row)
    told = (
        "What labels does depends on resume: it makes kid worse only with resume=generator (+0.020;"
    )
    assert told in answer(row)
    assert "it changes kid by less than 0.010 with resume=whole (+0.0013;" in answer(row)


def test_without_an_established_interaction_single_settings_stay_open() -> None:
    row = "averaged over resume"
    assert claims(row, "depends") == []
    assert claim(row, "direction:labels").word == "harms on average"
    assert "Averaged over the levels of the other factor, labels makes kid worse: +0.013" in answer(
        row
    )
    assert "single settings are not known well enough to say more" in answer(row)
    assert "Whether resume changes the effect of labels is not decided" in answer(row)


@pytest.mark.parametrize(
    ("row", "level", "told"),
    [
        (
            "prevents divergence",
            "without",
            (
                "clip prevents divergence: 10 of 20 trials diverged without clip, 0 of 20 with "
                "clip (p < 0.001)."
            ),
        ),
        (
            "makes diverge",
            "with",
            "clip makes trials diverge: 16 of 20 with clip, 0 of 20 without clip (p < 0.001).",
        ),
    ],
)
def test_divergence_is_told_at_either_level(row: str, level: str, told: str) -> None:
    assert claim(row, "diverges:clip").level == level
    assert verdicts(row) == {"clip": "diverges", "b": "equivalent"}
    assert answer(row).startswith(told)
    assert "The mean of kid is not compared where trials diverged." in answer(row)
    assert "Where no trial diverged" in answer(row)


def test_a_rule_that_was_changed_after_the_runs_is_told_with_its_verdicts() -> None:
    told = answer("rule changed")
    assert "the smallest effect that matters from 0.01 to 0.05 on 2026-11-03, when 20 of 20" in told
    assert "the metric from kid to other on 2026-11-05, when 20 of 20 trials had ended." in told
    assert "What follows is exploratory. By the rule fixed before the runs: a: harms" in told
    assert "The rule was changed after results were known" in said(report_of("rule changed"))


def test_a_rule_that_was_fixed_first_is_told_so() -> None:
    assert "Outcome and rule were fixed before the first trial (2026-11-01," in said(
        report_of("rule fixed")
    )
    assert not expectations(view_of("rule fixed"))


def test_an_alias_is_never_told_as_one_factor() -> None:
    found = claim("half", "direction:c")
    assert (found.word, found.scope.terms) == ("helps on average", ("c", "a × b"))
    told = "Either c, or a and b together, makes kid better: −0.0150 at step 100"
    assert answer("half").startswith(told)
    assert "This design cannot tell them apart." in answer("half")
    assert "c (or a × b) helps on average" in headline(view_of("half"))[2]
    assert "its 4 new arms tell main effects from pairs of factors" in headline(view_of("half"))[-1]


def test_verdicts_without_a_seed_are_not_computed_from_three_pairs() -> None:
    text = to_text(report_of("three of five seeds").document)
    assert "Fewer than 4 seeds have both sides of a: none is left out there." in text
    assert "+0.030 at step 100, over 3 of 5 seeds" in answer("three of five seeds")


def test_only_pairs_of_a_seed_are_compared() -> None:
    found = claim("unpaired", "direction:a")
    assert (found.scope.at, found.n_seeds) == ({"b": "with"}, 3)
    told = "With b, a makes kid worse: +0.021 at step 100, over 3 of 5 seeds"
    assert answer("unpaired").startswith(told)
    assert "effects use the 11 that share a seed" in answer("unpaired")


def test_what_all_arms_do_is_not_called_one_cause() -> None:
    told = "The reference degraded too (5 of 5 trials, median step 50), and so did every other arm."
    assert (
        f"{told} This study does not tell why: something that all arms share may be a cause, or"
        in (answer("redundant"))
    )


def test_two_effects_beside_the_margin_are_no_difference() -> None:
    assert claims("eleven and nine", "direction") == [("direction", "a", "harms", {})]
    told = (
        "Whether b changes the effect of a is not decided (change +0.002, 95% interval −0.007 to "
        "+0.011)."
    )
    assert told in answer("eleven and nine")


def test_survivors_alone_decide_nothing() -> None:
    row = "survivors are better"
    assert verdicts(row) == {"a": "not enough data"}
    assert answer(row).startswith("2 of 10 trials diverged: 2 of 5 in the arm a.")
    assert "do not show that any one factor is the reason" in answer(row)
    assert "There is no verdict on a: the mean of kid is not compared where trials" in answer(row)
    assert any("at least" in cells for cells in table_rows(row, "robustness"))


def test_a_fraction_with_gaps_is_still_compared() -> None:
    row = "fraction with gaps"
    assert verdicts(row)["a"] == "harms on average"
    assert "35 of 40 trials finished; effects use all of them (two-way model, " in answer(row)
    assert claim(row, "direction:a").test == "t by CR2"


def test_a_missing_arm_narrows_the_settings() -> None:
    found = claim("an arm is missing", "direction:a")
    assert found.scope.left_out == ({"b": "with", "c": "with"},)
    assert len(found.scope.over) == 3
    told = (
        "and in no setting with results better by 0.010 or more. With everything else on, there "
        "are no"
    )
    assert told in answer("an arm is missing")


def test_two_seeds_have_no_verdict() -> None:
    row = "two equal seeds"
    assert claims(row) == [("undecided", "a", "not enough data", {})]
    assert answer(row) == (
        "Two seeds: no verdict on a (difference +0.125; kid moves in steps of 0.0625); a verdict "
        "needs three seeds."
    )
    assert table_rows(row, "verdicts")[0].endswith("+0.125; –; –; –; ")


def test_an_unfinished_study_counts_what_there_is() -> None:
    row = "four of ten"
    start = (
        "Interim: 4 of 10 seeds are done (8 of 20 trials). Verdicts may change. a makes kid worse"
    )
    assert answer(row).startswith(start)
    text = to_text(report_of(row).document)
    assert "Few seeds. With 4 seeds" in text
    assert [cells.split("; ")[1] for cells in table_rows(row, "survival")] == ["4", "4"]
    assert "with up to 10 planned seeds (4 done so far)" in text
    assert "0 of 8 trials degraded" in text
    assert headline(view_of(row))[1].startswith("Interim:")


def test_seeds_needed_are_told_with_their_range() -> None:
    told = plain(next_experiment(view_of("undecided")))
    assert told.startswith(
        "Next: for a, use about 18 seeds (11 to 34: 5 seeds tell the spread only"
    )
    assert "They would show an effect of 0.010 in 8 of 10 such studies." in told
    assert "These 5 seeds do not decide a (effect +0.003, 95% interval" in answer("undecided")


def test_arms_of_a_leave_one_out_are_named_by_what_is_off() -> None:
    labels = [arm.label for arm in view_of("off in the arm").arms]
    assert labels == ["everything on", "without a", "without b", "without c"]
    assert "With everything else on, c makes kid better: −0.020" in answer("off in the arm")


def test_rounding_of_the_arithmetic_is_no_effect() -> None:
    assert {kind for kind, *_ in claims("rounding")} == {"equivalent", "idle"}
    assert "a did nothing: with and without it all trials end with values that differ by" in answer(
        "rounding"
    )


def test_shares_of_a_total_of_about_nothing_have_no_percent() -> None:
    text = to_text(report_of("cancels").document)
    shares = next(line for line in text.splitlines() if line.strip().startswith("Shapley shares:"))
    assert "%" not in shares


def test_one_diverged_trial_is_a_count() -> None:
    row = "divergence by chance"
    assert answer(row).startswith("1 of 10 trials diverged: 1 of 2 in the arm a.")
    assert claims(row, "diverges", "composite") == []


def test_no_factor_changes_it_needs_every_factor_in_every_setting() -> None:
    assert answer("nothing acts").startswith(
        "No factor changes kid by 0.010 or more at step 100, in"
    )
    assert set(verdicts("nothing acts").values()) == {"equivalent"}


def test_the_sentences() -> None:
    """The wording of all rows in one file, written again with UPDATE_GOLDEN=1."""
    parts = []
    for row in TRUTHS:
        view = view_of(row)
        lines = [plain(words) for words in (lead(view), *others(view), next_experiment(view))]
        parts.append("\n".join([f"## {row}", *lines, headline(view)[2], ""]))
    made = "\n".join(parts)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(made, encoding="utf-8")
    assert made == GOLDEN.read_text(encoding="utf-8")
