"""Advice on the scale of the outcome: differences, or ratios."""

from reports.claims.spread import Spread, growing_spread
from reports.page.blocks import Rich, code, joined, rich
from reports.page.numbers import Scale
from reports.view.study import StudyView
from reports.words.units import unit


def spread_of(view: StudyView) -> Spread | None:
    """Return how spreads grow with means; None if they don't, or if the scale is log already."""
    cells = view.analysis.cells
    return None if cells.rule.log else growing_spread(cells.raw)


def scale_words(view: StudyView) -> Rich | None:
    """Return the advice to use a log scale in the next study; None without a reason."""
    spread = spread_of(view)
    if spread is None:
        return None

    linear, log = Scale.of(spread.narrow.sd), Scale.of(spread.log_low)
    ends = [
        rich(
            f"{linear.fixed(one.sd)} in ",
            code(view.arm_of[view.analysis.cells.design.cells[one.cell]].label),
            f" (mean {linear.fixed(one.mean)})",
        )
        for one in (spread.narrow, spread.wide)
    ]
    return rich(
        f"Spreads grow with means: the standard deviation over {unit(view)}s is ",
        joined(ends),
        f". On a log scale, where effects are ratios, it lies between {log.fixed(spread.log_low)} "
        f"and {log.fixed(spread.log_high)} in all arms. Set ",
        code("outcome.scale: log"),
        " in the next study.",
    )
