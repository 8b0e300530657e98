"""What plan.json keeps about runs that another program made, and that were judged afterwards."""

from typing import NotRequired, TypedDict


class Place(TypedDict):
    """An arm and a seed.

    Attributes:
        levels: Factor -> level.
        seed: The seed, or the text of what pairs the runs.
        runs: How many runs the source has there.
    """

    levels: dict[str, str]
    seed: int | str
    runs: NotRequired[int]


class Differing(TypedDict):
    """Something that differs between the runs although it is not a factor.

    Attributes:
        column: Its name in the source.
        what: `code`, `data`, or `option`.
        values: Some of its values.
        number: How many values it has.
        with_arm: Whether all runs of an arm have the same value, so that its effect can't be
            distinguished from the factors'.
    """

    column: str
    what: str
    values: list[str]
    number: int
    with_arm: bool


class JudgedDocument(TypedDict, total=False):
    """Where the runs came from, and what is wrong with them.

    Attributes:
        kind: The kind of source: `table`, `MLflow store`.
        source: Where it was, without secrets.
        pair: The column whose values pair runs.
        pairs: Seed -> the value that it stands for, where that is not a number.
        columns: Factor -> its column in the source.
        guessed: Names of what nobody gave, and was guessed.
        runs: Number of runs in the source.
        curves: Whether any run recorded its outcome more than once.
        left_out: Why runs were left out -> how many.
        absent_arms: Combinations of levels without a run.
        absent: Arms and seeds without a run, among the other arms and seeds.
        restarted: Arms and seeds with several runs of which at most one finished.
        repeated: Arms and seeds with several runs that finished.
        taken: What was taken of those: `first`, `last`, or `mean`; empty: the values are identical.
        differing: What differs between the runs although it is not a factor.
    """

    kind: str
    source: str
    pair: str
    pairs: dict[str, str]
    columns: dict[str, str]
    guessed: list[str]
    runs: int
    curves: bool
    left_out: dict[str, int]
    absent_arms: list[dict[str, str]]
    absent: list[Place]
    restarted: list[Place]
    repeated: list[Place]
    taken: str
    differing: list[Differing]
