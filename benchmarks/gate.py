"""What a gate keeps of proposals without effect, and how often it finds those with one.

`python -m benchmarks.gate` writes gate.csv. Differences of a seed have standard deviation 1, so an
effect of 1 is one standard deviation of the paired difference.
"""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

from reports.stats.stream import ERROR, LOOKS, decide, stream_level

CSV = Path(__file__).with_suffix(".csv")
STREAMS, PROPOSALS, STUDIES = 400, 1000, 2000
KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda random, shape: random.normal(0, 1, shape),
    "heavy tails": lambda random, shape: random.standard_t(3, shape) / math.sqrt(3),
    "steps of 1": lambda random, shape: np.round(random.normal(0, 1, shape)),
}
"""Noise of a difference; that of two equal runs is symmetric, whatever the runs' own is."""

Keeps = Callable[[np.ndarray, int, list[int]], tuple[bool, int]]
"""Takes all differences, the place in the stream, and earlier keeps; returns keep and seeds."""


def any_improvement(data: np.ndarray, _number: int, _kept: list[int]) -> tuple[bool, int]:
    return bool(data[:3].mean() > 0), 3


def t_test(data: np.ndarray, _number: int, _kept: list[int]) -> tuple[bool, int]:
    return _t(data[:8]) < ERROR, 8


def t_test_again(data: np.ndarray, _number: int, _kept: list[int]) -> tuple[bool, int]:
    for n in range(3, LOOKS[-1] + 1):
        if _t(data[:n]) < ERROR:
            return True, n
    return False, LOOKS[-1]


def gate_stream(data: np.ndarray, number: int, kept: list[int]) -> tuple[bool, int]:
    look = decide(data, stream_level(number, kept))
    return look.decision == "keep", look.seeds


def gate_proposal(data: np.ndarray, _number: int, _kept: list[int]) -> tuple[bool, int]:
    look = decide(data, ERROR)
    return look.decision == "keep", look.seeds


RULES: dict[str, Keeps] = {
    "any improvement (3 seeds)": any_improvement,
    "t test each time (8 seeds)": t_test,
    "t test after every seed (3 to 20)": t_test_again,
    "gate --guard proposal": gate_proposal,
    "gate --guard stream": gate_stream,
}


def _t(data: np.ndarray) -> float:
    """Return the one-sided p of the t test."""
    sd = data.std(ddof=1)
    if sd == 0:
        return 0.0 if data.mean() > 0 else 1.0
    return float(stats.t.sf(data.mean() / sd * math.sqrt(len(data)), len(data) - 1))


def nulls(rule: Keeps, kind: str, streams: int, proposals: int, seed: int) -> dict[str, float]:
    """Return what a rule keeps of streams without any improvement."""
    random = np.random.default_rng(seed)
    kept_any, kept_all, seeds = 0, 0, 0
    for _ in range(streams):
        kept: list[int] = []
        data = KINDS[kind](random, (proposals, LOOKS[-1]))
        for number in range(1, proposals + 1):
            keep, used = rule(data[number - 1], number, kept)
            seeds += used
            kept += [number] if keep else []
        kept_any += bool(kept)
        kept_all += len(kept)
    return {
        "streams_with_a_keep": kept_any / streams,
        "kept": kept_all / streams / proposals,
        "seeds": seeds / streams / proposals,
    }


def power(rule: Keeps, effect: float, number: int, studies: int, seed: int) -> dict[str, float]:
    """Return how often a rule keeps an improvement that comes after proposals without effect."""
    random = np.random.default_rng(seed)
    results = [rule(random.normal(effect, 1, LOOKS[-1]), number, []) for _ in range(studies)]
    return {
        "kept": sum(keep for keep, _ in results) / studies,
        "seeds": sum(used for _, used in results) / studies,
    }


def table() -> str:
    """The CSV file as the table of docs/gate.md."""
    with CSV.open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| rule | streams without effect that keep something "
        "| proposals without effect: kept, seeds | 0.5 sd: kept, seeds | 1 sd | 2 sd |",
        "|---|---|---|---|---|---|",
    ]
    for name in RULES:
        own = [row for row in rows if row["rule"] == name]
        places = list(dict.fromkeys(row["place"] for row in own if row["effect"] != "0"))
        for place in places:
            null = [row for row in own if row["effect"] == "0" and place == "1"]
            cells = [
                ", ".join(_percent(row["streams_with_a_keep"]) + _noise(row) for row in null),
                "; ".join(
                    f"{_percent(row['kept'])}, {float(row['seeds']):.1f}" for row in null[:1]
                ),
            ]
            for row in own:
                if row["place"] == place and row["effect"] != "0":
                    cells.append(f"{_percent(row['kept'])}, {float(row['seeds']):.1f}")
            title = name if len(places) == 1 else f"{name}, proposal {place}"
            title = (
                title.replace("gate --guard", "`gate --guard") + "`" if "gate --" in name else title
            )
            title = (
                title.replace(", proposal", "`, proposal").rstrip("`") if ", p" in title else title
            )
            lines.append("| " + " | ".join([title, *cells]) + " |")
    return "\n".join(lines)


def _percent(text: str) -> str:
    """A share as percent, with the digits that it needs."""
    share = 100 * float(text)
    return f"{share:.3f}%" if 0 < share < 0.1 else f"{share:.1f}%"


def _noise(row: dict[str, str]) -> str:
    """The kind of noise, where it isn't normal."""
    return "" if row["noise"] == "normal" else f" ({row['noise']})"


def main() -> None:
    """Write the table."""
    rows = []
    for name, rule in RULES.items():
        ours = name.startswith("gate")
        for kind in KINDS if ours else ("normal",):
            streams = STREAMS if name == "gate --guard stream" else STREAMS // 20
            numbers = nulls(rule, kind, streams, PROPOSALS, 22)
            rows.append(
                {"rule": name, "effect": 0, "place": f"1 to {PROPOSALS}", "noise": kind, **numbers}
            )
            print(rows[-1], flush=True)
        for effect in (0.5, 1, 2):
            for place in (1, 10, 100) if name == "gate --guard stream" else (1,):
                numbers = power(rule, effect, place, STUDIES, 23)
                rows.append(
                    {"rule": name, "effect": effect, "place": place, "noise": "normal", **numbers}
                )
                print(rows[-1], flush=True)
    columns = ["rule", "noise", "effect", "place", "streams_with_a_keep", "kept", "seeds"]
    with CSV.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )


if __name__ == "__main__":
    main()
