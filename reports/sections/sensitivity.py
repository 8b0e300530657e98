"""Is it the weight? The outcome by level of each factor with more than two levels."""

from reports.charts.curves import Line, curve_panel
from reports.document import Cell, Column, Figure, Panel, Section, Table, Text, code, rich
from reports.estimates import fixed_cell, outcomes
from reports.view import StudyView


def sensitivity(view: StudyView) -> Section | None:
    """Mean outcome a level, other factors at the same settings; None when every factor has two levels."""
    factors = [factor for factor, entry in view.factors.items() if len(entry["levels"]) > 2]
    rows, panels = [], []
    for factor in factors:
        seeds, means = _by_level(view, factor)
        if not seeds:
            continue
        for level, values in means.items():
            mean = sum(values) / len(values) if values else None
            rows.append(
                (
                    Cell(rich(code(factor)), value=factor),
                    Cell(rich(code(level)), value=level),
                    Cell(rich(str(len(values))), value=len(values)),
                    fixed_cell(mean, view.scale),
                    fixed_cell(min(values, default=None), view.scale),
                    fixed_cell(max(values, default=None), view.scale),
                )
            )
        if (panel := _panel(view, factor, seeds, means)) is not None:
            panels.append(panel)
    if not rows:
        return None
    table = Table(
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
    figure = Figure(
        "sensitivity",
        rich("Levels from left to right in the order of the table; thin: seeds; thick: mean."),
        tuple(panels),
        3,
    )
    intro = Text(
        rich(
            "A factor with several levels says whether more of it changes more. All its levels are read in the same "
            "seeds and at the same settings of the other factors."
        )
    )
    return Section(
        "sensitivity",
        "Does the size of the weight matter?",
        "Sensitivity",
        (intro, *((figure,) if panels else ()), table),
    )


def _by_level(view: StudyView, factor: str) -> tuple[dict[int, list[tuple[float, float]]], dict[str, list[float]]]:
    """Seed -> (level number, mean), and level -> outcomes, where all levels have one at the same other settings."""
    levels = [str(level) for level in view.factors[factor]["levels"]]
    blocks: dict[tuple[int, frozenset[tuple[str, str]]], dict[str, float]] = {}
    for arm in view.arms:
        for setting in (arm.levels, *arm.also):
            others = frozenset((f, setting.get(f, view.first(f))) for f in view.factors if f != factor)
            for seed, value in outcomes(view, arm).items():
                blocks.setdefault((seed, others), {})[setting.get(factor, view.first(factor))] = value
    whole = {(seed, others): found for (seed, others), found in blocks.items() if len(found) == len(levels)}
    means = {level: [found[level] for found in whole.values()] for level in levels}
    seeds: dict[int, list[tuple[float, float]]] = {}
    for seed in sorted({seed for seed, _ in whole}):
        mine = [found for (s, _), found in whole.items() if s == seed]
        seeds[seed] = [(float(i), sum(b[level] for b in mine) / len(mine)) for i, level in enumerate(levels)]
    return seeds, means


def _panel(
    view: StudyView, factor: str, seeds: dict[int, list[tuple[float, float]]], means: dict[str, list[float]]
) -> Panel | None:
    middle = [(float(i), sum(v) / len(v)) for i, v in enumerate(means.values()) if v]
    values = [value for points in seeds.values() for _, value in points]
    if len(middle) < 2:
        return None
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.08
    lines = [Line(points, "off seed") for points in seeds.values()] + [Line(middle, "off mean")]
    text = ", ".join(f"{level} {view.scale.fixed(sum(v) / len(v))}" for level, v in means.items() if v)
    drawing = curve_panel(
        f"sensitivity-{factor}",
        lines,
        (0.0, float(len(means) - 1)),
        (low - room, high + room),
        f"{view.metric} by level of {factor}: {text}",
    )
    return Panel(rich(code(factor)), drawing)
