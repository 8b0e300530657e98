"""Ablation designs: which combinations of levels a study runs.

A design is an object with a function that takes a study and returns its cells. A cell is a dict
`{factor: level}` with every factor in it. The first level of a factor is its reference; a factor
with two levels is "on" at its second one. Nothing here reads files or the clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from itertools import product
from typing import Any, Literal, TypeVar

from ablate.study import fractions
from ablate.study.nouns import Factor, StudyError, StudySpec
from g2g_base.plugins import Group, with_plugins

Cell = dict[str, str]
"""Factor -> level label."""
Schema = dict[str, Any]
"""A JSON Schema."""
Options = TypeVar("Options")

MOST_CELLS = 1_000_000
"""Upper limit for the cells of a full factorial, which are all held in memory."""


class DesignError(StudyError):
    """A design that can't be run.

    Attributes:
        problems: pairs of a path in the study file and a message.
    """

    def __init__(self, *problems: tuple[tuple[str | int, ...], str]) -> None:
        super().__init__(
            "\n".join(f"{'.'.join(map(str, path))}: {message}" for path, message in problems)
        )
        self.problems = problems


@dataclass(frozen=True)
class Expansion:
    """The cells of a study.

    Attributes:
        cells: in running order, without duplicates; each has all factors.
        excluded: cells that the file excludes, each with `reason`.
        reference: the cell that the others are compared with.
        aliases: effect -> effects that the design can't distinguish from it.
        generators: added factor -> basic factors that generate it.
    """

    cells: tuple[Cell, ...]
    excluded: tuple[Cell, ...]
    reference: Cell
    aliases: Mapping[str, tuple[str, ...]]
    generators: Mapping[str, str]


def all_off(spec: StudySpec) -> Cell:
    """Return the cell with every factor at its first level."""
    return {factor.name: factor.reference for factor in spec.factors}


def all_on(spec: StudySpec) -> Cell:
    """Return the cell with every factor at the second of its two levels.

    Raises:
        DesignError: a factor has another number of levels.
    """
    return {factor.name: _on(factor, spec) for factor in spec.factors}


@dataclass(frozen=True)
class Design:
    """A kind of design: everything that the rest of the program has to know of it.

    Attributes:
        cells: returns the cells of a study, in running order. The first line of its docstring
            describes the design. It gets its options from `options_of`.
        reference: returns the cell that the others are compared with, which is one of the cells.
        options: what a study file may say about the design, as a dataclass or as a JSON Schema;
            None: nothing.
        needs: what the author of a study file that gives no options is told; empty: options may be
            left out.
        columns: returns the columns of a regular fraction, as in `fractions`, from which the
            aliases follow; None: the cells are no regular fraction.
        balanced: whether every effect is estimated from all cells, so that `exclude` and `when`,
            which remove cells, are refused.
        alone: whether the arms of one factor can stop without those of another, because no cell but
            the reference serves two factors.
        turned: whether reports name an arm by the factors that it turns on, or `off`.
    """

    cells: Callable[[StudySpec], list[Cell]]
    reference: Callable[[StudySpec], Cell] = all_off
    options: type | Schema | None = None
    needs: str = ""
    columns: Callable[[StudySpec], list[int]] | None = None
    balanced: bool = False
    alone: bool = False
    turned: Literal["on", "off"] = "on"


def options_of(kind: type[Options], spec: StudySpec) -> Options:
    """Return the options of a study's design.

    Args:
        kind: the dataclass of the design's options.
        spec: the study.

    Raises:
        DesignError: a value that the dataclass refuses by a ValueError.
    """
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in spec.design.items()
        if name != "kind"
    }
    try:
        return kind(**values)
    except ValueError as error:
        raise DesignError((("design", str(spec.design["kind"])), str(error))) from error


def full_factorial(spec: StudySpec) -> list[Cell]:
    """Every combination of levels."""
    _check_size(spec)
    names = [factor.name for factor in spec.factors]
    return [
        dict(zip(names, labels, strict=True))
        for labels in product(*(factor.levels for factor in spec.factors))
    ]


def leave_one_out(spec: StudySpec) -> list[Cell]:
    """All factors on, then each one off alone; compared with all on."""
    return _turned(all_on(spec), [(factor.name, factor.reference) for factor in spec.factors])


def add_one_in(spec: StudySpec) -> list[Cell]:
    """All factors off, then each one on alone; compared with all off."""
    return _turned(all_off(spec), [(factor.name, _on(factor, spec)) for factor in spec.factors])


def one_at_a_time(spec: StudySpec) -> list[Cell]:
    """Every level of every factor, while the other factors stay at their first level."""
    changes = [(factor.name, label) for factor in spec.factors for label in list(factor.levels)[1:]]
    return _turned(all_off(spec), changes)


def grid(spec: StudySpec) -> list[Cell]:
    """Every combination of levels, for factors with several levels (weights, learning rates)."""
    return full_factorial(spec)


def fractional_factorial(spec: StudySpec) -> list[Cell]:
    """Balanced fraction of all combinations of two-level factors, by resolution or runs."""
    ons = [(factor.reference, _on(factor, spec)) for factor in spec.factors]
    names = [factor.name for factor in spec.factors]
    return [
        {name: levels[bit] for name, levels, bit in zip(names, ons, row, strict=True)}
        for row in fractions.rows(_columns(spec))
    ]


def custom(spec: StudySpec) -> list[Cell]:
    """Cells that the study file lists; factors that a cell leaves out are at their first level."""
    reference = all_off(spec)
    listed = [{**reference, **cell} for cell in spec.design["cells"]]
    return listed if reference in listed else [reference, *listed]


def _columns(spec: StudySpec) -> list[int]:
    """Return the columns of a fractional design, one per factor, as in `fractions`."""
    try:
        if "runs" in spec.design:
            return fractions.columns_for_runs(len(spec.factors), int(spec.design["runs"]))
        return fractions.columns_for_resolution(len(spec.factors), int(spec.design["resolution"]))
    except ValueError as error:
        raise DesignError((("design", str(spec.design["kind"])), str(error))) from None


LABEL: Schema = {"type": ["string", "number", "boolean"], "description": "label of a level"}
"""Rule for the label of a level, which becomes text as the file has it."""
FRACTION: Schema = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {
        "resolution": {
            "enum": [3, 4, 5],
            "description": "3: main effects; 4: clear of pairs; 5: pairs too",
        },
        "runs": {
            "type": "integer",
            "minimum": 2,
            "maximum": 4096,
            "description": "cells, a power of two",
        },
    },
}
"""Options of `fractional_factorial`."""
CELLS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "additionalProperties": LABEL},
}
"""The cells that a study file lists for `custom`."""

DESIGNS: dict[str, Design] = {
    "full_factorial": Design(full_factorial),
    "leave_one_out": Design(leave_one_out, reference=all_on, alone=True, turned="off"),
    "add_one_in": Design(add_one_in, alone=True),
    "one_at_a_time": Design(one_at_a_time, alone=True),
    "grid": Design(grid),
    "fractional_factorial": Design(
        fractional_factorial,
        options=FRACTION,
        needs="needs its size: {fractional_factorial: {resolution: 4}}, or {runs: 8}",
        columns=_columns,
        balanced=True,
    ),
    "custom": Design(
        custom, options=CELLS, needs="needs its cells: {custom: [{factor: level}, ...]}"
    ),
}
"""Name -> design."""

RESERVED = {"kind", "cells"}
"""Names that no option of a design can have."""


def _fits(_name: str, design: Any) -> bool:
    """Return whether an object is a design whose options a study file can give."""
    if not isinstance(design, Design) or not callable(design.cells):
        return False
    if isinstance(design.options, type):
        return is_dataclass(design.options) and not RESERVED & {
            option.name for option in fields(design.options)
        }
    return design.options is None or isinstance(design.options, dict)


GROUP = Group(
    "g2g_ablate.designs", "a Design whose options, if any, are a dataclass or a JSON Schema", _fits
)
"""Entry points that add designs to the menu."""


@cache
def all_designs() -> dict[str, Design]:
    """Return the built-in designs, then those of installed packages, by name.

    Raises:
        PluginError: an installed package adds a design that can't be used.
    """
    return with_plugins(DESIGNS, GROUP)


def design_of(spec: StudySpec) -> Design:
    """Return the design of a study."""
    return all_designs()[str(spec.design["kind"])]


def expand(spec: StudySpec) -> Expansion:
    """Return the cells of a study: those of its design, without what `when` and `exclude` rule out.

    Raises:
        DesignError: the design does not fit the factors, the reference is excluded, a level is in
            no cell, an exclusion excludes nothing, or there are more than `MOST_CELLS` cells.
    """
    design = design_of(spec)
    # Every effect of a balanced design is estimated from all its cells; without some it loses its
    # balance.
    if design.balanced and (spec.exclude or any(factor.when for factor in spec.factors)):
        message = "exclude and when would unbalance it; use full_factorial or custom"
        raise DesignError((("design", str(spec.design["kind"])), message))

    reference = reference_cell(spec)
    with _mistakes_named(design, spec):
        planned = _checked(design.cells(spec), spec) if spec.factors else [{}]
        columns = design.columns(spec) if design.columns and spec.factors else None
    cells, excluded, used = [], [], set()
    seen = set()
    for cell in planned:
        settled = _settle(cell, spec)
        key = tuple(settled.values())
        # Cells that differ only in factors whose `when` does not hold have become the same one.
        if key in seen:
            continue
        seen.add(key)
        number = _exclusion(settled, spec)
        if number is None:
            cells.append(settled)
        else:
            used.add(number)
            excluded.append({**settled, "reason": spec.exclude[number]["reason"]})
    _check(spec, cells, reference, used)

    names = [factor.name for factor in spec.factors]
    return Expansion(
        cells=tuple(cells),
        excluded=tuple(excluded),
        reference=reference,
        aliases=fractions.alias_table(names, columns) if columns else {},
        generators=fractions.generators(names, columns) if columns else {},
    )


def reference_cell(spec: StudySpec) -> Cell:
    """Return the cell that the others are compared with."""
    design = design_of(spec)
    with _mistakes_named(design, spec):
        reference = _checked([design.reference(spec)], spec)[0]
    return _settle(reference, spec)


@contextmanager
def _mistakes_named(design: Design, spec: StudySpec) -> Iterator[None]:
    """Turn any exception of somebody else's design into a DesignError.

    A mistake in a built-in design is a bug, and keeps its traceback.
    """
    try:
        yield
    except DesignError:
        raise
    except Exception as error:
        kind = str(spec.design["kind"])
        if design is DESIGNS.get(kind):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DesignError((("design",), f"{kind}: {reason}")) from error


def _checked(cells: Iterable[Cell], spec: StudySpec) -> list[Cell]:
    """Return the cells that a design has given.

    Raises:
        DesignError: a cell lacks a factor, or has a level that does not exist.
    """
    levels = {factor.name: factor.levels for factor in spec.factors}
    checked = []
    for cell in cells:
        if cell.keys() != levels.keys() or any(cell[name] not in levels[name] for name in cell):
            message = f"{spec.design['kind']}: {dict(cell)} is not a cell of this study"
            raise DesignError((("design",), message))
        checked.append({name: cell[name] for name in levels})
    return checked


def _settle(cell: Cell, spec: StudySpec) -> Cell:
    """Return the cell with those factors at their reference whose `when` does not hold."""
    conditional = [factor for factor in spec.factors if factor.when]
    # Repeated because one factor at its reference can switch off another, in a chain of any order.
    for _ in conditional:
        for factor in conditional:
            if any(cell[other] != level for other, level in factor.when.items()):
                cell = {**cell, factor.name: factor.reference}
    return cell


def _exclusion(cell: Cell, spec: StudySpec) -> int | None:
    """Return the number of the first exclusion that names the cell, or None."""
    for number, rule in enumerate(spec.exclude):
        if all(cell[factor] == level for factor, level in rule.items() if factor != "reason"):
            return number
    return None


def _check(spec: StudySpec, cells: list[Cell], reference: Cell, used: set[int]) -> None:
    """Refuse exclusions and levels that can only be mistakes."""
    problems: list[tuple[tuple[str | int, ...], str]] = []
    if reference not in cells:
        problems.append(
            (("exclude",), "the reference cell is excluded, but every comparison needs it")
        )

    for number, rule in enumerate(spec.exclude):
        if number not in used:
            named = ", ".join(
                f"{factor}={level}" for factor, level in rule.items() if factor != "reason"
            )
            problems.append((("exclude", number), f"no cell of the design has {named}"))

    for factor, label in _unreached(spec, cells):
        problems.append(
            (
                ("factors", factor, "levels", label),
                "unreachable: no cell of the study has this level",
            )
        )

    if problems:
        raise DesignError(*problems)


def _unreached(spec: StudySpec, cells: list[Cell]) -> Iterator[tuple[str, str]]:
    """Yield the factors and labels of levels that no cell has."""
    for factor in spec.factors:
        reached = {cell[factor.name] for cell in cells}
        yield from ((factor.name, label) for label in factor.levels if label not in reached)


def _check_size(spec: StudySpec) -> None:
    """Refuse a full factorial with too many cells to hold in memory."""
    number = 1
    for factor in spec.factors:
        number *= len(factor.levels)
    if number > MOST_CELLS:
        raise DesignError(
            (
                ("design",),
                f"{number} cells are too many (at most {MOST_CELLS}); try fractional_factorial",
            )
        )


def _turned(start: Cell, changes: list[tuple[str, str]]) -> list[Cell]:
    """Return the starting cell, then that cell with each change alone."""
    return [start, *({**start, name: label} for name, label in changes)]


def _on(factor: Factor, spec: StudySpec) -> str:
    """Return the second of a factor's two levels; another number of levels is an error."""
    if len(factor.levels) != 2:
        kind = spec.design["kind"]
        message = (
            f"{kind} needs two levels, it has {len(factor.levels)}; one_at_a_time takes any number"
        )
        raise DesignError((("factors", factor.name), message))
    return list(factor.levels)[1]


def meant_equal(spec: StudySpec, *arms: Mapping[str, str]) -> bool:
    """Return whether the study file lists these arms as equal."""
    return any(
        all(
            any(all(arm.get(f) == level for f, level in cell.items()) for cell in group)
            for arm in arms
        )
        for group in spec.equal_arms
    )
