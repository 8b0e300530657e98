"""How long trials stay good: Kaplan-Meier curves with the numbers at risk."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import (
    Axis,
    end_labels,
    line,
    path,
    shortened,
    text_width,
    tick_labels,
    words,
)
from reports.page.blocks import Drawing

DASHES = ("", " dash", " dots")
"""Classes by group, so that a line that lies on another line doesn't hide it."""


@dataclass(frozen=True)
class Survivors:
    """One group of trials.

    Attributes:
        label: name of the group.
        steps: increasing steps of the events; each share holds from its step on.
        shares: share of trials not yet degraded after each step, in [0, 1].
        censored: steps at which good trials ended.
        at_risk: trials that are still good and running just before each tick, see `ticks_until`.
        css: class of the line.
    """

    label: str
    steps: tuple[float, ...]
    shares: tuple[float, ...]
    censored: tuple[float, ...]
    at_risk: tuple[int, ...]
    css: str


def ticks_until(last: float) -> list[float]:
    """Return the steps at which the chart gives the numbers at risk."""
    return Axis(0, max(last, 1), 0, 1).ticks(5)


def survival_chart(name: str, groups: Sequence[Survivors], last: float, alt: str) -> Drawing:
    """Draw the curves of the groups, and the table of the numbers at risk under them.

    Args:
        name: name of the drawing.
        groups: the groups, in the order of the table.
        last: last step of the horizontal axis.
        alt: one sentence that says what is seen.
    """
    # The table has the names of the groups at its left; the plot makes room for them.
    widest = max((text_width(group.label, 10) for group in groups), default=0.0)
    left = min(max(96.0, widest + 40), 260.0)
    right, top, bottom = left + 304, 10.0, 170.0
    x, y = Axis(0, max(last, 1), left, right), Axis(0, 1, bottom, top)

    body = ""
    for share in (0.0, 0.5, 1.0):
        body += line(left, y(share), right, y(share), "grid")
        body += words(left - 6, y(share) + 3.5, f"{100 * share:.0f}%", "tick end")
    ticks = ticks_until(last)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += words(x(tick), bottom + 16, text, "tick mid")
    body += words(right + 24, bottom + 16, "step", "tick")

    ends = []
    for index, group in enumerate(groups):
        points, share = [(x(0), y(1))], 1.0
        for step, after in zip(group.steps, group.shares, strict=True):
            points += [(x(step), y(share)), (x(step), y(after))]
            share = after
        points.append((x(last), y(share)))
        body += path(points, f"{group.css} mean{DASHES[index % 3]}")

        for step in group.censored:
            level = next(
                (
                    s
                    for at, s in reversed(list(zip(group.steps, group.shares, strict=True)))
                    if at <= step
                ),
                1.0,
            )
            body += line(x(step), y(level) - 4, x(step), y(level) + 4, group.css)

        ends.append((y(share), group.label))
        row = bottom + 38 + 15 * index
        body += words(left - 30, row, shortened(group.label, left - 34, 10), "tick end")
        body += "".join(
            words(x(tick), row, str(k), "tick mid")
            for tick, k in zip(ticks, group.at_risk, strict=True)
        )

    body += end_labels(right + 8, ends, 130, top - 6, bottom + 4)
    body += words(right + 24, bottom + 38, "at risk", "tick")
    return Drawing(name, body, right + 140, bottom + 44 + 15 * len(groups), alt, "wide")
