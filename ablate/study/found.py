"""Runs that another program made, as a source of results holds them."""

from collections.abc import Mapping
from dataclasses import dataclass

from ablate.study.nouns import Status

Curve = tuple[tuple[int, float], ...]
"""Pairs of step and value, in the order of steps; values may be non-finite."""


@dataclass(frozen=True)
class FoundRun:
    """One run of another program.

    Attributes:
        name: how the source names the run.
        values: column -> text. Parameters have their own names; tags start with `tags.`.
        curves: name of a number -> its values by step.
        status: how the run ended, as far as the source says; runs without a word have finished.
        error: why the run failed, on a single line; None if the source doesn't say.
        started: when the run started, in Unix seconds; None if the source doesn't say.
        seconds: how long it took; 0 if the source doesn't say.
    """

    name: str
    values: Mapping[str, str]
    curves: Mapping[str, Curve]
    status: Status = "finished"
    error: str | None = None
    started: float | None = None
    seconds: float = 0.0

    def last(self, metric: str) -> float | None:
        """Return the last value of a number; None if the run recorded none."""
        curve = self.curves.get(metric)
        return curve[-1][1] if curve else None


@dataclass(frozen=True)
class Found:
    """What a source of results holds.

    Attributes:
        kind: the kind of source, in words: `table`, `MLflow store`.
        place: where it is, without secrets.
        runs: its runs, in its own order.
    """

    kind: str
    place: str
    runs: tuple[FoundRun, ...]
