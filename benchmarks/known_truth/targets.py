"""What the rule should reach besides few false claims, each target with its measured number."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.known_truth.table import Row, percent, ratio
from reports.stats.power import MOST_SEEDS, power, seeds_wanted

Z = 1.96
PILOTS = 1_000
PILOT_LEVEL = 0.0167

HEAD = "| target | measured | bound | result |\n|---|---|---|---|"


@dataclass(frozen=True)
class Target:
    """A number and its bound; nan means that the number was not measured.

    A target with neither bound is only printed.

    Attributes:
        name: what was measured.
        value: the measured share.
        error: its Monte Carlo standard error.
        low: least value; nan for none.
        high: largest value; nan for none.
    """

    name: str
    value: float
    error: float
    low: float = math.nan
    high: float = math.nan

    @property
    def met(self) -> bool | None:
        """Whether the target is met within Monte Carlo error; None if it has no bound."""
        if math.isnan(self.low) and math.isnan(self.high):
            return None
        return not (
            self.value + Z * self.error < self.low or self.value - Z * self.error > self.high
        )

    def line(self) -> str:
        """Return a row of the table, in percent."""
        sides = [
            f"≥ {percent(self.low)}" if self.low == self.low else "",
            f"≤ {percent(self.high)}" if self.high == self.high else "",
        ]
        word = {None: "printed", True: "met", False: "MISSED"}[self.met]
        bound = ", ".join(side for side in sides if side) or "–"
        return f"| {self.name} | {percent(self.value)} ± {percent(self.error)} | {bound} | {word} |"


def of_rows(rows: Sequence[Row]) -> Iterator[Target]:
    """Yield the targets for which the rows of the table have the numbers."""
    by_size = {(row.kind.name, row.seeds, row.sd): row for row in rows}
    yield from _missing(by_size)
    yield from _looks(by_size)
    yield from _skewed(rows)
    yield from _diverging(rows)


def _missing(by_size: dict[tuple[str, int, float], Row]) -> Iterator[Target]:
    """Yield the cost of lost trials: a fraction with lost trials against the same without."""
    name = "2^(5-2) III, +2 and four of 0, normal, {} missing"
    for seeds, most in ((5, 0.10), (10, 0.05)):
        complete, lacks = (by_size.get((name.format(share), seeds, 1.0)) for share in ("0%", "10%"))
        if complete and lacks:
            error = math.hypot(
                *(_share_error(1 - row.decided, row.studies) for row in (complete, lacks))
            )
            label = (
                f"2^(5-2), {seeds} seeds: undecided with 10 % missing, "
                f"less complete ({percent(1 - complete.decided)})"
            )
            yield Target(label, complete.decided - lacks.decided, error, high=most)


def _looks(by_size: dict[tuple[str, int, float], Row]) -> Iterator[Target]:
    """Yield how often looks decide, and how many trials they save.

    The standard deviation in the names is that of an effect within a seed.
    """
    for (name, _, sd), row in by_size.items():
        kind = row.kind
        if kind.group != "looks" or kind.diverging or kind.looks != (4, 6, 8, 12):
            continue

        # An effect is the difference of two trials, or that of two means of four trials.
        of_effect = round(
            sd * (math.sqrt(2) if kind.design.startswith("leave") else math.sqrt(0.5)), 1
        )

        if "nothing acts" in name and of_effect == 1.0:
            share = row.share("all decided")
            bound = 0.45 if kind.spend == "late" else math.nan
            yield Target(
                f"{name}, sd 1: all is decided", share, _share_error(share, row.studies), low=bound
            )
        elif of_effect == 0.6 and ("nothing acts" in name or "0, 1, 3" in name):
            most = 0.8 if kind.design.startswith("leave") else 1.0
            # Arms that can stop alone spend evenly, factorials late.
            alone = kind.design.startswith("leave")
            bound = most if kind.spend == ("even" if alone else "late") else math.nan
            label = f"{name}, sd 0.6: trials over those of the earlier rule"
            saved = row.sums["trials used"] / row.sums["earlier trials"]
            yield Target(label, saved, 0.25 / math.sqrt(row.studies), high=bound)


def _skewed(rows: Sequence[Row]) -> Iterator[Target]:
    """Yield the coverage where effects are skewed over seeds."""
    for row in rows:
        if (
            row.kind.group == "skewed"
            and row.kind.design.startswith("leave")
            and "nothing" in row.kind.name
        ):
            cover, error = ratio(row.sums)
            bound = 0.93 if row.kind.noise.endswith("0.5") else math.nan
            yield Target(
                f"{row.kind.name}, {row.seeds} seeds, sd {row.sd:g}: covers",
                cover,
                error,
                low=bound,
            )


def _diverging(rows: Sequence[Row]) -> Iterator[Target]:
    """Yield the false claims about means where trials diverge because of their outcome."""
    for row in rows:
        if row.kind.name in (
            "2^3, a × b of 4, 70 % in one cell",
            "2^3, nothing acts, worst 40 % of a level",
        ):
            share = row.share("false mean")
            label = f"{row.kind.name}, {row.seeds} seeds: false claims"
            yield Target(label, share, _share_error(share, row.studies), high=0.05)


def advice(seed: int) -> Iterator[Target]:
    """Yield the true power of studies that use as many seeds as a pilot advised.

    Effect and standard deviation are 1.

    Args:
        seed: fixes the pilots.
    """
    rng = np.random.default_rng(seed)
    for pilot in (4, 5, 7, 10):
        real = []
        for sd in rng.standard_normal((PILOTS, pilot)).std(axis=1, ddof=1):
            wanted = seeds_wanted(float(sd), pilot, 1.0, PILOT_LEVEL)
            assert wanted is not None
            real.append(power(wanted.n_headline or MOST_SEEDS, 1.0, 1.0, PILOT_LEVEL))
        error = float(np.std(real) / math.sqrt(PILOTS))
        yield Target(
            f"real power after a pilot of {pilot} seeds", float(np.mean(real)), error, 0.80, 0.88
        )


def _share_error(share: float, of: int) -> float:
    """Return the standard error of a share, which is never 0.

    Shares of 0 and 1 get the error of a share that is one study away from them.
    """
    share = min(max(share, 1 / (of + 1)), of / (of + 1))
    return math.sqrt(share * (1 - share) / of)
