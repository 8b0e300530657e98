"""An arm that is picked as best on the seeds that measured it, and how to confirm it.

The best of several means is partly lucky (the winner's curse), so its mean is too good on average.
That it comes first is therefore not a verdict.
"""

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from reports.claims.claim import Claim
from reports.claims.estimates import FEWEST_SEEDS
from reports.page.blocks import Rich, code, rich
from reports.page.numbers import count
from reports.view.study import Arm, StudyView
from reports.words.replicates import replicates

FEWEST_ARMS = 3
"""Number of arms with a mean from which the best one is picked; two are a comparison."""


class Ranked(NamedTuple):
    """An arm with its mean.

    Attributes:
        arm: the arm.
        mean: mean outcome of its finished trials.
        diverged: how many of its trials diverged.
        trials: how many trials it has.
    """

    arm: Arm
    mean: float
    diverged: int
    trials: int


def ranking(view: StudyView) -> tuple[Ranked, ...]:
    """Return the arms that have a mean, the best first; ties stay in the plan's order."""
    frame = view.analysis.arms
    known = frame[frame["mean"].notna()]
    known = known.sort_values("mean", kind="stable", ascending=view.better == "lower")
    return tuple(
        Ranked(view.arm_of[str(row["cell_id"])], *_numbers(row))
        for row in known.to_dict("records")
        if str(row["cell_id"]) in view.arm_of
    )


def picked_words(view: StudyView) -> Rich | None:
    """Say that the best mean was picked; None with few means, or a tie at the top."""
    ranked = ranking(view)
    if len(ranked) < FEWEST_ARMS or ranked[0].mean == ranked[1].mean:
        return None
    best, following = ranked[:2]

    end = "lowest" if view.better == "lower" else "highest"
    next_ = rich("the next arm, ", code(following.arm.label), f" ({_value(view, following)})")

    if compared(view, best.arm, following.arm):
        comparison = rich("It is better than ", next_, " by a verdict of this report.")
    else:
        comparison = rich("It was not tested against ", next_, ".")

    same, fresh = _measured_on(view)
    return rich(
        code(best.arm.label),
        f" has the {end} mean of {len(ranked)} arms ({_value(view, best)}). ",
        comparison,
        f" It was picked as best on the same {same} that measured it, so its mean is probably too "
        f"good. {fresh} would confirm it.",
    )


def confirm_next(view: StudyView) -> Rich | None:
    """Return the command that runs the picked arm with fresh seeds; None where none was picked.

    A study of several networks has none, because fresh seeds of the same networks confirm little.
    """
    if picked_words(view) is None or view.analysis.cells.network_of:
        return None

    best, following = ranking(view)[:2]
    other = view.reference
    if other is None or other is best.arm:
        other = following.arm

    best_levels, other_levels = _levels(view, best.arm), _levels(view, other)
    allowed = {
        factor: frozenset((best_levels[factor], other_levels[factor])) for factor in view.factors
    }
    chosen = [arm for arm in view.arms if _within(view, arm, allowed)]

    seeds = fresh_seeds(view)
    if view.judged:
        return rich(
            "to confirm the picked arm, run it and ",
            code(other.label),
            f" with {count(len(seeds), 'fresh seed')}, and judge those runs alone.",
        )
    words = " with new evaluation pairs" if _draws_pairs(view) else ""
    return rich(
        f"to confirm the picked arm with {count(len(seeds), 'fresh seed')}{words}, run ",
        code(_command(view, allowed, seeds)),
        f" in the study's folder ({count(len(chosen), 'arm')}, with ",
        code(other.label),
        " for comparison).",
    )


def fresh_seeds(view: StudyView) -> tuple[int, ...]:
    """Return as many seeds as the study has, none of which it has used or planned."""
    used = {*view.seeds, *(int(seed) for seed in view.study.get("seeds", ()))}
    wanted = view.looks[-1] if view.looks else max(len(view.seeds), FEWEST_SEEDS)
    start = max(used, default=-1) + 1
    return tuple(range(start, start + wanted))


def compared(view: StudyView, better: Arm, other: Arm) -> bool:
    """Return whether a claim says that one arm is better than another."""
    return any(_claims(claim, view, better, other) for claim in view.analysis.claims)


def _claims(claim: Claim, view: StudyView, better: Arm, other: Arm) -> bool:
    """Return whether a claim compares just these two arms and says that the first is better."""
    if claim.kind != "direction" or claim.scope.type != "at":
        return False
    better_levels, other_levels = _levels(view, better), _levels(view, other)
    differing = [
        factor for factor in better_levels if better_levels[factor] != other_levels[factor]
    ]
    if differing != [claim.factor]:
        return False

    rest = {factor: level for factor, level in better_levels.items() if factor != claim.factor}
    if dict(claim.scope.at) != rest:
        return False

    good, bad = better_levels[claim.factor], other_levels[claim.factor]
    if claim.word == "harms":
        return (good, bad) == (claim.against, claim.level)
    return (good, bad) == (claim.level, claim.against)


def _levels(view: StudyView, arm: Arm) -> dict[str, str]:
    """Return the level of every factor in an arm."""
    return {factor: arm.levels.get(factor, view.first(factor)) for factor in view.factors}


def _numbers(row: Mapping[Any, Any]) -> tuple[float, int, int]:
    """Return mean, number of diverged trials, and number of trials of a row of `arms`."""
    return float(row["mean"]), int(row["n_diverged"]), int(row["n"])


def _value(view: StudyView, ranked: Ranked) -> str:
    """Return the mean of an arm, `0.032`, with the number of its trials that diverged."""
    lost = f"; {ranked.diverged} of {count(ranked.trials, 'trial')} diverged"
    return view.scale.fixed(ranked.mean) + (lost if ranked.diverged else "")


def _draws_pairs(view: StudyView) -> bool:
    """Return whether fresh seeds bring new evaluation pairs, as the digests show."""
    return "eval_pairs" in replicates(view).vary


def _measured_on(view: StudyView) -> tuple[str, str]:
    """Return what measured the picked arm, and what would confirm it."""
    seeds = "seed" if len(view.seeds) == 1 else "seeds"
    if view.analysis.cells.network_of:
        return f"networks and {seeds}", "Fresh networks"
    if view.foreign:
        return seeds, "Fresh seeds"
    if "eval_pairs" in replicates(view).share:
        return f"{seeds} and evaluation pairs", "Fresh seeds"
    return f"{seeds} and evaluation pairs", "Fresh seeds and fresh evaluation pairs"


def _within(view: StudyView, arm: Arm, allowed: Mapping[str, frozenset[str]]) -> bool:
    """Return whether an arm has allowed levels only."""
    return any(
        all(levels.get(factor, view.first(factor)) in allowed[factor] for factor in view.factors)
        for levels in (arm.levels, *arm.also)
    )


def _command(
    view: StudyView,
    allowed: Mapping[str, frozenset[str]],
    seeds: tuple[int, ...],
) -> str:
    """Return the command that runs the arms with allowed levels in a folder of their own."""
    words = ["g2g-ablate", "run", "study.resolved.yaml"]
    for factor, levels in allowed.items():
        labels = [str(level) for level in view.factors[factor]["levels"]]
        if set(labels) - levels:
            for level in labels:
                words += ["--only", f"{factor}={level}"] if level in levels else []
    words += ["--seeds", ",".join(map(str, seeds)), "--out", "confirm"]
    return shlex.join(words)
