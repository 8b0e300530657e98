"""Simulated studies with known truth: does the rule of the report err as rarely as it claims?

A study has three on/off factors, a full factorial of 8 arms, paired by seed; the smallest effect that matters is 1.
Intervals, Holm and verdicts are those of `reports.stats.paired`, called as a report calls them.

    python -m benchmarks.simulated_studies [studies]
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
from reports.stats.sequential import family_level

from reports.stats.paired import ALPHA, Interval, detectable, judged

MARGIN = 1.0
SIGNS = np.array([[1 if cell >> factor & 1 else -1 for cell in range(8)] for factor in range(3)])
NOISES = ("normal", "t, 4 df", "skewed")


@dataclass(frozen=True)
class Rates:
    """Shares of studies or of factors: see the table's head."""

    coverage: float
    false_change: float
    false_equivalent: float
    found: float
    equivalent: float
    seeds: float


def noise(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Noise of mean 0 and sd 1."""
    if kind == "normal":
        return rng.standard_normal(shape)
    if kind == "t, 4 df":
        return rng.standard_t(4, shape) / np.sqrt(2.0)
    return rng.exponential(1.0, shape) - 1.0


def differences(rng: np.random.Generator, studies: int, seeds: int, effects: np.ndarray, sd: float, kind: str):
    """Contrast of each factor and seed, (studies, factors, seeds); sd is that of a factor's paired difference."""
    shared = 3 * noise(rng, kind, (studies, seeds, 1))
    reaction = noise(rng, kind, (studies, seeds, 3)) * sd * np.sqrt(0.5)
    cells = noise(rng, kind, (studies, seeds, 8)) * sd
    on = (SIGNS + 1) / 2
    values = shared + (effects + reaction) @ on + cells
    return np.einsum("sjc,fc->sfj", values, SIGNS) / 4


def decided(study: np.ndarray, looks: tuple[int, ...], alpha: float):
    """Intervals and words of a study at the first look that leaves nothing open, or at the last, and its seeds."""
    for seeds in looks:
        said = judged({str(f): dict(enumerate(row[:seeds])) for f, row in enumerate(study)}, MARGIN, "lower", alpha)
        words = np.array([word for _, _, word in said.values()])
        if seeds == looks[-1] or "not enough data" not in words:
            return [interval for interval, _, _ in said.values()], words, seeds
    raise ValueError("no looks")


def rates(
    rng: np.random.Generator,
    studies: int,
    looks: tuple[int, ...],
    effects: tuple[float, ...],
    sd: float,
    kind: str,
    alpha: float = ALPHA,
):
    """What the rule says of simulated studies; one look is a study with that many seeds."""
    truth = np.asarray(effects)
    data = differences(rng, studies, looks[-1], truth, sd, kind)
    null, large = truth == 0, np.abs(truth) >= MARGIN
    covered, change, wrong_equal, found, equal, used = [], [], [], [], [], []
    for study in data:
        intervals, words, seeds = decided(study, looks, alpha)
        used.append(seeds)
        covered += [i.low <= t <= i.high for i, t in zip(intervals, truth, strict=True)]
        changed = np.isin(words, ("harms", "helps"))
        change.append((changed & null).any())
        wrong_equal += list((words == "equivalent")[large])
        found += list((words == "harms")[truth > 0])
        equal += list((words == "equivalent")[null])
    shares = [float(np.mean(x)) if len(x) else float("nan") for x in (covered, change, wrong_equal, found, equal, used)]
    return Rates(*shares)


def power_rows(rng: np.random.Generator, studies: int):
    """Seeds, predicted power and seen power of one factor at its detectable effect (no correction)."""
    for seeds in (3, 5, 7, 10):
        effect = detectable(Interval(0.0, 0.0, 0.0, 1.0, seeds, 1.0))
        data = differences(rng, studies, seeds, np.array([effect, 0.0, 0.0]), 1.0, "normal")
        yield seeds, 0.8, float(np.mean([Interval.of(row.tolist()).p < 0.05 for row in data[:, 0]]))


def percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def main() -> None:
    """Print the tables."""
    studies, start, rng = int(sys.argv[1]) if len(sys.argv) > 1 else 2000, time.monotonic(), np.random.default_rng(7)
    print(f"{studies} studies a row; in percent\n")
    print(
        "| noise | seeds | true effects | sd | interval covers | a false harms/helps in the study "
        "| false equivalent | found | equivalent, rightly |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    plans = [((0.0, 0.0, 0.0), 1.0), ((0.0, 0.0, 0.0), 0.3), ((0.0, 1.0, 3.0), 1.0), ((1.0, 1.0, 1.0), 0.3)]
    for kind in NOISES:
        for seeds in (5, 7, 10) if kind == "normal" else (5,):
            for effects, sd in plans:
                seen = rates(rng, studies, (seeds,), effects, sd, kind)
                cells = (seen.coverage, seen.false_change, seen.false_equivalent, seen.found, seen.equivalent)
                name = ", ".join(f"{effect:g}" for effect in effects)
                print(f"| {kind} | {seeds} | {name} | {sd:g} | {' | '.join(percent(x) for x in cells)} |")
    print("\n| seeds | power, predicted | power, seen |\n|---|---|---|")
    for seeds, wanted, seen_power in power_rows(rng, studies):
        print(f"| {seeds} | {percent(wanted)} | {percent(seen_power)} |")
    looks = (4, 6, 8, 12)
    level = family_level(looks, 3, np.random.default_rng(0))
    print(
        f"\nSeeds added after looks at {looks} seeds, level {level:.4f} a look; and the same at 0.05, which is wrong:\n"
    )
    print("| level | true effects | sd | interval covers | a false harms/helps | false equivalent | found | seeds |")
    print("|---|---|---|---|---|---|---|---|")
    for alpha in (level, ALPHA):
        for effects, sd in [*plans, ((0.0, 0.0, 0.0), 3.0)]:
            seen = rates(rng, studies, looks, effects, sd, "normal", alpha)
            cells = (seen.coverage, seen.false_change, seen.false_equivalent, seen.found)
            name = ", ".join(f"{effect:g}" for effect in effects)
            print(f"| {alpha:.4f} | {name} | {sd:g} | {' | '.join(percent(x) for x in cells)} | {seen.seeds:.1f} |")
    print(f"\n{time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
