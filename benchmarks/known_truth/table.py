"""Rates with their Monte Carlo errors, what passes, and the tables that are printed."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scipy import special

from benchmarks.known_truth.kinds import Kind
from reports.claims.budget import ERROR

Z = 1.96
COVERAGE_ROOM = 0.02
"""How far coverage may be from its nominal value: 95% intervals may cover 93% to 97%."""
SHOWN_OFTEN = 0.8
"""Share of the effects that must have an interval, for coverage to be judged.

Where intervals are rare, whether one is shown depends on the result, which biases coverage.
"""
STUDIES_FOR_COVERAGE = 30
"""Least number of studies for which the error of coverage is known well enough to judge it."""
FAMILIES = (
    *("direction", "direction on average", "equivalent", "equivalent on average", "one_sided"),
    *("depends", "conditional", "composite", "idle", "diverges"),
)
"""Kinds of claims that are counted separately; the last one has an error of its own."""


def limits(found: float, of: float) -> tuple[float, float]:
    """Return the exact 95% limits of a share (Clopper & Pearson 1934); (0, 1) if `of` is 0.

    Args:
        found: number of hits.
        of: number of cases.
    """
    low = float(special.betaincinv(found, of - found + 1, 0.025)) if found else 0.0
    high = float(special.betaincinv(found + 1, of - found, 0.975)) if found < of else 1.0
    return low, high


def ratio(sums: Mapping[str, float]) -> tuple[float, float]:
    """Return the share of the shown intervals that cover, with its standard error.

    The error treats the intervals of a study as one cluster, because they aren't independent.
    """
    if not sums["shown"]:
        return math.nan, math.nan
    share = sums["covered"] / sums["shown"]
    square = sums["covered²"] - 2 * share * sums["covered × shown"] + share**2 * sums["shown²"]
    # Even if all intervals of a few studies cover, their share has an error.
    least = math.sqrt(ERROR * (1 - ERROR) / sums["shown"])
    return share, max(math.sqrt(max(square, 0.0)) / sums["shown"], least)


@dataclass(frozen=True)
class Row:
    """The studies of one kind and size.

    Attributes:
        kind: see `Kind`.
        seeds: number of seeds of a study; with looks, that of the last look.
        sd: standard deviation of a trial's noise, in margins.
        sums: counts over the studies, see `measure.tally`.
    """

    kind: Kind
    seeds: int
    sd: float
    sums: Counter[str]

    @property
    def studies(self) -> int:
        """Number of studies that were drawn."""
        return self.sums["studies"]

    def share(self, name: str, of: str = "studies") -> float:
        """Return a count as a share of another count."""
        return self.sums[name] / self.sums[of] if self.sums[of] else math.nan

    @property
    def decided(self) -> float:
        """Share of the changes with a verdict."""
        return 1 - self.share("open", "changes")

    @property
    def earlier_decided(self) -> float:
        """Share of the changes with a verdict by the earlier rule."""
        return 1 - self.share("earlier open", "changes")

    @property
    def failures(self) -> tuple[str, ...]:
        """Names of the failed checks; for an excepted kind only crashes and unbacked verdicts."""
        failures = [name for name in ("crashed", "unbacked") if self.sums[name]]
        if self.kind.excepted:
            return tuple(failures)

        for name in ("mean", "diverges"):
            if limits(self.sums[f"false {name}"], self.studies)[0] > ERROR:
                failures.append(f"false {name}")

        share, error = ratio(self.sums)
        nominal = self.share("nominal", "shown")
        often = self.sums["shown"] >= SHOWN_OFTEN * self.sums["changes"]
        if not often or self.studies < STUDIES_FOR_COVERAGE:
            return tuple(failures)

        if share + Z * error < nominal - COVERAGE_ROOM:
            failures.append("covers too little")
        # Metrics with steps, and seeds added after a look, get wider intervals on purpose.
        wider = self.kind.peek or self.kind.noise.startswith("shares")
        if share - Z * error > nominal + COVERAGE_ROOM and not wider:
            failures.append("covers too much")
        return tuple(failures)

    @property
    def word(self) -> str:
        """Result of the row: `PASS`, `FAIL` with what failed, or `printed`."""
        if self.failures:
            return f"FAIL: {', '.join(self.failures)}"
        return "printed" if self.kind.excepted else "PASS"

    def to_dict(self) -> dict[str, str | float]:
        """Return a row of the CSV file."""
        kind, (cover, error) = self.kind, ratio(self.sums)
        line: dict[str, str | float] = {
            **{"group": kind.group, "kind": kind.name, "design": kind.design, "noise": kind.noise},
            **{
                "missing": kind.missing,
                "diverging": kind.diverging,
                "looks": " ".join(map(str, kind.looks)),
            },
            **{"spend": kind.spend if kind.looks else "", "seeds": self.seeds, "sd": self.sd},
            **{"studies": self.studies, "result": self.word},
        }
        for name in ("mean", "diverges"):
            low, high = limits(self.sums[f"false {name}"], self.studies)
            line |= {
                f"false {name}": self.share(f"false {name}"),
                f"low {name}": low,
                f"high {name}": high,
            }
        line |= {
            "coverage": cover,
            "coverage se": error,
            "confidence": self.share("nominal", "shown"),
        }

        line |= {
            "decided": self.decided,
            "earlier false": self.share("earlier false"),
            "earlier decided": self.earlier_decided,
        }
        line |= {
            name: self.share(name)
            for name in ("seeds used", "trials used", "earlier seeds", "earlier trials")
        }

        line |= {f"false: {name}": self.share(f"false {name}") for name in FAMILIES[:-1]}
        line |= {f"claimed: {name}": self.share(f"claimed {name}") for name in FAMILIES}
        line |= {"crashed": self.sums["crashed"], "unbacked": self.sums["unbacked"]}
        return {
            name: round(value, 5) if isinstance(value, float) else value
            for name, value in line.items()
        }


def pooled(rows: Sequence[Row], name: Callable[[Kind], str]) -> Iterator[Row]:
    """Yield one row per name, with all studies that share the name (0 seeds, sd 0).

    Args:
        rows: the rows to pool.
        name: function from a kind to the name.
    """
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(name(row.kind), []).append(row)
    for label, same in by_name.items():
        yield Row(
            replace(same[0].kind, name=label), 0, 0.0, sum((row.sums for row in same), Counter())
        )


HEAD = (
    "| kind of studies | seeds | sd | studies | false | false diverges | covers | of | decided "
    "| seeds used | earlier rule: false | decided | result |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def line(row: Row) -> str:
    """Return a row of the printed table, in percent."""
    cover, error = ratio(row.sums)
    cells = [
        row.kind.name,
        str(row.seeds or "all"),
        f"{row.sd:g}" if row.seeds else "all",
        str(row.studies),
        with_limits(row.sums["false mean"], row.studies),
        with_limits(row.sums["false diverges"], row.studies) if row.kind.diverging else "–",
        f"{percent(cover)} ± {percent(error)}",
        percent(row.share("nominal", "shown")),
        percent(row.decided),
        f"{row.share('seeds used'):.1f}",
        percent(row.share("earlier false")),
        percent(row.earlier_decided),
        row.word,
    ]
    return f"| {' | '.join(cells)} |"


def with_limits(found: float, of: float) -> str:
    """Return a share with its 95% limits."""
    low, high = limits(found, of)
    return f"{percent(found / of if of else math.nan)} ({percent(low)}–{percent(high)})"


def percent(value: float) -> str:
    """Return a share in percent with one digit after the point; a dash for nan."""
    return "–" if math.isnan(value) else f"{100 * value:.1f}"


def worst(rows: Iterable[Row]) -> dict[str, Row]:
    """Return for each group the judged row with the highest rate of false claims about means."""
    highest: dict[str, Row] = {}
    for row in rows:
        before = highest.get(row.kind.group)
        if before is None or row.share("false mean") > before.share("false mean"):
            highest[row.kind.group] = row
    return highest
