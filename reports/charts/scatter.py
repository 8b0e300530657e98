"""Two metrics against each other, with one mark per trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.svg import Axis, circle, line, rect, shortened, tick_labels, words
from reports.page.blocks import Drawing


@dataclass(frozen=True)
class Spot:
    """The mark of one trial.

    Attributes:
        x: value on the horizontal axis.
        y: value on the vertical axis.
        tone: class of its color (`neutral`, `gray`).
        hollow: True draws a hollow square, False a filled disc.
        title: what the pointer shows over a disc.
    """

    x: float
    y: float
    tone: str
    hollow: bool
    title: str


def scatter(
    name: str,
    spots: Sequence[Spot],
    start: Sequence[tuple[float, float]],
    labels: tuple[str, str],
    alt: str,
) -> Drawing:
    """Draw the marks of the trials.

    Args:
        name: name of the drawing.
        spots: the marks.
        start: the values of both metrics at step 0; the first pair is drawn as a crosshair.
        labels: labels of the horizontal and the vertical axis.
        alt: one sentence that says what is seen.
    """
    left, right, top, bottom = 58.0, 400.0, 26.0, 214.0
    x = Axis.around([s.x for s in spots] + [a for a, _ in start], left, right)
    y = Axis.around([s.y for s in spots] + [b for _, b in start], bottom, top)

    body = ""
    ticks = y.ticks(5)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += line(left, y(tick), right, y(tick), "grid") + words(
            left - 6, y(tick) + 3.5, text, "tick end"
        )
    ticks = x.ticks(5)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += line(x(tick), bottom, x(tick), bottom + 4, "ax") + words(
            x(tick), bottom + 16, text, "tick mid"
        )
    body += words(left - 50, 12, shortened(labels[1], right - 4), "mu") + words(
        right, bottom + 34, shortened(labels[0], right - 8), "mu end"
    )

    for a, b in start[:1]:
        body += line(x(a) - 6, y(b), x(a) + 6, y(b), "neutral bar") + line(
            x(a), y(b) - 6, x(a), y(b) + 6, "neutral bar"
        )
        body += words(x(a) + 8, y(b) - 5, "step 0")

    for spot in spots:
        if spot.hollow:
            body += rect(x(spot.x) - 3.5, y(spot.y) - 3.5, 7, 7, f"{spot.tone} hollow thin")
        else:
            body += circle(x(spot.x), y(spot.y), 3.6, f"f{spot.tone}", spot.title)
    return Drawing(name, body, 412, bottom + 40, alt, "wide")
