"""Ablation designs: which combinations of levels a study runs.

A design is a function that takes a study and returns its cells. A cell is a dict `{factor: level}`
with every factor in it. The first level of a factor is its reference; a factor with two levels is
"on" at its second one. Nothing here reads files or the clock.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from ablate.study import fractions
from ablate.study.nouns import Factor, StudyError, StudySpec

Cell = dict[str, str]
"""Factor -> level label."""

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


def full_factorial(spec: StudySpec) -> list[Cell]:
    """Every combination of levels."""
    names = [factor.name for factor in spec.factors]
    return [
        dict(zip(names, labels, strict=True))
        for labels in product(*(factor.levels for factor in spec.factors))
    ]


def leave_one_out(spec: StudySpec) -> list[Cell]:
    """All factors on, then each one off alone; compared with all on."""
    return _turned(_all_on(spec), [(factor.name, factor.reference) for factor in spec.factors])


def add_one_in(spec: StudySpec) -> list[Cell]:
    """All factors off, then each one on alone; compared with all off."""
    return _turned(_all_off(spec), [(factor.name, _on(factor, spec)) for factor in spec.factors])


def one_at_a_time(spec: StudySpec) -> list[Cell]:
    """Every level of every factor, while the other factors stay at their first level."""
    changes = [(factor.name, label) for factor in spec.factors for label in list(factor.levels)[1:]]
    return _turned(_all_off(spec), changes)


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
    reference = _all_off(spec)
    listed = [{**reference, **cell} for cell in spec.design["cells"]]
    return listed if reference in listed else [reference, *listed]


DESIGNS: dict[str, Callable[[StudySpec], list[Cell]]] = {
    f.__name__: f
    for f in (
        full_factorial,
        leave_one_out,
        add_one_in,
        one_at_a_time,
        grid,
        fractional_factorial,
        custom,
    )
}
"""Name -> design."""


def expand(spec: StudySpec) -> Expansion:
    """Return the cells of a study: those of its design, without what `when` and `exclude` rule out.

    Raises:
        DesignError: the design does not fit the factors, the reference is excluded, a level is in
            no cell, an exclusion excludes nothing, or there are more than `MOST_CELLS` cells.
    """
    kind = str(spec.design["kind"])
    if kind in ("full_factorial", "grid"):
        _check_size(spec)
    # Every effect of a fraction is estimated from all its cells; without some it loses its balance.
    if kind == "fractional_factorial" and (
        spec.exclude or any(factor.when for factor in spec.factors)
    ):
        message = "exclude and when would unbalance it; use full_factorial or custom"
        raise DesignError((("design", "fractional_factorial"), message))

    reference = reference_cell(spec)
    cells, excluded, used = [], [], set()
    seen = set()
    for cell in DESIGNS[kind](spec) if spec.factors else [{}]:
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

    fraction = kind == "fractional_factorial" and bool(spec.factors)
    names = [factor.name for factor in spec.factors]
    return Expansion(
        cells=tuple(cells),
        excluded=tuple(excluded),
        reference=reference,
        aliases=fractions.alias_table(names, _columns(spec)) if fraction else {},
        generators=fractions.generators(names, _columns(spec)) if fraction else {},
    )


def reference_cell(spec: StudySpec) -> Cell:
    """Return the cell that the others are compared with.

    Every factor is at its first level, except in `leave_one_out`, where all factors are on.
    """
    all_on = spec.design["kind"] == "leave_one_out"
    return _settle(_all_on(spec) if all_on else _all_off(spec), spec)


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


def _all_off(spec: StudySpec) -> Cell:
    """Return the cell with every factor at its first level."""
    return {factor.name: factor.reference for factor in spec.factors}


def _all_on(spec: StudySpec) -> Cell:
    """Return the cell with every factor at the second of its two levels."""
    return {factor.name: _on(factor, spec) for factor in spec.factors}


def _on(factor: Factor, spec: StudySpec) -> str:
    """Return the second of a factor's two levels; another number of levels is an error."""
    if len(factor.levels) != 2:
        kind = spec.design["kind"]
        message = (
            f"{kind} needs two levels, it has {len(factor.levels)}; one_at_a_time takes any number"
        )
        raise DesignError((("factors", factor.name), message))
    return list(factor.levels)[1]


def _columns(spec: StudySpec) -> list[int]:
    """Return the columns of a fractional design, one per factor, as in `fractions`."""
    try:
        if "runs" in spec.design:
            return fractions.columns_for_runs(len(spec.factors), int(spec.design["runs"]))
        return fractions.columns_for_resolution(len(spec.factors), int(spec.design["resolution"]))
    except ValueError as error:
        raise DesignError((("design", "fractional_factorial"), str(error))) from None


def meant_equal(spec: StudySpec, *arms: Mapping[str, str]) -> bool:
    """Return whether the study file lists these arms as equal."""
    return any(
        all(
            any(all(arm.get(f) == level for f, level in cell.items()) for cell in group)
            for arm in arms
        )
        for group in spec.equal_arms
    )
