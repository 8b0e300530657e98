"""Tables with a known truth in which designs are partial, fractions lose trials, or arms stop at a
look."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from reports.analysis import analyse
from reports.build import open_study
from reports.page.blocks import Document, plain
from reports.render.plain_text import to_text
from reports.sections.shapley import shapley
from reports.sections.trust import trust
from reports.sections.verdict_table import verdict_table
from reports.table import StudyTable
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.findings import findings
from reports.words.methods import methods
from reports.words.next import next_experiment
from reports.words.sentences import sentence
from tests.reports.truths import SWITCH, crossed, left_out, on, truth

ABC = ("a", "b", "c")
FIVE = ("a", "b", "c", "d", "e")


def product(levels: dict[str, str], *factors: str) -> bool:
    """Whether an even number of these factors are at `without`."""
    return sum(levels[factor] == "without" for factor in factors) % 2 == 0


QUARTER = [
    cell
    for cell in crossed(dict.fromkeys(FIVE, SWITCH))
    if on(cell, "d") == product(cell, "a", "b") and on(cell, "e") == product(cell, "a", "c")
]
"""Of resolution III: c can't be told from a and e together."""


NOTHING = dict.fromkeys(ABC, "without")


def lost(word: str, condition: Callable[[dict[str, str], int], bool]) -> Callable[..., str]:
    return lambda levels, seed: word if condition(levels, seed) else "finished"


def further_outcome() -> StudyTable:
    """With b trials diverge, and a further outcome is measured."""
    table = truth(
        ("a", "b"),
        lambda s: 0.03 * on(s, "a"),
        seeds=8,
        status=lost("diverged", lambda s, n: on(s, "b") and n > 1),
        outcome={"also": [{"metric": "other", "smallest_effect": 0.01}]},
    )
    trials = table.trials.assign(**{"metric.other": table.trials["metric.kid"]})
    return replace(table, trials=trials)


def stopped_alone() -> StudyTable:
    """The arm without a stopped after four seeds, when its verdict was known."""
    table = truth(
        ABC,
        lambda s: -0.03 * on(s, "a"),
        cells=left_out(ABC),
        design="leave_one_out",
        seeds=7,
        noise=0.003,
        outcome={"looks": [4, 7]},
    )
    trials = table.trials
    return replace(
        table,
        trials=trials[(trials["level.a"] == "with") | (trials["seed"] < 4)].reset_index(drop=True),
    )


TRUTHS: dict[str, Callable[[], StudyTable]] = {
    "further outcome": further_outcome,
    "stopped alone": stopped_alone,
    "two factors together make it diverge": lambda: truth(
        FIVE,
        lambda s: 0.0,
        cells=QUARTER,
        design="fractional_factorial",
        seeds=6,
        status=lost("diverged", lambda s, n: product(s, "a", "e") and n < 5),
    ),
    "fraction without an arm": lambda: truth(
        FIVE,
        lambda s: 0.02 * on(s, "a"),
        cells=QUARTER,
        design="fractional_factorial",
        status=lost("failed", lambda s, n: s == QUARTER[2]),
    ),
    "crossover without an arm": lambda: truth(
        ABC,
        lambda s: (0.04 if on(s, "b") else -0.04) * on(s, "a"),
        seeds=6,
        status=lost("failed", lambda s, n: on(s, *ABC)),
    ),
    "crossover seen at c=with alone": lambda: truth(
        ABC,
        lambda s: 0.03 * (on(s, "a") != on(s, "b")),
        seeds=6,
        status=lost("failed", lambda s, n: not any(on(s, name) for name in ABC)),
    ),
    "one setting left": lambda: truth(
        ABC,
        lambda s: 0.03 * on(s, "a", "b") + 0.03 * on(s, "a", "c") + 0.03 * on(s, "b", "c"),
        seeds=6,
        status=lost("failed", lambda s, n: on(s, *ABC)),
    ),
    "pairs diverge": lambda: truth(
        ("a", "b"),
        lambda s: 0.03 * on(s, "a"),
        seeds=8,
        status=lost("diverged", lambda s, n: on(s, "b") and n == 0),
    ),
    "ratios": lambda: truth(
        ("a", "b"),
        lambda s: 0.0,
        seeds=8,
        value=lambda s, n: (
            (2 + 0.1 * n) * (0.7 if on(s, "a") else 1.0) * (1 + 0.01 * (n * n % 5) * on(s, "b"))
        ),
        status=lost("failed", lambda s, n: on(s, "a", "b") and n > 5),
        outcome={"better": "higher", "scale": "log", "smallest_effect": 0.1},
    ),
    "the first level diverges": lambda: truth(
        {"a": ("small", "medium", "large"), "b": SWITCH},
        lambda s: 0.0,
        seeds=8,
        status=lost("diverged", lambda s, n: s["a"] == "small"),
    ),
    "two settings of two levels": lambda: truth(
        ABC,
        lambda s: 0.02 * on(s, "a"),
        seeds=6,
        status=lambda s, n: (
            "failed" if on(s, *ABC) else "diverged" if n == 0 and s == NOTHING else "finished"
        ),
    ),
    "both off in the level": lambda: truth(
        {"rate": ("0.1", "0.2"), "resume": ("whole", "generator"), "labels": SWITCH},
        lambda s: 0.02 * on(s, "labels"),
        cells=[
            {"rate": "0.2", "resume": "generator", "labels": "without"},
            {"rate": "0.2", "resume": "generator", "labels": "with"},
        ],
        design="custom",
    ),
}


@cache
def view_of(row: str) -> StudyView:
    return open_study(TRUTHS[row]())


def answer(row: str) -> str:
    view = view_of(row)
    return " ".join(plain(words) for words in (lead(view), *others(view), next_experiment(view)))


def test_a_further_outcome_does_not_deny_the_reason_that_was_found() -> None:
    said = answer("further outcome")
    assert "b makes trials diverge: 12 of 16 with b" in said
    assert "do not show that any one factor is the reason" not in said


def test_a_fraction_names_all_that_may_make_trials_diverge() -> None:
    said = answer("two factors together make it diverge")
    assert "Either c, or a and e together, makes trials diverge: 20 of 24 with c" in said
    assert "This design cannot tell them apart." in said


def test_a_fraction_without_an_arm_compares_nothing_and_says_why() -> None:
    said = answer("fraction without an arm")
    assert "can't be compared: an arm of the fraction has no result." in said
    assert "no seed has a result in both arms" not in said
    assert "effects use" not in said
    assert all(claim.df != claim.df for claim in view_of("fraction without an arm").analysis.claims)


def test_what_is_settled_in_the_one_setting_left_is_told() -> None:
    said = answer("crossover without an arm")
    assert "do not settle" not in said
    assert (
        "a does depends on b: it makes kid better with every other factor at its first level "
        "(−0.040" in said
    )
    assert "and worse without c and with b (+0.040" in said


def test_levels_of_the_setting_left_are_no_pattern() -> None:
    """With c alone a and b are known at all levels; what holds for one holds for the other just
    so."""
    said = answer("crossover seen at c=with alone")
    assert (
        "it makes kid worse without b and with c" in said
        or "it makes kid worse with c and without b" in said
    )
    assert "The same holds for b with a." in said


def test_an_interaction_that_was_not_seen_everywhere_says_so() -> None:
    view = view_of("crossover without an arm")
    claim = next(claim for claim in view.analysis.claims if claim.kind == "depends")
    assert plain(sentence(view, claim)).endswith("With c, there are no results to compare.")


def test_a_level_that_diverges_is_named_once() -> None:
    said = answer("the first level diverges")
    assert "at a=small, or leave out that level" in said


def test_settings_of_several_levels_are_told_apart() -> None:
    said = answer("two settings of two levels")
    assert (
        "Where no trial diverged (without b and with c; with b and without c), a makes kid worse"
        in said
    )


def test_only_switches_are_on() -> None:
    said = answer("both off in the level")
    assert "everything else on" not in said
    assert "With rate=0.2 and with resume=generator, labels makes kid worse" in said


def test_what_was_found_equivalent_keeps_its_p_at_later_looks() -> None:
    """It is not tested again; a p of 0 would be made up."""
    table = truth(
        ("a", "b"),
        lambda s: 0.03 * on(s, "a"),
        cells=left_out(("a", "b")),
        design="leave_one_out",
        seeds=10,
        noise=0.004,
        outcome={"looks": [5, 10]},
    )
    p = []
    for seeds in (5, 10):
        some = replace(
            table, trials=table.trials[table.trials["seed"] < seeds].reset_index(drop=True)
        )
        found = analyse(some)
        p.append(next(c.p_adjusted for c in found.claims if c.id == "equivalent:b"))
    assert p[0] == pytest.approx(p[1])
    assert p[0] > 0


def test_an_interaction_is_no_share_of_a_first_level() -> None:
    claims = view_of("crossover without an arm").analysis.claims
    assert all(claim.percent != claim.percent for claim in claims if claim.kind == "depends")


def test_a_further_outcome_without_curves_is_not_told_at_step_0() -> None:
    assert "at step 0" not in answer("further outcome")
    assert "a makes other worse: +0.030 at the end of training" in answer("further outcome")


def test_shares_of_ratios_are_told_in_the_unit_of_the_outcome() -> None:
    """Shares add up in the outcome itself, so their intervals are no percents; seeds without an arm
    do not count."""
    section = shapley(view_of("ratios"))
    assert section is not None
    text = to_text(Document("truth", "", "", (section,)))
    assert "Only the 6 of 8 seeds that have a result in every arm count." in text
    row = next(line for line in text.splitlines() if line.startswith("a | "))
    value, low, high = (float(part.replace("−", "-")) for part in re.findall(r"[+−]\d+\.\d+", row))
    assert "%" not in row
    assert low < value < high


def test_bounds_that_are_open_are_told_in_a_sentence() -> None:
    text = to_text(Document("truth", "", "", (trust(view_of("pairs diverge")),)))
    assert (
        "Whatever the missing trials would have been, the effect of a can be anything; that "
        "includes" in text
    )


def test_an_effect_that_two_interactions_open_has_one_row() -> None:
    """Without the arm of b and c alone one setting is left for each pair of factors."""
    table = verdict_table(view_of("one setting left"))
    assert table is not None
    rows = [plain(row[0].spans) + str(row[0].value) for row in table.rows]
    assert len(rows) == len(set(rows))


def test_methods_do_not_give_every_arm_all_seeds_where_some_stopped() -> None:
    said = plain(methods(view_of("stopped alone"))[0])
    assert "each with up to 7 seeds, 25 training runs" in said


def test_a_headline_counts_every_level_that_an_effect_depends_on() -> None:
    """Effects at two of four levels are not effects at every level."""
    view = view_of("pairs diverge")
    for one in findings(view):
        levels = [
            len(view.factors[factor]["levels"])
            for claim in one.claims[:1]
            for factor in claim.scope.at
        ]
        if one.verdict == "depends" and one.claims:
            assert one.places == math.prod(levels)
