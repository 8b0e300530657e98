"""Designs: which cells, in which order, and what is refused."""

from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.reading.schema import Rules, study_schema
from ablate.study import design as designs
from ablate.study.design import DESIGNS, Design, DesignError, expand, options_of, reference_cell
from ablate.study.nouns import Factor, Outcome, StudySpec
from g2g_core.config import TrialConfig


def make(levels: dict[str, list[str]], design: dict[str, object], **more: object) -> StudySpec:
    """A study with factors of these labels; the patches do not matter here."""
    when: dict[str, dict[str, str]] = more.get("when", {})  # type: ignore[assignment]
    factors = tuple(
        Factor(
            name,
            {label: {f"losses.{name}": i} for i, label in enumerate(labels)},
            when.get(name, {}),
        )
        for name, labels in levels.items()
    )
    exclude = more.get("exclude", ())
    return StudySpec("s", "", TrialConfig(), factors, design, (0,), Outcome("m"), exclude=exclude)  # type: ignore[arg-type]


THREE = {"a": ["0", "1"], "b": ["0", "1"], "c": ["0", "1"]}


def short(cells: object) -> list[str]:
    return ["".join(cell.values()) for cell in cells]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("design", "cells"),
    [
        ({"kind": "full_factorial"}, ["000", "001", "010", "011", "100", "101", "110", "111"]),
        ({"kind": "grid"}, ["000", "001", "010", "011", "100", "101", "110", "111"]),
        ({"kind": "leave_one_out"}, ["111", "011", "101", "110"]),
        ({"kind": "add_one_in"}, ["000", "100", "010", "001"]),
        ({"kind": "one_at_a_time"}, ["000", "100", "010", "001"]),
        ({"kind": "fractional_factorial", "runs": 4}, ["000", "101", "011", "110"]),
        ({"kind": "fractional_factorial", "resolution": 3}, ["000", "101", "011", "110"]),
        (
            {"kind": "custom", "cells": [{"a": "1"}, {"b": "1", "c": "1"}, {"a": "1"}]},
            ["000", "100", "011"],
        ),
    ],
)
def test_cells_of_three_switches(design: dict[str, object], cells: list[str]) -> None:
    assert short(expand(make(THREE, design)).cells) == cells


def test_every_design_is_in_the_table_above() -> None:
    switches = {"leave_one_out", "add_one_in", "one_at_a_time", "fractional_factorial"}
    assert set(DESIGNS) == switches | {"full_factorial", "grid", "custom"}


def test_one_at_a_time_takes_any_number_of_levels() -> None:
    spec = make({"a": ["x", "y", "z"], "b": ["0", "1"]}, {"kind": "one_at_a_time"})
    assert short(expand(spec).cells) == ["x0", "y0", "z0", "x1"]


def test_what_the_others_are_compared_with() -> None:
    assert reference_cell(make(THREE, {"kind": "leave_one_out"})) == {"a": "1", "b": "1", "c": "1"}
    assert reference_cell(make(THREE, {"kind": "add_one_in"})) == {"a": "0", "b": "0", "c": "0"}


def test_no_factors_is_one_cell() -> None:
    assert expand(make({}, {"kind": "full_factorial"})).cells == ({},)


def test_when_keeps_a_factor_at_its_reference_elsewhere() -> None:
    spec = make(THREE, {"kind": "full_factorial"}, when={"b": {"a": "1"}, "c": {"b": "1"}})
    assert short(expand(spec).cells) == ["000", "100", "110", "111"]


def test_exclude_leaves_cells_out_with_their_reason() -> None:
    spec = make(
        THREE, {"kind": "full_factorial"}, exclude=({"a": "1", "b": "1", "reason": "too big"},)
    )
    found = expand(spec)
    assert short(found.cells) == ["000", "001", "010", "011", "100", "101"]
    assert found.excluded == (
        {"a": "1", "b": "1", "c": "0", "reason": "too big"},
        {"a": "1", "b": "1", "c": "1", "reason": "too big"},
    )


@pytest.mark.parametrize(
    ("design", "more", "message"),
    [
        (
            {"kind": "full_factorial"},
            {"exclude": ({"a": "0", "reason": "r"},)},
            "exclude: the reference",
        ),
        (
            {"kind": "full_factorial"},
            {"exclude": ({"a": "1", "reason": "r"},)},
            "factors.a.levels.1: unreachable",
        ),
        (
            {"kind": "add_one_in"},
            {"exclude": ({"a": "1", "b": "1", "reason": "r"},)},
            "exclude.0: no cell",
        ),
        ({"kind": "custom", "cells": [{"a": "1"}]}, {}, "factors.b.levels.1: unreachable"),
        (
            {"kind": "full_factorial"},
            {"when": {"a": {"b": "2"}}},
            "factors.a.levels.1: unreachable",
        ),
        ({"kind": "fractional_factorial", "runs": 5}, {}, "power of two"),
        ({"kind": "fractional_factorial", "runs": 2}, {}, "at least 4 runs"),
        ({"kind": "fractional_factorial", "runs": 4}, {"when": {"a": {"b": "1"}}}, "unbalance"),
    ],
)
def test_refused(design: dict[str, object], more: dict[str, object], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        expand(make(THREE, design, **more))


def test_switch_designs_need_two_levels() -> None:
    for design in (
        {"kind": "leave_one_out"},
        {"kind": "add_one_in"},
        {"kind": "fractional_factorial", "runs": 4},
    ):
        with pytest.raises(DesignError, match=r"factors.a: \w+ needs two levels, it has 3"):
            expand(make({"a": ["0", "1", "2"], "b": ["0", "1"]}, design))


def test_products_that_would_fill_the_memory_are_refused() -> None:
    with pytest.raises(DesignError, match="too many"):
        expand(make({f"f{i}": ["0", "1"] for i in range(21)}, {"kind": "full_factorial"}))


# --- a design of somebody else ---


@dataclass(frozen=True)
class Chosen:
    """Options of the design below.

    Attributes:
        keep: number of cells.
        least: smallest number of cells.
    """

    keep: int
    least: int = 1

    def __post_init__(self) -> None:
        if self.keep < self.least:
            raise ValueError(f"keep {self.keep} is less than {self.least}")


def some(spec: StudySpec) -> list[dict[str, str]]:
    """The last cells."""
    cells = designs.full_factorial(spec)
    return cells[-options_of(Chosen, spec).keep :]


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch):
    def add(design: Design) -> None:
        menu = {**DESIGNS, "foreign": design}
        monkeypatch.setattr(designs, "all_designs", lambda: menu)

    return add


def test_one_object_is_all_that_a_design_is(foreign) -> None:
    foreign(Design(some, reference=designs.all_on, options=Chosen))
    found = expand(make(THREE, {"kind": "foreign", "keep": 8}))
    assert short(found.cells)[-1] == "111"
    assert found.reference == {"a": "1", "b": "1", "c": "1"}
    with pytest.raises(DesignError, match=r"design.foreign: keep 0 is less than 1"):
        expand(make(THREE, {"kind": "foreign", "keep": 0}))


def test_options_of_a_design_are_in_the_schema() -> None:
    menu = {"grid": DESIGNS["grid"], "foreign": Design(some, options=Chosen)}
    rule = study_schema(Rules({}, {}, {}), menu)["properties"]["design"]
    assert rule["description"].endswith("; foreign: The last cells")
    assert rule["then"]["enum"] == ["grid"]
    assert rule["then"]["x-instead"] == {"foreign": "needs its options: {foreign: {keep: ...}}"}
    options = rule["else"]["properties"]["foreign"]
    assert options["required"] == ["keep"]
    assert options["properties"]["least"] == {
        "type": "integer",
        "default": 1,
        "description": "smallest number of cells.",
    }


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (lambda spec: [{"a": "0"}], "design: foreign: {'a': '0'} is not a cell of this study"),
        (lambda spec: [{"a": "0", "b": "1", "c": "2"}], "'c': '2'} is not a cell of this study"),
        (lambda spec: spec.nothing, "design: foreign: AttributeError: 'StudySpec' object has no"),
        (lambda spec: None, "design: foreign: TypeError: 'NoneType' object is not iterable"),
    ],
)
def test_mistakes_in_a_design_are_named(cells, message: str, foreign) -> None:
    foreign(Design(cells))
    with pytest.raises(DesignError) as error:
        expand(make(THREE, {"kind": "foreign"}))
    assert message in str(error.value)


names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True)
sizes = st.integers(2, 4)


@given(names=names, data=st.data())
def test_products_are_complete_balanced_and_the_same_each_time(
    names: list[str], data: st.DataObject
) -> None:
    levels = {name: [str(i) for i in range(data.draw(sizes))] for name in names}
    spec = make(levels, {"kind": "full_factorial"})
    found = expand(spec)
    assert found == expand(spec)
    assert {tuple(cell.values()) for cell in found.cells} == set(product(*levels.values()))
    assert len(found.cells) == len({tuple(cell.items()) for cell in found.cells})
    for name, labels in levels.items():
        counts = {label: sum(cell[name] == label for cell in found.cells) for label in labels}
        assert len(set(counts.values())) == 1


@given(number=st.integers(2, 9), resolution=st.sampled_from([3, 4, 5]))
def test_fractions_are_balanced_and_hold_the_reference(number: int, resolution: int) -> None:
    levels = {f"f{i}": ["off", "on"] for i in range(number)}
    found = expand(make(levels, {"kind": "fractional_factorial", "resolution": resolution}))
    assert found.cells[0] == found.reference == dict.fromkeys(levels, "off")
    for one, other in product(levels, repeat=2):
        pairs = [(cell[one], cell[other]) for cell in found.cells]
        kinds = 2 if one == other else 4
        assert {pairs.count(pair) for pair in set(pairs)} == {len(pairs) // kinds}


@given(
    design=st.sampled_from(["leave_one_out", "add_one_in", "one_at_a_time", "full_factorial"]),
    names=names,
)
def test_the_order_of_factors_does_not_change_which_cells_there_are(
    design: str, names: list[str]
) -> None:
    levels = {name: ["off", "on"] for name in names}
    there = {frozenset(cell.items()) for cell in expand(make(levels, {"kind": design})).cells}
    turned = dict(reversed(levels.items()))
    assert there == {
        frozenset(cell.items()) for cell in expand(make(turned, {"kind": design})).cells
    }
