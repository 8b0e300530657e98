"""The least that the rule should say: a rule that claims nothing is never wrong, but no help.

The shares come from simulations of the procedure that the rule follows, with normal noise and full
factorials. The rule should say as much, within 5 points. The simulations had no guard against
skewed effects.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.known_truth.table import Row, limits
from benchmarks.known_truth.targets import Target

ROOM = 0.05
SDS = (0.3, 0.5, 1.0)

Shares = tuple[int, ...]


@dataclass(frozen=True)
class Said:
    """For one truth, how often the rule should use each class of words.

    Attributes:
        kind: name of the kind of studies.
        factors: the factors whose words are counted; they play the same part.
        words: classes of words, the strongest class first.
        shares: number of seeds -> for each of `SDS`, the percentages of the classes; 0 stands for
            less than 3.
    """

    kind: str
    factors: str
    words: tuple[tuple[str, ...], ...]
    shares: Mapping[int, tuple[Shares, Shares, Shares]]


NULL = (("equivalent",), ("equivalent on average", "no harm", "no benefit"))
HARM = (("harms",), ("harms on average",))
REVERSAL = (("depends: reversal",), ("depends: differs", "depends: conditional"))
CONDITIONAL = (
    ("depends: conditional", "depends: reversal"),
    ("depends: differs",),
    ("harms on average", "harms"),
)

TABLE = (
    Said(
        "2^2, nothing acts",
        "ab",
        NULL,
        {5: ((85, 14), (11, 70), (0, 9)), 7: ((100, 0), (48, 49), (0, 22))},
    ),
    Said(
        "2^3, nothing acts",
        "abc",
        NULL,
        {
            5: ((52, 47), (0, 97), (0, 25)),
            7: ((99, 0), (9, 89), (0, 64)),
            10: ((100, 0), (71, 28), (0, 93)),
        },
    ),
    Said(
        "2^3, additive 0, 0, 1",
        "c",
        HARM,
        {
            5: ((99, 0), (75, 11), (4, 24)),
            7: ((99, 0), (98, 0), (22, 32)),
            10: ((98, 0), (99, 0), (67, 17)),
        },
    ),
    Said(
        "2^3, +3 everywhere",
        "a",
        HARM,
        {5: ((99, 0), (99, 0), (82, 18)), 7: ((99, 0), (99, 0), (99, 0))},
    ),
    Said(
        "2^2, crossover +3, +3, both 0",
        "ab",
        REVERSAL,
        {5: ((100, 0), (99, 0), (28, 66)), 7: ((100, 0), (100, 0), (84, 16))},
    ),
    Said(
        "2^3, crossover +3, +3, both 0",
        "ab",
        REVERSAL,
        {5: ((100, 0), (99, 0), (23, 70)), 7: ((100, 0), (100, 0), (93, 7))},
    ),
    Said(
        "2^3, pure interaction ±2",
        "ab",
        REVERSAL,
        {5: ((100, 0), (67, 33), (0, 60)), 7: ((100, 0), (100, 0), (34, 63))},
    ),
    Said(
        "2^3, sign reversal +5 / -3",
        "a",
        REVERSAL,
        {5: ((100, 0), (99, 0), (44, 56)), 7: ((100, 0), (100, 0), (93, 7))},
    ),
    Said(
        "2^3, reversal at the margin +3 / -1",
        "a",
        REVERSAL,
        {5: ((58, 42), (17, 83), (0, 59)), 7: ((97, 0), (54, 46), (6, 90))},
    ),
    Said(
        "2^3, +3 with b, 0 without",
        "a",
        CONDITIONAL,
        {
            5: ((47, 53, 0), (10, 84, 5), (0, 35, 37)),
            7: ((95, 5, 0), (35, 65, 0), (0, 74, 22)),
            10: ((100, 0, 0), (85, 15, 0), (6, 93, 0)),
        },
    ),
    Said(
        "2^3, +3 in one setting",
        "abc",
        CONDITIONAL,
        {
            5: ((65, 34, 0), (5, 65, 17), (0, 18, 12)),
            7: ((100, 0, 0), (50, 49, 0), (0, 39, 18)),
            10: ((100, 0, 0), (96, 4, 0), (4, 72, 11)),
        },
    ),
)
"""Shares from the simulations by which the rule was designed."""


def compared(rows: Sequence[Row]) -> Iterator[Target]:
    """Yield for each entry the share of the words up to each class, with its least value."""
    by_size = {(row.kind.name, row.seeds, row.sd): row for row in rows}
    for entry in TABLE:
        for seeds, at_sds in entry.shares.items():
            for sd, shares in zip(SDS, at_sds, strict=True):
                row = by_size.get((entry.kind, seeds, sd))
                if row is not None:
                    yield from _classes(entry, row, shares)


def _classes(entry: Said, row: Row, shares: Shares) -> Iterator[Target]:
    """Yield one target for each class that has at least a small share of the studies."""
    words: Counter[str] = row.sums
    of = row.studies * len(entry.factors)

    count, least, names = 0, 0.0, ""
    for group, share in zip(entry.words, shares, strict=True):
        count += sum(words[f"{factor} is {word}"] for factor in entry.factors for word in group)
        least += share / 100
        names = f"{names} or {group[0]}" if names else group[0]
        if not share:
            continue

        # The factors of a study aren't independent, so the studies determine the error.
        low, high = limits(count / len(entry.factors), row.studies)
        label = f"{entry.kind}, {row.seeds} seeds, sd {row.sd:g}: {names}"
        yield Target(label, count / of, (high - low) / (2 * 1.96), low=least - ROOM)
