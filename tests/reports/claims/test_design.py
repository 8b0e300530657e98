"""Which cells differ in one change alone, and in several that form a block."""

import numpy as np
import pytest

from tests.reports.claims.made import design_of
from tests.reports.truths import SWITCH, crossed, left_out, on

ABC = ("a", "b", "c")


def sign(levels: dict[str, str], *factors: str) -> int:
    return int(np.prod([1 if levels[factor] == "with" else -1 for factor in factors]))


HALF = [
    cell for cell in crossed(dict.fromkeys(ABC, SWITCH)) if sign(cell, "c") == sign(cell, "a", "b")
]


def test_pairs_of_a_factorial() -> None:
    """In 2 x 2 cells 00, 01, 10, 11 `a` differs in (00, 10) and (01, 11)."""
    design = design_of(("a", "b"))
    term = design.mains[0]
    assert [(block.at, block.cells) for block in term.blocks] == [
        ({"b": "without"}, (0, 2)),
        ({"b": "with"}, (1, 3)),
    ]
    assert design.complete
    assert design.two_level
    assert not design.alone


def test_signs_of_an_interaction_are_half_the_difference_of_effects() -> None:
    """Bit 0 is the first change: cells without both, with a, with b, with both."""
    (term,) = design_of(("a", "b")).interactions
    assert term.blocks[0].cells == (0, 2, 1, 3)
    assert term.signs.tolist() == [0.5, -0.5, -0.5, 0.5]
    assert term.name == "a × b"
    outcome = np.array([0.0, 0.2, 0.1, 0.7])  # a: +0.1 without b, +0.5 with b
    assert outcome[list(term.blocks[0].cells)] @ term.signs == pytest.approx((0.5 - 0.1) / 2)


def test_interactions_of_a_factorial_of_three() -> None:
    terms = design_of(ABC).interactions
    assert [term.name for term in terms] == ["a × b", "a × c", "b × c", "a × b × c"]
    assert [len(term.blocks) for term in terms] == [2, 2, 2, 1]


def test_several_levels_have_a_change_each() -> None:
    design = design_of({"a": ("0", "1", "2"), "b": SWITCH})
    assert list(design.changes) == ["a=1", "a=2", "b"]
    assert [term.name for term in design.interactions] == ["a=1 × b", "a=2 × b"]
    assert [len(term.blocks) for term in design.compared] == [2, 2, 3]


def test_leave_one_out_compares_at_one_setting_and_has_no_interaction() -> None:
    design = design_of(ABC, left_out(ABC), "leave_one_out")
    assert [term.blocks[0].at for term in design.compared] == [
        {"b": "with", "c": "with"},
        {"a": "with", "c": "with"},
        {"a": "with", "b": "with"},
    ]
    assert design.compared[0].blocks[0].cells == (1, 0)
    assert design.interactions == ()
    assert design.alone


def test_a_fraction_knows_its_aliases() -> None:
    design = design_of(ABC, HALF, "fractional_factorial")
    assert design.fraction
    assert [term.aliases for term in design.compared] == [
        ("a", "b × c"),
        ("b", "a × c"),
        ("c", "a × b"),
    ]
    assert design.interactions == ()
    weights = design.fraction_weights(design.compared[2])
    expected = [0.5 if on(cell, "c") else -0.5 for cell in HALF]
    assert weights.tolist() == expected


def test_groups_of_pairs_in_resolution_four() -> None:
    """d = a b c: the pairs fall into three groups of two, and no pair is a main effect's alias."""
    names = ("a", "b", "c", "d")
    cells = [
        c for c in crossed(dict.fromkeys(names, SWITCH)) if sign(c, "d") == sign(c, "a", "b", "c")
    ]
    design = design_of(names, cells, "fractional_factorial")
    assert [term.aliases for term in design.compared] == [(name,) for name in names]
    groups = {frozenset(term.aliases) for term in design.interactions}
    assert groups == {
        frozenset({"a × b", "c × d"}),
        frozenset({"a × c", "b × d"}),
        frozenset({"a × d", "b × c"}),
    }


def test_a_part_of_a_fraction_is_none() -> None:
    assert not design_of(ABC, HALF[:3], "fractional_factorial").fraction
    assert not design_of(ABC, crossed(dict.fromkeys(ABC, SWITCH))[:4], "custom").fraction


def test_equal_configs_share_a_cell() -> None:
    """`b` acts only beside `a`: its pair of cells without `a` is one cell."""
    design = design_of(("a", "b"), equal={1: 0})
    assert design.cells == ("c0", "c2", "c3")
    blocks = {term.name: [block.cells for block in term.blocks] for term in design.compared}
    assert blocks == {"a": [(0, 1), (0, 2)], "b": [(0, 0), (1, 2)]}
    assert [term.name for term in design.interactions] == ["a × b"]
    assert design_of(("a", "b"), equal={1: 0, 3: 2}).uncompared == ("b",)


def test_a_factor_that_no_two_cells_differ_in_alone_is_not_compared() -> None:
    cells = [{"a": "without", "b": "without"}, {"a": "with", "b": "with"}]
    design = design_of(("a", "b"), cells, "custom")
    assert design.uncompared == ("a", "b")
    assert design.compared == ()
