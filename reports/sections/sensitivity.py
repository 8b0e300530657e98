"""The outcome by level of each factor with more than two levels, ordered or side by side."""

from collections.abc import Sequence

from reports.charts.levels import level_panel
from reports.page.blocks import Cell, Column, Figure, Panel, Rich, Section, Table, Text, code, rich
from reports.view.ordered import ordered_levels, size_of_weight
from reports.view.study import StudyView
from reports.words.estimates import fixed_cell, outcomes

Seeds = dict[int, list[tuple[float, float]]]
"""Pairs of level number and mean outcome for each seed."""


def sensitivity(view: StudyView) -> Section | None:
    """Show the mean outcome by level, at the same settings of other factors.

    Returns:
        The section; None if all factors have two levels or none can be compared.
    """
    several = [factor for factor, entry in view.factors.items() if len(entry["levels"]) > 2]
    by_level = {factor: _by_level(view, factor) for factor in several}
    factors = [factor for factor, (seeds, _) in by_level.items() if seeds]
    if not factors:
        return None

    ordered = [factor for factor in factors if ordered_levels(view, factor) is not None]
    unordered = [factor for factor in factors if factor not in ordered]
    rows = [row for factor in factors for row in _rows(view, factor, by_level[factor][1])]
    panels = tuple(_panel(view, factor, *by_level[factor]) for factor in factors)
    return Section(
        "sensitivity",
        _title(view, ordered, unordered),
        "Sensitivity",
        (
            Text(_intro(ordered, unordered)),
            Figure("sensitivity", _caption(ordered, unordered), panels, 3),
            _table(view, rows),
        ),
    )


def _title(view: StudyView, ordered: Sequence[str], unordered: Sequence[str]) -> str:
    """Return a title that is true for all factors of the section."""
    if unordered:
        return "How do the levels compare?"
    if all(size_of_weight(view, factor) for factor in ordered):
        return "Does the size of the weight matter?"
    return "Does the amount matter?"


def _intro(ordered: Sequence[str], unordered: Sequence[str]) -> Rich:
    """Return what the levels show, by whether they have an order."""
    comparison = (
        "All levels of a factor are read in the same seeds at the same settings of the others."
    )
    more = "Ordered levels show whether more of a factor changes the outcome more. "
    apart = "Levels without an order are compared side by side: their places mean nothing. "
    return rich(more if ordered else "", apart if unordered else "", comparison)


def _caption(ordered: Sequence[str], unordered: Sequence[str]) -> Rich:
    """Return what the marks are."""
    lines = "Lines: ordered levels from low to high; thin: seeds; thick: mean. "
    dots = "Dots: levels without an order, side by side in plan order; small: seeds; large: mean. "
    return rich((lines if ordered else "") + (dots if unordered else "")[:-1])


def _rows(view: StudyView, factor: str, means: dict[str, list[float]]) -> list[tuple[Cell, ...]]:
    """Return one row for each level of a factor."""
    return [
        (
            Cell(rich(code(factor)), value=factor),
            Cell(rich(code(level)), value=level),
            Cell(rich(str(len(values))), value=len(values)),
            fixed_cell(sum(values) / len(values) if values else None, view.scale),
            fixed_cell(min(values, default=None), view.scale),
            fixed_cell(max(values, default=None), view.scale),
        )
        for level, values in means.items()
    ]


def _table(view: StudyView, rows: Sequence[tuple[Cell, ...]]) -> Table:
    """Return the table of outcomes by level."""
    return Table(
        "sensitivity",
        f"{view.metric} {view.summary} by level",
        (
            Column("factor", "Factor", "text", 1.5),
            Column("level", "Level", "text", 1.5),
            Column("n", "Trials", "number", 0.6),
            Column("mean", "Mean", "number", 0.8),
            Column("lowest", "Lowest", "number", 0.8),
            Column("highest", "Highest", "number", 0.8),
        ),
        tuple(rows),
        look="plain",
        sortable=True,
    )


def _by_level(view: StudyView, factor: str) -> tuple[Seeds, dict[str, list[float]]]:
    """Return the outcomes by level, from settings at which all levels of the factor have one.

    Returns:
        Seed -> (level number, mean over the settings), and level -> outcomes.
    """
    levels = [str(level) for level in view.factors[factor]["levels"]]
    blocks: dict[tuple[int, frozenset[tuple[str, str]]], dict[str, float]] = {}
    for arm in view.arms:
        for setting in (arm.levels, *arm.also):
            others = frozenset(
                (f, setting.get(f, view.first(f))) for f in view.factors if f != factor
            )
            for seed, value in outcomes(view, arm).items():
                blocks.setdefault((seed, others), {})[setting.get(factor, view.first(factor))] = (
                    value
                )

    # Levels are comparable only where no other setting differs between them.
    whole = {
        (seed, others): by_label
        for (seed, others), by_label in blocks.items()
        if len(by_label) == len(levels)
    }
    means = {level: [by_label[level] for by_label in whole.values()] for level in levels}

    seeds: Seeds = {}
    for seed in sorted({seed for seed, _ in whole}):
        of_seed = [by_label for (s, _), by_label in whole.items() if s == seed]
        seeds[seed] = [
            (float(i), sum(b[level] for b in of_seed) / len(of_seed))
            for i, level in enumerate(levels)
        ]
    return seeds, means


def _panel(view: StudyView, factor: str, seeds: Seeds, means: dict[str, list[float]]) -> Panel:
    """Return lines over ordered levels, or dots at levels without an order."""
    order = ordered_levels(view, factor)
    levels = list(means)
    values = {
        level: {seed: points[levels.index(level)][1] for seed, points in seeds.items()}
        for level in order or levels
    }
    known = [value for own in values.values() for value in own.values()]
    low, high = min(known), max(known)
    room = (high - low or abs(high) or 1.0) * 0.08

    average = {level: sum(own.values()) / len(own) for level, own in values.items()}
    means_words = [f"{level} {view.scale.fixed(mean)}" for level, mean in average.items()]
    kind = "" if order else " (levels without an order)"
    drawing = level_panel(
        f"sensitivity-{factor}",
        values,
        (low - room, high + room),
        f"{view.metric} by level of {factor}{kind}: {', '.join(means_words)}",
        lined=order is not None,
    )
    return Panel(rich(code(factor), kind), drawing)
