"""The outcome by level of a factor: dots, or lines across levels that are ordered."""

from collections.abc import Mapping, Sequence

from reports.charts.svg import Axis, circle, line, path, shortened, tick_labels, words
from reports.page.blocks import Drawing

WIDTH, HEIGHT = 260.0, 172.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 248.0, 10.0, 134.0
ROOM = 0.5
"""Space outside the first and the last level, in distances between levels."""
JITTER = 0.12
"""Half the width over which the dots of a level spread, in distances between levels."""


def level_panel(
    name: str,
    values: Mapping[str, Mapping[int, float]],
    span: tuple[float, float],
    alt: str,
    lined: bool,
) -> Drawing:
    """Draw each seed's value at each level, and the means of the levels.

    Args:
        name: name of the drawing.
        values: level -> seed -> value; the levels from left to right.
        span: range of the vertical axis.
        alt: one sentence that says what is seen.
        lined: True joins a seed's values with lines from level to level; False draws dots.
    """
    x = Axis(-ROOM, len(values) - 1 + ROOM, LEFT, RIGHT)
    y = Axis(span[0], span[1], BOTTOM, TOP)

    body = ""
    ticks = y.ticks(4)
    for tick, text in zip(ticks, tick_labels(ticks), strict=True):
        body += line(LEFT, y(tick), RIGHT, y(tick), "grid")
        body += words(LEFT - 5, y(tick) + 3.5, text, "tick end")
    body += _level_names(list(values), x)

    seeds = sorted({seed for by_seed in values.values() for seed in by_seed})
    means = [_mean(by_seed) for by_seed in values.values()]
    if lined:
        for seed in seeds:
            points = [
                (x(at), y(by_seed[seed]))
                for at, by_seed in enumerate(values.values())
                if seed in by_seed
            ]
            body += path(points, "off seed")
        body += path([(x(at), y(mean)) for at, mean in enumerate(means)], "off mean")
    else:
        for at, by_seed in enumerate(values.values()):
            for place, seed in enumerate(seeds):
                if seed in by_seed:
                    body += circle(x(at + _aside(place, len(seeds))), y(by_seed[seed]), 2, "dot")

    body += "".join(circle(x(at), y(mean), 3.6, "foff") for at, mean in enumerate(means))
    return Drawing(name, body, WIDTH, HEIGHT, alt)


def _level_names(names: Sequence[str], x: Axis) -> str:
    """Draw the labels under the levels, on two rows in turn so that each has room."""
    width = 2 * (x(1) - x(0)) - 6 if len(names) > 1 else RIGHT - LEFT
    text = ""
    for at, name in enumerate(names):
        row = BOTTOM + 14 + 14 * (at % 2)
        # A centered label ends at the nearer edge of the drawing.
        room = min(width, 2 * x(at), 2 * (WIDTH - x(at)))
        text += line(x(at), BOTTOM, x(at), BOTTOM + 4, "ax")
        text += words(x(at), row, shortened(name, room, 10), "tick mid")
    return text


def _aside(place: int, n: int) -> float:
    """Return how far a dot is moved sideways from its level, in distances between levels."""
    return 0.0 if n < 2 else JITTER * (2 * place / (n - 1) - 1)


def _mean(by_seed: Mapping[int, float]) -> float:
    """Return the mean over the seeds."""
    return sum(by_seed.values()) / len(by_seed)
