"""What trials of one seed have in common, and what a factor makes different: starts, data,
yardstick, length."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from reports.page.blocks import Rich, code, joined, rich
from reports.view.patches import UNTOLD, changed, changing, levels_of, patch_of, value_at
from reports.view.study import StudyView


class Part(NamedTuple):
    """Something that trials of one seed have in common unless a factor changes it.

    Attributes:
        name: in words.
        paths: of the config on which it depends, with what is below them.
        apart: paths below these that it does not depend on.
        digest: column of the trials with its digest, which settles whether it differed; empty:
            there is none.
    """

    name: str
    paths: tuple[str, ...]
    apart: tuple[str, ...] = ()
    digest: str = ""


NEUTRAL = ("data.cache", "data.workers")
AUGMENTED = ("data.crop", "data.flip")
CUT = ("data.resize", "data.erase", "data.face_points")
"""Options of data sets that change no number; the look of training images; the look of all
images."""

EVALUATION_PAIRS = Part(
    "evaluation pairs",
    ("dataset", "data", "image_size", "eval_pairs"),
    (*NEUTRAL, *AUGMENTED),
    "digest.eval_pairs",
)
TRAINING = (
    Part(
        "initial weights",
        ("model", "network", "dataset", "data", "image_size", "checkpoint", "restore"),
        (*NEUTRAL, *AUGMENTED, *CUT),
        "digest.initial_weights",
    ),
    Part(
        "data order",
        ("dataset", "data", "batch_size"),
        (*NEUTRAL, *AUGMENTED, *CUT),
        "digest.data_order",
    ),
    Part(
        "augmentation",
        ("dataset", "data", "image_size", "batch_size"),
        NEUTRAL,
        "digest.data_order",
    ),
)
WEIGHTS = Part("evaluated weights", ("evaluate", "ema_decay"))
YARDSTICK = (EVALUATION_PAIRS, Part("evaluation shots", ("eval_shots",)), WEIGHTS)
OFTEN = Part("evaluation steps", ("eval_every",))


def differing(view: StudyView, part: Part) -> tuple[str, ...]:
    """The factors between whose levels a part differs; of a program's runs nothing of the kind is
    known."""
    if view.command:
        return ()
    found = [
        factor
        for factor in view.factors
        if any(_depends(part, path) for path in changed(view.study, factor))
    ]
    if part is WEIGHTS:
        return tuple(factor for factor in found if _other_weights(view, factor))
    return tuple(
        factor
        for factor in found
        if not (part.digest and _equal_digests(view, part.digest, factor))
    )


def _other_weights(view: StudyView, factor: str) -> bool:
    """Whether the outcome is of raw weights at one level and of averaged ones at another."""
    told = set()
    for level in levels_of(view.study, factor):
        evaluated, decay = (
            value_at(view.study, factor, level, path) for path in ("evaluate", "ema_decay")
        )
        kept = [
            which
            for which in (() if evaluated is UNTOLD else evaluated)
            if which != "average" or decay is not None
        ]
        told.add(kept[0] if kept else "")
    return len(told) > 1


def _depends(part: Part, path: str) -> bool:
    return _below(path, part.paths) and not _below(path, part.apart)


def _below(path: str, paths: Sequence[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in paths)


def _equal_digests(view: StudyView, column: str, factor: str) -> bool:
    """Whether all trials of a seed recorded the same digest; False where a level of the factor
    recorded none."""
    trials = view.table.trials
    if column not in trials:
        return False
    known = set(trials.loc[trials[column].notna(), "cell_id"])
    there = {
        level for arm in view.arms if arm.cell_id in known for level in view.levels_of(arm, factor)
    }
    if not there.issuperset(levels_of(view.study, factor)):
        return False
    return bool((trials.groupby("seed")[column].nunique() <= 1).all())


def shared_words(view: StudyView) -> Rich:
    """What trials of one seed share between arms, and which factors make what different.

    This is about pairs of trials; what differs from seed to seed is in `reports.words.replicates`.
    """
    if view.command:
        seed = ", which is given the seed" if "{seed}" in view.command else ""
        rest = "; what else the trials of one seed share is the program's own matter."
        return rich("All arms are runs of one program, ", code(view.command), seed, rest)
    parts = (*TRAINING, *YARDSTICK[:1])
    common = [part.name for part in parts if not differing(view, part)]
    apart = different_words(view, TRAINING)
    start = rich("Within a seed, the trials of all arms share ", joined(common)) if common else ()
    if len(common) == len(parts) and not yardstick_words(view):
        return rich(start, ", so arms differ in nothing but the factors.")
    told = (*((rich(start, "."),) if common else ()), *apart, *yardstick_words(view))
    return joined(told, comma=" ", last=" ")


def yardstick_words(view: StudyView) -> tuple[Rich, ...]:
    """Sentences on what evaluation differs in: not all of such a difference is the model's."""
    found = [
        rich(
            sentence, ", so differences between those levels are also differences of the yardstick."
        )
        for sentence in _sentences(view, YARDSTICK)
    ]
    reads = (
        "onsets"
        if view.study["outcome"].get("summary", "last") == "last"
        else f"onsets and {view.metric}"
    )
    found += [
        rich(sentence, f", so {reads} are read at other steps.")
        for sentence in _sentences(view, (OFTEN,))
    ]
    return tuple(found)


def different_words(view: StudyView, parts: Sequence[Part]) -> tuple[Rich, ...]:
    """A sentence for each set of factors and the parts that differ between their levels."""
    return tuple(rich(sentence, ".") for sentence in _sentences(view, parts))


def _sentences(view: StudyView, parts: Sequence[Part]) -> list[Rich]:
    """`Data order and augmentation differ between the levels of batch`, without the full stop."""
    by_factors: dict[tuple[str, ...], list[str]] = {}
    for part in parts:
        if factors := differing(view, part):
            by_factors.setdefault(factors, []).append(part.name)
    found = []
    for factors, (first, *more) in by_factors.items():
        verb = "differ" if more or first.endswith("s") else "differs"
        names = joined((first.capitalize(), *more))
        found.append(
            rich(
                names,
                f" {verb} between the levels of ",
                joined([code(factor) for factor in factors]),
            )
        )
    return found


def lengths(view: StudyView) -> Rich:
    """How long trials are: `400 steps each`, `100 steps each, 200 with length=long`; `up to` if
    some ended before."""
    if view.command:
        return rich(_program_lengths(view))
    planned = _planned(view)
    done = view.table.trials.get("steps_done", planned)
    ended = view.table.trials["status"].isin(("finished", "diverged", "failed"))
    start = "up to " if bool((done[ended] < planned[ended]).any()) else ""
    factors = changing(view.study, "steps")
    if not factors:
        return rich(f"{start}{_most(planned)} steps each")
    if len(factors) > 1:
        return rich(
            f"{start}{int(planned.min())} to {_most(planned)} steps each, by ",
            joined(map(code, factors)),
        )
    (factor,) = factors
    steps = {level: _steps(view, {factor: level}) for level in levels_of(view.study, factor)}
    usual = steps.get(view.first(factor), next(iter(steps.values())))
    others = joined(
        rich(f"{n} with ", code(f"{factor}={level}")) for level, n in steps.items() if n != usual
    )
    return rich(f"{start}{usual} steps each, ", others)


def _program_lengths(view: StudyView) -> str:
    """How long runs of a program turned out: `400 steps each`, `100 to 400 steps each`."""
    trials = view.table.trials
    done = sorted(
        {int(steps) for steps in trials.loc[trials["status"] == "finished", "steps_done"]}
    ) or [0]
    return f"{done[0]} to {done[-1]} steps each" if len(done) > 1 else f"{done[0]} steps each"


def _most(planned: "pd.Series[int]") -> int:
    return int(planned.max()) if len(planned) else 0


def _planned(view: StudyView) -> "pd.Series[int]":
    """Steps that each trial was to train for."""
    rows = view.table.trials.to_dict("records")
    levels = [{factor: str(row[f"level.{factor}"]) for factor in view.factors} for row in rows]
    return pd.Series(
        [_steps(view, one) for one in levels], index=view.table.trials.index, dtype=int
    )


def _steps(view: StudyView, levels: Mapping[str, str]) -> int:
    """Steps at these levels: of two that set them the later factor's counts."""
    patches = [patch_of(view.study, factor, level) for factor, level in levels.items()]
    return int([view.planned_steps, *(patch["steps"] for patch in patches if "steps" in patch)][-1])
