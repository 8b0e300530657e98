"""What trials with the same seed share, and what a factor makes different between them.

The parts are initial weights, data, the way of evaluation, and training length.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from reports.page.blocks import Rich, code, joined, rich
from reports.view.patches import UNTOLD, changed, changing, levels_of, patch_of, value_at
from reports.view.study import StudyView


class Part(NamedTuple):
    """Something that trials with the same seed share unless a factor changes it.

    Attributes:
        name: the part in words.
        paths: config paths that the part depends on, including everything below them.
        apart: paths below these that the part does not depend on.
        digest: column of the trials with the part's digest, which settles whether the part
            differed; empty if there is none.
    """

    name: str
    paths: tuple[str, ...]
    apart: tuple[str, ...] = ()
    digest: str = ""


NEUTRAL = ("data.cache", "data.workers")
"""Dataset options that do not change any number."""
AUGMENTED = ("data.crop", "data.flip")
"""Dataset options that change training images only."""
CUT = ("data.resize", "data.erase", "data.face_points")
"""Dataset options that change all images, in training and in evaluation."""

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
"""Parts of training that trials with the same seed share."""
WEIGHTS = Part("evaluated weights", ("evaluate", "ema_decay"))
YARDSTICK = (EVALUATION_PAIRS, Part("evaluation shots", ("eval_shots",)), WEIGHTS)
"""What the values of all metrics depend on besides the trained weights."""
OFTEN = Part("evaluation steps", ("eval_every",))


def differing(view: StudyView, part: Part) -> tuple[str, ...]:
    """Return the factors between whose levels a part differs.

    For the runs of a command nothing of the kind is known, so no factor is returned.
    """
    if view.foreign:
        return ()

    factors = [
        factor
        for factor in view.factors
        if any(_depends(part, path) for path in changed(view.study, factor))
    ]

    # What counts is which weights decide the outcome, not the options themselves.
    if part is WEIGHTS:
        return tuple(factor for factor in factors if _other_weights(view, factor))
    return tuple(
        factor
        for factor in factors
        if not (part.digest and _same_digests(view, part.digest, factor))
    )


def _other_weights(view: StudyView, factor: str) -> bool:
    """Return whether the outcome is of raw weights at one level and of averaged ones at another."""
    deciding = set()
    for level in levels_of(view.study, factor):
        evaluated, decay = (
            value_at(view.study, factor, level, path) for path in ("evaluate", "ema_decay")
        )
        # Without a decay there are no averaged weights to evaluate.
        available = [
            which
            for which in (() if evaluated is UNTOLD else evaluated)
            if which != "average" or decay is not None
        ]
        deciding.add(available[0] if available else "")
    return len(deciding) > 1


def _depends(part: Part, path: str) -> bool:
    """Return whether a part depends on a config path."""
    return _below(path, part.paths) and not _below(path, part.apart)


def _below(path: str, paths: Sequence[str]) -> bool:
    """Return whether a path is one of these paths or below one of them."""
    return any(path == one or path.startswith(f"{one}.") for one in paths)


def _same_digests(view: StudyView, column: str, factor: str) -> bool:
    """Return whether all trials with the same seed recorded the same digest.

    False if the trials of some level of the factor recorded none.
    """
    trials = view.table.trials
    if column not in trials:
        return False

    known = set(trials.loc[trials[column].notna(), "cell_id"])
    recorded = {
        level for arm in view.arms if arm.cell_id in known for level in view.levels_of(arm, factor)
    }
    if not recorded.issuperset(levels_of(view.study, factor)):
        return False
    return bool((trials.groupby("seed")[column].nunique() <= 1).all())


def shared_words(view: StudyView) -> Rich:
    """Return what trials with the same seed share, and what the factors make different.

    This is about pairs of trials; what differs from seed to seed is in `reports.words.replicates`.
    """
    if view.judged:
        return rich(
            "Another program made the runs before there was a plan; what the runs of one seed "
            "share isn't recorded."
        )
    if view.foreign:
        seed = ", which is given the seed" if view.trainer or "{seed}" in view.command else ""
        who = "All arms are trained by " if view.trainer else "All arms are runs of one program, "
        rest = f"; what else the trials of one seed share is the {view.foreign}'s own matter."
        return rich(who, code(view.trainer or view.command), seed, rest)

    parts = (*TRAINING, *YARDSTICK[:1])
    # A value that every arm chooses may differ between arms, as a level does
    chosen = str(view.study["tuning"]["path"]) if "tuning" in view.study else ""
    alike = [part for part in parts if not (chosen and _depends(part, chosen))]
    common = [part.name for part in alike if not differing(view, part)]
    apart = different_words(view, TRAINING)
    start = rich("Within a seed, the trials of all arms share ", joined(common)) if common else ()

    if len(common) == len(parts) and not yardstick_words(view):
        also = rich(" and the chosen ", code(chosen)) if chosen else ()
        return rich(start, ", so arms differ in nothing but the factors", also, ".")
    sentences = (*((rich(start, "."),) if common else ()), *apart, *yardstick_words(view))
    return joined(sentences, comma=" ", last=" ")


def yardstick_words(view: StudyView) -> tuple[Rich, ...]:
    """Return sentences on differences in evaluation, which add to the differences of the models."""
    sentences = [
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
    sentences += [
        rich(sentence, f", so {reads} are read at other steps.")
        for sentence in _sentences(view, (OFTEN,))
    ]
    return tuple(sentences)


def different_words(view: StudyView, parts: Sequence[Part]) -> tuple[Rich, ...]:
    """Return a sentence for each set of factors and the parts that differ between their levels."""
    return tuple(rich(sentence, ".") for sentence in _sentences(view, parts))


def _sentences(view: StudyView, parts: Sequence[Part]) -> list[Rich]:
    """Return sentences like `Data order differs between the levels of batch`, without a period."""
    by_factors: dict[tuple[str, ...], list[str]] = {}
    for part in parts:
        if factors := differing(view, part):
            by_factors.setdefault(factors, []).append(part.name)

    sentences = []
    for factors, (first, *more) in by_factors.items():
        verb = "differ" if more or first.endswith("s") else "differs"
        names = joined((first.capitalize(), *more))
        sentences.append(
            rich(
                names,
                f" {verb} between the levels of ",
                joined([code(factor) for factor in factors]),
            )
        )
    return sentences


def lengths(view: StudyView) -> Rich:
    """Return how long trials are: `400 steps each`, or `100 steps each, 200 with length=long`.

    The words start with `up to` if some trials ended earlier than planned.
    """
    if view.foreign:
        return rich(_program_lengths(view))

    planned = _planned(view)
    done = view.table.trials.get("steps_done", planned)
    ended = view.table.trials["status"].isin(("finished", "diverged", "failed"))
    start = "up to " if bool((done[ended] < planned[ended]).any()) else ""

    factors = changing(view.study, "steps")
    if not factors:
        return rich(f"{start}{_longest(planned)} steps each")
    if len(factors) > 1:
        return rich(
            f"{start}{int(planned.min())} to {_longest(planned)} steps each, by ",
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
    """Return how long the runs of a command were: `400 steps each` or `100 to 400 steps each`."""
    if view.judged and not view.judged.get("curves"):
        return "a length that isn't recorded"
    trials = view.table.trials
    done = sorted(
        {int(steps) for steps in trials.loc[trials["status"] == "finished", "steps_done"]}
    ) or [0]
    return f"{done[0]} to {done[-1]} steps each" if len(done) > 1 else f"{done[0]} steps each"


def _longest(planned: "pd.Series[int]") -> int:
    """Return the largest number of planned steps; 0 without trials."""
    return int(planned.max()) if len(planned) else 0


def _planned(view: StudyView) -> "pd.Series[int]":
    """Return the number of steps that each trial was planned to train for."""
    rows = view.table.trials.to_dict("records")
    levels = [{factor: str(row[f"level.{factor}"]) for factor in view.factors} for row in rows]
    return pd.Series(
        [_steps(view, one) for one in levels], index=view.table.trials.index, dtype=int
    )


def _steps(view: StudyView, levels: Mapping[str, str]) -> int:
    """Return the number of steps at these levels; the last factor that sets the steps decides."""
    patches = [patch_of(view.study, factor, level) for factor, level in levels.items()]
    return int([view.planned_steps, *(patch["steps"] for patch in patches if "steps" in patch)][-1])
