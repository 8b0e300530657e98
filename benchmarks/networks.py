"""Measure claims over networks, in simulated studies of several networks with several seeds each.

    python -m benchmarks.networks --quick                # 20 studies of each kind: two minutes
    python -m benchmarks.networks --studies 1000         # 1,000 studies of each kind

The function that `report` calls judges each study twice: over networks, as the product does, and
with all seeds taken as independent, as it would be without `networks`. Kinds differ in the variance
that networks add to every difference of two trials, as a share of the variance that seeds add: 0,
1/4, 1, or 4. The kinds with common seeds show why each network has seeds of its own in the product;
they aren't judged.

`--out FILE.csv` writes one row per kind, and a summary next to it (`FILE.md`). The exit code is 1
if a row over networks has more than 5% of studies with a false claim (lower 95% Monte Carlo limit),
or if its 95% intervals cover less than 93% or more than 97% beyond Monte Carlo error.
"""

import argparse
import csv
import datetime
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.claims import machine
from benchmarks.known_truth.checker import Checker
from benchmarks.known_truth.designs import DESIGNS
from benchmarks.known_truth.kinds import at_margin
from benchmarks.known_truth.measure import count_coverage, shown
from benchmarks.known_truth.table import limits, percent, ratio, with_limits
from benchmarks.known_truth.truths import Effects, additive
from benchmarks.known_truth.world import SHIFT, World
from reports.claims.estimates import Trials
from reports.claims.judge import judge
from reports.claims.networks import over_networks
from reports.claims.rule import OPEN, Rule

RATIOS = (0.0, 0.25, 1.0, 4.0)
"""Variance of networks over that of seeds, both of the difference of two trials."""
SIZES = ((5, 3), (3, 5), (8, 2))
"""Numbers of networks, and of seeds of each."""
LEAST, MOST = 0.93, 0.97
"""Limits of the coverage of 95% intervals."""
CHUNK = 50
"""Number of studies that share a stream of random numbers."""
RULES = ("networks", "seeds")
"""What intervals are over: networks, or all seeds as if they were independent."""


@dataclass(frozen=True)
class Kind:
    """Studies of one kind.

    Attributes:
        design: a name in `DESIGNS`.
        truth: what the factors do, in words.
        effects: true effects over all networks, in margins.
        networks: number of networks.
        seeds: number of seeds of each network.
        ratio: see `RATIOS`.
        sd: standard deviation of a trial's noise within a network, in margins.
        missing: share of trials that are lost at random.
        looks: numbers of networks at the planned looks.
        common: share of the variance of seeds that is the same for all networks, because they have
            the same seeds.
    """

    design: str
    truth: str
    effects: Effects
    networks: int
    seeds: int
    ratio: float
    sd: float = 0.5
    missing: float = 0.0
    looks: tuple[int, ...] = ()
    common: float = 0.0

    @property
    def name(self) -> str:
        """All that distinguishes it from other kinds."""
        parts = (self.design, self.truth, self.networks, self.seeds, self.ratio, self.missing)
        return " ".join(map(str, (*parts, self.common, *self.looks)))

    @property
    def label(self) -> str:
        """Its group in the summary."""
        label = f"{self.networks} × {self.seeds}"
        label += f", {self.missing:.0%} missing" if self.missing else ""
        label += f", looks after {', '.join(map(str, self.looks))}" if self.looks else ""
        return label + (f", {self.common:.0%} common to all networks" if self.common else "")


def kinds() -> Iterator[Kind]:
    """Yield all kinds."""
    truths = (
        *(("one factor, 2 levels", name) for name in ("nothing acts", "at the margin")),
        *(("2^2", name) for name in ("nothing acts", "at the margin", "crossover")),
        *(("leave-one-out 3", name) for name in ("nothing acts", "at the margin")),
    )
    for (design, truth), own in product(truths, RATIOS):
        effects = {
            "nothing acts": additive(),
            "at the margin": at_margin(design),
            "crossover": {"a": 3.0, "b": 3.0, "a*b": -6.0},
        }[truth]
        for networks, seeds in SIZES:
            yield Kind(design, truth, effects, networks, seeds, own)
        yield Kind(design, truth, effects, 5, 3, own, missing=0.15)
        yield Kind(design, truth, effects, 8, 3, own, looks=(4, 6, 8))
        if design == "2^2":
            yield Kind(design, truth, effects, 5, 3, own, common=0.5)


def drawn(kind: Kind, world: World, rng: np.random.Generator) -> tuple[Trials, list[int]]:
    """Return the trials of one study, one row per seed, and the network of each row.

    Networks add to each cell what all of their seeds share there.
    """
    rows, cells = kind.networks * kind.seeds, len(world.design.cells)
    networks = np.repeat(np.arange(kind.networks), kind.seeds)
    own = np.sqrt(kind.ratio) * rng.standard_normal((kind.networks, cells))
    shared = SHIFT * rng.standard_normal((rows, 1))
    noise = rng.standard_normal((rows, cells))
    if kind.common:
        same = np.tile(rng.standard_normal((kind.seeds, cells)), (kind.networks, 1))
        noise = np.sqrt(1 - kind.common) * noise + np.sqrt(kind.common) * same
    values = world.means + shared + kind.sd * (own[networks] + noise)
    values[rng.random((rows, cells)) < kind.missing] = np.nan
    none = np.zeros((rows, cells), dtype=bool)
    return Trials.of(range(rows), values, none, none), [int(one) for one in networks]


def tally(task: tuple[Kind, int, int, int]) -> Counter[str]:
    """Return the sums over a chunk of studies.

    Args:
        task: the kind, the number of studies, the number of the chunk, and the seed of the table.
    """
    kind, studies, chunk, seed = task
    rng = np.random.default_rng([seed, zlib.crc32(kind.name.encode()), chunk])
    world = World(DESIGNS[kind.design](), kind.effects, kind.sd)
    checker, sums = Checker(world), Counter[str]()
    spend = "even" if world.design.alone else "late"
    for _ in range(studies):
        trials, networks = drawn(kind, world, rng)
        sums["studies"] += 1
        for rule in RULES:
            own = over_networks(trials, networks) if rule == "networks" else trials
            each = 1 if rule == "networks" else kind.seeds
            looks = tuple(number * each for number in kind.looks)
            judgement = judge(own, world.design, Rule("lower", 1.0, looks=looks, spend=spend))
            part = Counter[str]()
            count_coverage(part, shown(checker, judgement))
            part["false"] += any(checker.false(claim) for claim in judgement.claims)
            part["changes"] += len(judgement.verdicts)
            part["open"] += sum(word == OPEN for word in judgement.verdicts.values())
            sums.update({f"{rule} {name}": count for name, count in part.items()})
    return sums


@dataclass(frozen=True)
class Row:
    """The studies of one kind, judged by one rule."""

    kind: Kind
    rule: str
    sums: Counter[str]

    @property
    def part(self) -> Counter[str]:
        """The sums of the rule."""
        start = f"{self.rule} "
        own = {n.removeprefix(start): v for n, v in self.sums.items() if n.startswith(start)}
        return Counter(own)

    @property
    def judged(self) -> bool:
        """Whether the row is what the product does."""
        return self.rule == "networks" and not self.kind.common

    @property
    def failures(self) -> tuple[str, ...]:
        """What is wrong with the row; only networks with seeds of their own are judged."""
        if not self.judged:
            return ()
        covered, error = ratio(self.part)
        least, _ = limits(self.part["false"], self.sums["studies"])
        # Intervals of an early look have a higher confidence than 95%.
        most = 1.0 if self.kind.looks else MOST
        wrong = {
            "false claims": least > 0.05,
            "covers too little": covered + 1.96 * error < LEAST,
            "covers too much": covered - 1.96 * error > most,
        }
        return tuple(name for name, failed in wrong.items() if failed)

    def to_dict(self) -> dict[str, object]:
        """Return the row of the CSV file."""
        kind, part = self.kind, self.part
        covered, error = ratio(part)
        return {
            "design": kind.design,
            "truth": kind.truth,
            "networks": kind.networks,
            "seeds_each": kind.seeds,
            "ratio": kind.ratio,
            "sd": kind.sd,
            "missing": kind.missing,
            "looks": " ".join(map(str, kind.looks)),
            "common": kind.common,
            "intervals_over": self.rule,
            "studies": self.sums["studies"],
            "coverage": round(covered, 5),
            "coverage_se": round(error, 5),
            "false": round(part["false"] / self.sums["studies"], 5),
            "decided": round(1 - part["open"] / part["changes"], 5),
            "result": "; ".join(self.failures) or ("PASS" if self.judged else ""),
        }


def summary(rows: Sequence[Row], note: str) -> str:
    """Return the content of the Markdown file: for each size and ratio, all designs together."""
    head = (
        "| networks × seeds | variance of networks / of seeds | coverage over networks | a false "
        "claim in | verdicts | seeds as independent: coverage | a false claim in |"
    )
    lines = ["# Claims over networks", "", note, "", head, "|---" * 7 + "|"]
    groups: dict[tuple[str, float], Counter[str]] = {}
    worst: dict[tuple[str, float], float] = {}
    for row in rows:
        label, kind = row.kind.label, row.kind
        if row.rule == "networks":
            groups.setdefault((label, kind.ratio), Counter()).update(row.sums)
            share = row.part["false"] / row.sums["studies"]
            worst[label, kind.ratio] = max(worst.get((label, kind.ratio), 0.0), share)
    for (label, own), sums in sorted(groups.items()):
        networks, seeds = (Row(rows[0].kind, rule, sums).part for rule in RULES)
        cells = [
            label,
            f"{own:g}",
            percent(ratio(networks)[0]),
            f"{with_limits(networks['false'], sums['studies'])}, at most "
            f"{percent(worst[label, own])} in one design",
            percent(1 - networks["open"] / networks["changes"]),
            percent(ratio(seeds)[0]),
            percent(seeds["false"] / sums["studies"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    failing = [row for row in rows if row.failures]
    judged = sum(row.judged for row in rows)
    lines += ["", f"Rows that do not pass: {len(failing)} of {judged}."]
    lines += [f"- {row.kind.name}: {'; '.join(row.failures)}" for row in failing]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.networks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--studies", type=int, default=1000, help="of each kind")
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument("--quick", action="store_true", help="20 studies of each kind")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="a CSV file; a summary goes next to it")
    options = parser.parse_args()

    started, chosen = time.monotonic(), list(kinds())
    studies = 20 if options.quick else options.studies
    tasks = [
        (kind, min(CHUNK, studies - start), chunk, options.seed)
        for kind in chosen
        for chunk, start in enumerate(range(0, studies, CHUNK))
    ]
    sums = {kind.name: Counter[str]() for kind in chosen}
    with ProcessPoolExecutor(options.workers) as pool:
        for (kind, *_), counts in zip(tasks, pool.map(tally, tasks), strict=True):
            sums[kind.name].update(counts)

    rows = [Row(kind, rule, sums[kind.name]) for kind in chosen for rule in RULES]
    note = (
        f"{sum(one['studies'] for one in sums.values())} studies of {len(chosen)} kinds, seed "
        f"{options.seed}, {datetime.date.today().isoformat()}, {machine()}, "
        f"{time.monotonic() - started:.0f} s; rates in percent with 95% limits."
    )
    text = summary(rows, note)
    print(text)
    if options.out:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            lines = [row.to_dict() for row in rows]
            writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
        options.out.with_suffix(".md").write_text(text, encoding="utf-8")
    sys.exit(any(row.failures for row in rows))


if __name__ == "__main__":
    main()
