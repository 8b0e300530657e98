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
"""By how much coverage may differ from what an interval promises: 93 to 97 % of 95 % intervals."""
SHOWN_OFTEN = 0.8
"""Share of the effects that must show an interval for coverage to be judged: rare ones are shown
for what was found."""
STUDIES_FOR_COVERAGE = 30
"""Studies below which the error of coverage isn't known well enough to judge it."""
FAMILIES = (
    *("direction", "direction on average", "equivalent", "equivalent on average", "one_sided"),
    *("depends", "conditional", "composite", "idle", "diverges"),
)
"""Kinds of claims that are counted apart; the last has an error of its own."""


def limits(found: float, of: float) -> tuple[float, float]:
    """The exact 95 % limits of a share (Clopper & Pearson 1934); (0, 1) of nothing."""
    low = float(special.betaincinv(found, of - found + 1, 0.025)) if found else 0.0
    high = float(special.betaincinv(found + 1, of - found, 0.975)) if found < of else 1.0
    return low, high


def ratio(sums: Mapping[str, float]) -> tuple[float, float]:
    """Share of the shown intervals that cover, with its standard error; the intervals of a study
    stay together."""
    if not sums["shown"]:
        return math.nan, math.nan
    share = sums["covered"] / sums["shown"]
    square = sums["covered²"] - 2 * share * sums["covered × shown"] + share**2 * sums["shown²"]
    # A handful of studies that all cover has an error, too.
    least = math.sqrt(ERROR * (1 - ERROR) / sums["shown"])
    return share, max(math.sqrt(max(square, 0.0)) / sums["shown"], least)


@dataclass(frozen=True)
class Row:
    """Studies of one kind and size.

    Attributes:
        kind: see `Kind`.
        seeds: of a study; with looks the last look's.
        sd: of a trial's noise, in margins.
        sums: counts over the studies, see `measure.tally`.
    """

    kind: Kind
    seeds: int
    sd: float
    sums: Counter[str]

    @property
    def studies(self) -> int:
        """How many were drawn."""
        return self.sums["studies"]

    def share(self, name: str, of: str = "studies") -> float:
        """A count as a share of another one."""
        return self.sums[name] / self.sums[of] if self.sums[of] else math.nan

    @property
    def decided(self) -> float:
        """Share of the changes with a verdict."""
        return 1 - self.share("open", "changes")

    @property
    def earlier_decided(self) -> float:
        """The same by the earlier rule."""
        return 1 - self.share("earlier open", "changes")

    @property
    def failures(self) -> tuple[str, ...]:
        """What does not pass; of an excepted kind only crashes."""
        found = [name for name in ("crashed", "unbacked") if self.sums[name]]
        if self.kind.excepted:
            return tuple(found)
        for name in ("mean", "diverges"):
            if limits(self.sums[f"false {name}"], self.studies)[0] > ERROR:
                found.append(f"false {name}")
        share, error = ratio(self.sums)
        nominal = self.share("nominal", "shown")
        often = self.sums["shown"] >= SHOWN_OFTEN * self.sums["changes"]
        if not often or self.studies < STUDIES_FOR_COVERAGE:
            return tuple(found)
        if share + Z * error < nominal - COVERAGE_ROOM:
            found.append("covers too little")
        # The intervals of metrics with steps, and of seeds added after a look, are wider on
        # purpose.
        wider = self.kind.peek or self.kind.noise.startswith("shares")
        if share - Z * error > nominal + COVERAGE_ROOM and not wider:
            found.append("covers too much")
        return tuple(found)

    @property
    def word(self) -> str:
        """`PASS`, `FAIL` with what failed, or `printed`."""
        if self.failures:
            return f"FAIL: {', '.join(self.failures)}"
        return "printed" if self.kind.excepted else "PASS"

    def to_dict(self) -> dict[str, str | float]:
        """A line of the CSV file."""
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
    """One row a name, with all studies that share it (0 seeds, sd 0)."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(name(row.kind), []).append(row)
    for label, same in by_name.items():
        yield Row(
            replace(same[0].kind, name=label), 0, 0.0, sum((row.sums for row in same), Counter())
        )


HEAD = (
    "| kind of studies | seeds | sd | studies | false | false diverges | covers | of | decided | seeds used "
    "| earlier rule: false | decided | result |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def line(row: Row) -> str:
    """A line of the printed table, in percent."""
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
    """A share with its 95 % limits."""
    low, high = limits(found, of)
    return f"{percent(found / of if of else math.nan)} ({percent(low)}–{percent(high)})"


def percent(value: float) -> str:
    """One digit after the point; a dash for nothing."""
    return "–" if math.isnan(value) else f"{100 * value:.1f}"


def worst(rows: Iterable[Row]) -> dict[str, Row]:
    """Group -> the row with the highest rate of false claims about means that is judged."""
    found: dict[str, Row] = {}
    for row in rows:
        before = found.get(row.kind.group)
        if before is None or row.share("false mean") > before.share("false mean"):
            found[row.kind.group] = row
    return found
