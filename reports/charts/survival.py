"""How long trials stay good: Kaplan-Meier curves with the numbers at risk."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import Axis, line, path, shortened, tick_labels, words
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


def _free(wanted: float, taken: Sequence[float], top: float, bottom: float) -> float:
    """Return the height nearest to `wanted` at which a label covers no other label.

    The height is inside the plot if there is room.

    Args:
        wanted: height at which the label would be alone.
        taken: heights of the labels already drawn.
        top: upper end of the plot.
        bottom: lower end of the plot.
    """
    moves = sorted((13 * k for k in range(-len(taken) - 1, len(taken) + 2)), key=abs)
    free = [
        wanted + move for move in moves if all(abs(wanted + move - other) >= 13 for other in taken)
    ]
    return next((at for at in free if top <= at <= bottom + 4), free[0])


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
    left, right, top, bottom = 96.0, 400.0, 10.0, 170.0
    x, y = Axis(0, max(last, 1), left, right), Axis(0, 1, bottom, top)

    body = ""
    for share in (0.0, 0.5, 1.0):
        body += line(left, y(share), right, y(share), "grid")
        body += words(left - 6, y(share) + 3.5, f"{100 * share:.0f} %", "tick end")
    ticks = ticks_until(last)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += words(x(tick), bottom + 16, text, "tick mid")
    body += words(right + 24, bottom + 16, "step", "tick")

    taken: list[float] = []
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

        at = _free(y(share) + 4, taken, top, bottom)
        taken.append(at)
        body += words(right + 8, at, shortened(group.label, 130), "bold")

        row = bottom + 38 + 15 * index
        body += words(left - 30, row, shortened(group.label, left - 34, 10), "tick end")
        body += "".join(
            words(x(tick), row, str(k), "tick mid")
            for tick, k in zip(ticks, group.at_risk, strict=True)
        )

    body += words(right + 24, bottom + 38, "at risk", "tick")
    return Drawing(name, body, 540, bottom + 44 + 15 * len(groups), alt, "wide")
