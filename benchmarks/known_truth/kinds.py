"""The kinds of studies in the table: design × effects × noise × lost trials × looks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.known_truth import truths
from benchmarks.known_truth.designs import DESIGNS
from benchmarks.known_truth.truths import Effects, additive
from benchmarks.known_truth.world import World

Cells = tuple[tuple[int, float], ...]
"""Pairs of a number of seeds and a standard deviation in margins."""

CORE: Cells = (
    *((n, sd) for n in (3, 5, 7, 10) for sd in (0.3, 0.5, 1.0)),
    (5, 0.6),
    (10, 0.6),
    (12, 2.0),
)
FEW: Cells = (*((n, sd) for n in (5, 10) for sd in (0.3, 0.6, 1.0)), (4, 0.6), (12, 2.0))
TWO: Cells = ((5, 0.6), (10, 0.6), (5, 1.0), (10, 1.0))


@dataclass(frozen=True)
class Kind:
    """Studies of one kind, in several sizes.

    Attributes:
        group: the group of kinds to which it belongs in the table.
        name: unique name.
        design: a name in `DESIGNS`.
        effects: true effects, in margins.
        cells: the sizes, see `Cells`; with looks, the number of seeds is that of the last look.
        noise: see `World`.
        missing: see `World`.
        diverging: see `World`.
        looks: numbers of seeds at the planned looks.
        spend: how the looks share the error.
        peek: whether seeds are added one by one, from three on and without a plan, until something
            is decided.
        excepted: whether its rates are only printed, not judged.
    """

    group: str
    name: str
    design: str
    effects: Effects = field(default_factory=dict)
    cells: Cells = TWO
    noise: str = "normal"
    missing: float = 0.0
    diverging: str = ""
    looks: tuple[int, ...] = ()
    spend: str = "late"
    peek: bool = False
    excepted: bool = False

    def world(self, sd: float) -> World:
        """Return the world of its studies.

        Args:
            sd: standard deviation of a trial's noise within a seed, in margins.
        """
        return World(
            DESIGNS[self.design](), self.effects, sd, self.noise, self.missing, self.diverging
        )


SHARED: Mapping[str, Effects] = {
    "nothing acts": truths.NOTHING,
    "pure interaction ±1": truths.PAIR,
    "pure interaction ±2": truths.PAIR_OF_2,
    "crossover +3, +3, both 0": truths.CROSSOVER,
    "sign reversal +5 / -3": truths.REVERSAL,
    "reversal at the margin +3 / -1": truths.REVERSAL_AT_MARGIN,
    "+3 everywhere": additive(3),
}
TRUTHS: Mapping[str, Mapping[str, Effects]] = {
    "2^2": {
        **SHARED,
        "additive, all at the margin": additive(1, 1),
        "additive 0, 1": additive(0, 1),
        "additive 1, 3": additive(1, 3),
        "+3 in one setting": {"a*b": 3},
        "one setting at the margin": {"a*b": 1},
    },
    "2^3": {
        **SHARED,
        "additive, all at the margin": additive(1, 1, 1),
        "additive 0, 0, 1": additive(0, 0, 1),
        "additive 0, 1, 1": additive(0, 1, 1),
        "additive 0, 1, 3": additive(0, 1, 3),
        "three-way ±1": truths.THREE_WAY,
        "+3 in one setting": {"a*b*c": 3},
        "one setting at the margin": {"a*b*c": 1},
        "one setting at the margin, average 0": truths.ONE_CELL_AVERAGE_0,
        "average at the margin, a × b ±0.5": truths.AVERAGE_AT_MARGIN,
        "+3 with b, 0 without": truths.WITH_B,
    },
}
"""Design -> name -> effects: the truths behind the table of conditional verdicts."""


def at_margin(design: str) -> Effects:
    """Return effects that put every factor of a design at the margin."""
    return additive(*(1 for _ in DESIGNS[design]().factors))


NOISES = ("t3", "lognormal cells", "unequal", "slopes")


def core() -> Iterator[Kind]:
    """Yield full factorials of two and three factors with normal noise."""
    for design, effects in TRUTHS.items():
        for name, effect in effects.items():
            yield Kind("factorials", f"{design}, {name}", design, effect, CORE)


def noises() -> Iterator[Kind]:
    """Yield full factorials of two and three factors with other noise."""
    chosen = (
        *(
            "nothing acts",
            "additive, all at the margin",
            "pure interaction ±1",
            "crossover +3, +3, both 0",
        ),
        *(
            "reversal at the margin +3 / -1",
            "one setting at the margin",
            "additive 0, 1",
            "additive 0, 0, 1",
        ),
        *("three-way ±1", "average at the margin, a × b ±0.5", "additive 0, 1, 1"),
    )
    for noise in NOISES:
        for design, effects in TRUTHS.items():
            for name, effect in effects.items():
                if name in chosen:
                    yield Kind(
                        "noise", f"{design}, {name}, {noise}", design, effect, FEW, noise=noise
                    )


def four_factors() -> Iterator[Kind]:
    """Yield full factorials of four factors, with interactions of all orders."""
    effects = {
        "nothing acts": truths.NOTHING,
        "additive 0, 0, 1, 1": additive(0, 0, 1, 1),
        "all at the margin": additive(1, 1, 1, 1),
        "crossover": truths.CROSSOVER,
        "reversal at the margin": truths.REVERSAL_AT_MARGIN,
        "three-way ±1": truths.THREE_WAY,
        "one setting at the margin": {"a*b*c*d": 1},
    }
    for name, effect in effects.items():
        yield Kind("four factors", f"2^4, {name}", "2^4", effect)


def grids() -> Iterator[Kind]:
    """Yield designs whose factors have several levels."""
    for design in ("3x2", "3x3"):
        last = "b" if design == "3x2" else "b=2"
        two = {"b=1": 0.0} if design == "3x2" else {}
        effects: dict[str, Effects] = {
            "nothing acts": truths.NOTHING,
            "additive 0, 1 / 0": truths.levels(a=(0, 1)),
            "all at the margin": truths.levels(a=(1, 1), b=(1,) if two else (1, 1)),
            "additive 0, 3 / 1": truths.levels(a=(0, 3), b=(1,) if two else (0, 1)),
            "crossover of one level": {"a=2": 3, last: 3, f"a=2*{last}": -6},
            "pure interaction of one level": {"a=2": 1, last: 1, f"a=2*{last}": -2},
            "reversal at the margin": {"a=2": 3, f"a=2*{last}": -4},
            "one setting at the margin": {f"a=2*{last}": 1},
        }

        for name, effect in effects.items():
            yield Kind("several levels", f"{design}, {name}", design, effect)


def arms() -> Iterator[Kind]:
    """Yield designs that can't estimate interactions."""
    for design in ("leave-one-out 3", "leave-one-out 6", "one-at-a-time 3"):
        more = (0, 0, 0) if design.endswith("6") else ()
        effects: dict[str, Effects] = {
            "nothing acts": truths.NOTHING,
            "0, 0, 1": additive(0, 0, 1, *more),
            "0, 1, 1": additive(0, 1, 1, *more),
            "all at the margin": additive(1, 1, 1, *(1 for _ in more)),
            "0, 1, 3": additive(0, 1, 3, *more),
            "crossover": truths.CROSSOVER,
        }

        for name, effect in effects.items():
            yield Kind(
                "arms",
                f"{design}, {name}",
                design,
                effect,
                FEW if design.endswith("out 3") else TWO,
            )
    yield Kind(
        "arms", "one-at-a-time 3+2, 0, 1 / 1", "one-at-a-time 3+2", truths.levels(a=(0, 1), b=(1,))
    )

    for noise in NOISES:
        for name, effect in (
            ("nothing acts", truths.NOTHING),
            ("all at the margin", additive(1, 1, 1)),
        ):
            yield Kind(
                "arms",
                f"leave-one-out 3, {name}, {noise}",
                "leave-one-out 3",
                effect,
                FEW,
                noise=noise,
            )

    for name, effect in (
        ("nothing acts", truths.NOTHING),
        ("at the margin", additive(1)),
        ("+3", additive(3)),
    ):
        yield Kind("arms", f"one factor, 2 levels, {name}", "one factor, 2 levels", effect, FEW)
    for row in ((), (0, 0, 1), (1, 1, 1), (0, 1, 3)):
        name = ", ".join(map(str, row)) or "nothing acts"
        yield Kind(
            "arms", f"one factor, 4 levels, {name}", "one factor, 4 levels", truths.levels(a=row)
        )


def fractions() -> Iterator[Kind]:
    """Yield fractions, in which pairs hide a main effect, cancel it, or alias each other."""
    for design in ("2^(3-1) III", "2^(4-1) IV", "2^(5-2) III", "2^(5-1) V"):
        size = int(design[3])
        effects: dict[str, Effects] = {
            "nothing acts": truths.NOTHING,
            "additive 0, 1": additive(0, 1),
            "additive 0, 1, 1": additive(0, 1, 1),
            "all at the margin": additive(*(1 for _ in range(size))),
            "pure interaction ±1": truths.PAIR,
            "crossover": truths.CROSSOVER,
            "reversal at the margin": truths.REVERSAL_AT_MARGIN,
        }

        if size > 3:
            effects["two pairs of a group cancel"] = {
                "a": 1,
                "b": 1,
                "a*b": -2,
                "c": 1,
                "d": 1,
                "c*d": -2,
            }
        if "III" in design:
            # The contrast of the last factor is its own effect less that of the pair a × b.
            last = "c" if size == 3 else "e"
            effects["a pair cancels a main effect"] = {last: 2, "a": -1, "b": -1, "a*b": 4}
            effects["a pair at the margin looks like a main effect"] = {"a": 1, "b": 1, "a*b": -2}

        for name, effect in effects.items():
            yield Kind("fractions", f"{design}, {name}", design, effect)


def excluded() -> Iterator[Kind]:
    """Yield designs in which a cell is excluded, or has no finished trial."""
    for size in ("2^2", "2^3"):
        for name in (
            "nothing acts",
            "additive, all at the margin",
            "crossover +3, +3, both 0",
            "one setting at the margin",
        ):
            effect = TRUTHS[size][name]
            yield Kind(
                "a cell is missing", f"{size} less a cell, {name}", f"{size} less a cell", effect
            )
            yield Kind(
                "a cell is missing",
                f"{size}, an arm without trials, {name}",
                size,
                effect,
                missing=1.0,
            )

    for name in ("three-way ±1", "reversal at the margin +3 / -1", "additive 0, 1, 1"):
        effect = TRUTHS["2^3"][name]
        yield Kind("a cell is missing", f"2^3 less a cell, {name}", "2^3 less a cell", effect)
        yield Kind(
            "a cell is missing", f"2^3, an arm without trials, {name}", "2^3", effect, missing=1.0
        )


def missing() -> Iterator[Kind]:
    """Yield studies that lose trials at random."""
    for share in (0.1, 0.2):
        for design in ("2^2", "2^3"):
            for name, effect in TRUTHS[design].items():
                label = f"{design}, {name}, {share:.0%} missing"
                yield Kind("missing", label, design, effect, missing=share)
        for name, effect in (
            ("nothing acts", truths.NOTHING),
            ("all at the margin", additive(1, 1, 1)),
        ):
            label = f"leave-one-out 3, {name}, {share:.0%} missing"
            yield Kind("missing", label, "leave-one-out 3", effect, missing=share)
            for noise in ("slopes", "unequal"):
                label = f"2^3, {name}, {noise}, {share:.0%} missing"
                yield Kind("missing", label, "2^3", effect, noise=noise, missing=share)

    for share in (0.0, 0.1, 0.2):
        for noise in ("normal", "one slope"):
            label = f"2^(5-2) III, +2 and four of 0, {noise}, {share:.0%} missing"
            yield Kind(
                "missing",
                label,
                "2^(5-2) III",
                additive(2),
                ((5, 1), (7, 1), (10, 1)),
                noise,
                share,
            )


def diverging() -> Iterator[Kind]:
    """Yield studies in which trials diverge, at random or because they are bad."""
    cells: Cells = ((4, 1.0), (5, 1.0), (7, 1.0), (10, 1.0))
    for design in ("leave-one-out 3", "2^2", "2^3"):
        for lost in (
            "equal 20 %",
            "0 or 50 %",
            "10 or 70 %",
            "worst 40 % of a level",
            "worst 15 % of all",
        ):
            for name, effect in (
                ("nothing acts", truths.NOTHING),
                ("+2 for a", additive(2)),
                ("-1 for a", additive(-1)),
            ):
                yield Kind(
                    "diverging", f"{design}, {name}, {lost}", design, effect, cells, diverging=lost
                )

    four = {"a*b": 4.0}
    for design, lost in (
        ("2^2", "70 % in one cell"),
        ("2^3", "70 % in one cell"),
        ("2^3", "70 % with a and b"),
    ):
        yield Kind(
            "diverging", f"{design}, a × b of 4, {lost}", design, four, cells, diverging=lost
        )
        yield Kind(
            "diverging",
            f"{design}, nothing acts, {lost}",
            design,
            truths.NOTHING,
            cells,
            diverging=lost,
        )
    yield Kind(
        "diverging",
        "2^3, a × b of 4, worst 40 % of a level",
        "2^3",
        four,
        cells,
        diverging="worst 40 % of a level",
    )

    label = "2^3, a × b of 4, 70 % in one cell, 10% missing"
    yield Kind("diverging", label, "2^3", four, cells, missing=0.1, diverging="70 % in one cell")


def looks() -> Iterator[Kind]:
    """Yield studies with planned looks, which stop when everything is decided.

    Arms stop alone where the design allows it.
    """
    for planned, spends in (((4, 6, 8, 12), ("late", "even")), ((4, 7, 10), ("late",))):
        for spend in spends:
            label = f"looks {', '.join(map(str, planned))}, {spend}"
            plan = {"looks": planned, "spend": spend}
            for design in ("leave-one-out 3", "2^3"):
                # With these, an effect varies over seeds with sd 0.6 and 1. It comes from one
                # pair of trials in a leave-one-out design, and from four in a factorial.
                sds = (0.425, 0.707) if design.startswith("leave") else (0.85, 1.414)
                cells: Cells = tuple((planned[-1], sd) for sd in sds)
                effects = {
                    "nothing acts": truths.NOTHING,
                    "0, 1, 3": additive(0, 1, 3),
                    "0, 0, 1": additive(0, 0, 1),
                    "all at the margin": additive(1, 1, 1),
                    "all +2": additive(2, 2, 2),
                }
                if design == "2^3":
                    effects |= {
                        "crossover": truths.CROSSOVER,
                        "pure interaction ±1": truths.PAIR,
                        "reversal at the margin": truths.REVERSAL_AT_MARGIN,
                        "one setting at the margin": {"a*b*c": 1},
                    }
                for name, effect in effects.items():
                    yield Kind("looks", f"{design}, {name}, {label}", design, effect, cells, **plan)

            cells = ((planned[-1], 0.6), (planned[-1], 1.0))
            yield Kind("looks", f"2^2, crossover, {label}", "2^2", truths.CROSSOVER, cells, **plan)
            label += ", 0 or 50 % diverge"
            yield Kind(
                "looks",
                f"leave-one-out 3, {label}",
                "leave-one-out 3",
                {},
                cells,
                diverging="0 or 50 %",
                **plan,
            )
            yield Kind("looks", f"2^3, {label}", "2^3", {}, cells, diverging="0 or 50 %", **plan)


def peeking() -> Iterator[Kind]:
    """Yield studies that add seeds after results were seen, until something is decided."""
    for design in ("leave-one-out 3", "2^2", "2^3"):
        for name, effect in (
            ("nothing acts", truths.NOTHING),
            ("all at the margin", at_margin(design)),
            ("pure interaction ±1", truths.PAIR),
        ):
            yield Kind(
                "peeking",
                f"{design}, {name}, peeking",
                design,
                effect,
                ((12, 0.6), (12, 1.0)),
                peek=True,
            )


def quantised() -> Iterator[Kind]:
    """Yield studies whose metric is a share of few things."""
    cells: Cells = ((3, 0.3), (4, 0.3), (5, 0.3), (10, 0.3))
    for of in (16, 64):
        for design in ("leave-one-out 3", "2^2", "2^3"):
            for name, effect in (
                ("nothing acts", truths.NOTHING),
                ("all at the margin", at_margin(design)),
                ("pure interaction ±1", truths.PAIR),
            ):
                label = f"{design}, {name}, shares of {of}"
                yield Kind("quantised", label, design, effect, cells, noise=f"shares of {of}")


def skewed() -> Iterator[Kind]:
    """Yield studies whose effects are skewed over seeds.

    With few seeds, no method makes their mean reliable, so these kinds are not judged.
    """
    cells: Cells = tuple((n, sd) for n in (5, 7, 10, 12) for sd in (0.6, 1.3))
    for log_sd in ("0.5", "1"):
        for design in ("leave-one-out 3", "2^2", "2^3"):
            for name, effect in (
                ("nothing acts", truths.NOTHING),
                ("all at the margin", at_margin(design)),
            ):
                label = f"{design}, {name}, log-sd {log_sd}"
                yield Kind(
                    "skewed", label, design, effect, cells, noise=f"skewed {log_sd}", excepted=True
                )


def all_kinds() -> tuple[Kind, ...]:
    """Return every kind.

    Raises:
        ValueError: two kinds have the same name.
    """
    groups = (core, noises, four_factors, grids, arms, fractions, excluded, missing)
    more = (diverging, looks, peeking, quantised, skewed)
    kinds = tuple(kind for group in (*groups, *more) for kind in group())
    names = [kind.name for kind in kinds]
    if len(set(names)) < len(names):
        raise ValueError(
            f"kinds share a name: {sorted({name for name in names if names.count(name) > 1})}"
        )
    return kinds
