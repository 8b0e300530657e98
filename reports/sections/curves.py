"""When does it start? The outcome by step in each arm, every seed a line, with its onset."""

from collections.abc import Mapping, Sequence
from statistics import median_low

from reports.charts.curves import LEFT, RIGHT, Line, Marks, curve_panel
from reports.page.blocks import (
    Block,
    Figure,
    Fold,
    Panel,
    Rich,
    Section,
    Series,
    Text,
    code,
    joined,
    rich,
    strong,
)
from reports.page.numbers import count, percent
from reports.view.study import Arm, Points, StudyView
from reports.words.names import key
from reports.words.onset import watched
from reports.words.plainly import capital, metric_words

ENDED_EARLY = ("diverged", "failed", "interrupted")
"""Statuses of trials that ended before their last step."""

UNFOLDED = 16
"""Maximum number of open panels; the others open on request."""


def curves(view: StudyView) -> Section | None:
    """Show the outcome by step, one panel per arm, with the reference; None without curves."""
    if not view.curves or not (view.last_step or view.has_onsets):
        return None

    drawn = [arm for arm in view.arms if any(trial in view.curves for trial in arm.trials)]
    values = [v for points in view.curves.values() for _, v in points]
    low, high = min(values), _high(values)
    room = (high - low or abs(high) or 1.0) * 0.06
    span, steps = (low - room, high + room), (0.0, float(view.last_step))

    panels = [_panel(view, arm, steps, span) for arm in drawn]
    ordered = _by_difference(view, drawn)
    first = [arm for arm in drawn if arm in ordered[:UNFOLDED]]
    shown = tuple(panels[drawn.index(arm)] for arm in first)
    rest = tuple(panel for panel in panels if panel not in shown)

    layers = (
        ("seeds", "seeds"),
        ("mean", "mean"),
        ("ref", "reference (dashed)"),
        ("onset", "onset (▼)"),
    )

    figure = Figure(
        "curves",
        _caption(view, first),
        shown,
        min(4, max(2, len(shown))),
        stepped=True,
        layers=layers,
    )

    shown_block: Block = figure
    if len(first) > MOST_LINES:
        shown_block = Fold(f"The curves of {count(len(first), 'arm')}", (figure,), only_phone=True)
    degraded = [Text(rich(_sentence(view)))] if view.has_onsets else []
    blocks: list[Block] = [*degraded, *key(view), shown_block]
    if rest:
        others = [arm for arm in drawn if arm not in first]
        more = Figure("curves-more", _caption(view, others), rest, 4)
        blocks.append(Fold(count(len(rest), "more arm"), (more,), paper=False))
        blocks.append(
            Text(
                rich(
                    f"Shown: {_shown_words(first)}; all {len(view.arms)} are in the table of arms."
                ),
                "note",
            )
        )
    return Section("curves", "Curves", "Curves", tuple(blocks))


def _high(values: Sequence[float]) -> float:
    """Return the top of the axis, so that one exploded trial does not flatten all others."""
    ordered = sorted(values)
    top, usual = ordered[-1], ordered[int(0.98 * (len(ordered) - 1))]
    return (
        top if top - ordered[0] < 4 * (usual - ordered[0]) or usual == ordered[0] else usual * 1.15
    )


def _by_difference(view: StudyView, arms: Sequence[Arm]) -> list[Arm]:
    """Return the reference first, then the arms that differ most from it."""
    known = {
        str(row["cell_id"]): abs(row["difference"]) for row in view.analysis.arms.to_dict("records")
    }
    size = {arm.cell_id: known.get(arm.cell_id, 0.0) for arm in arms}
    return sorted(
        arms,
        key=lambda arm: (
            not arm.reference,
            # An unknown difference (nan) counts as 0.
            -(size[arm.cell_id] if size[arm.cell_id] == size[arm.cell_id] else 0.0),
        ),
    )


def mean_curve(view: StudyView, arm: Arm, curves: Mapping[str, Points]) -> Points:
    """Return the mean curve of an arm's finished trials.

    Only steps that all of these trials have are used, so each step is a mean of the same trials.

    Args:
        view: the study.
        arm: the arm.
        curves: the curve of each trial.
    """
    finished = set(view.table.trials.loc[view.table.trials["status"] == "finished", "trial_id"])
    lines = [dict(curves[trial]) for trial in arm.trials if trial in finished and trial in curves]
    if not lines:
        return ()
    steps = sorted(set.intersection(*(set(line) for line in lines)))
    return tuple((step, sum(line[step] for line in lines) / len(lines)) for step in steps)


def _panel(
    view: StudyView, arm: Arm, steps: tuple[float, float], span: tuple[float, float]
) -> Panel:
    """Return the panel of one arm: the reference, the seeds, their mean, and their onsets."""
    lines = []
    if view.reference is not None and not arm.reference:
        lines.append(Line(mean_curve(view, view.reference, view.curves), "ref l-ref"))

    seeds = [trial for trial in arm.trials if view.curves.get(trial)]
    lines += [Line(view.curves[trial], "gray seed l-seeds") for trial in seeds]

    mean = mean_curve(view, arm, view.curves)
    lines.append(Line(mean, "neutral mean l-mean"))

    onsets, ended = [], []
    status = dict(zip(view.table.trials["trial_id"], view.table.trials["status"], strict=True))
    for trial in seeds:
        by_step = dict(view.curves[trial])
        if (onset := view.onset(trial)) is not None and onset in by_step:
            onsets.append((onset, by_step[onset]))
        if status[trial] in ENDED_EARLY:
            ended.append(view.curves[trial][-1])
    n_degraded = sum(trial in view.events for trial in arm.trials)

    degraded = f", {n_degraded} of {count(len(watched(view, arm)), 'trial')} {view.fall}"
    degraded = degraded if view.has_onsets else ""
    end = f"; mean at the end {view.scale.fixed(mean[-1][1])}" if mean else ""
    alt = (
        f"{view.metric} by step in the arm {arm.label}: {count(len(seeds), 'seed')}{degraded}{end}"
    )

    drawing = curve_panel(
        f"curve-{arm.cell_id}",
        lines,
        steps,
        span,
        alt,
        Marks(tuple(onsets), tuple(ended)),
        _threshold(view, arm),
    )

    all_lines = (
        Series("mean", *_split(mean)),
        *(Series(trial, *_split(view.curves[trial])) for trial in seeds),
    )
    reads = (LEFT, RIGHT, steps[0], max(steps[1], steps[0] + 1))
    return Panel(arm.heading, drawing, all_lines, reads)


MOST_LINES = 8
"""Arms that the first page's curves show."""


def first_page_curve(view: StudyView) -> Figure | None:
    """Return the mean curves of the arms in one drawing; None if fewer than two have one.

    Of many arms, these are the reference and those that differ most from it.
    """
    means = {arm.cell_id: mean_curve(view, arm, view.curves) for arm in view.arms}
    known = [arm for arm in view.arms if len(means[arm.cell_id]) > 1]
    if len(known) < 2:
        return None

    drawn = _by_difference(view, known)[:MOST_LINES]
    # Of the last values; the sign makes larger ones worse
    sign = 1 if view.better == "lower" else -1
    worst = max(drawn, key=lambda arm: sign * means[arm.cell_id][-1][1])
    lines = []
    for arm in sorted(drawn, key=lambda arm: (arm.reference, arm == worst)):
        css = "ref" if arm.reference else "neutral mean" if arm == worst else "gray thin"
        lines.append(Line(means[arm.cell_id], css))

    values = [value for line in lines for _, value in line.points]
    low, high = min(values), _high(values)
    room = (high - low or abs(high) or 1.0) * 0.08
    span, steps = (low - room, high + room), (0.0, float(view.last_step))
    threshold = None if view.reference is None else _threshold(view, view.reference)
    if threshold is not None and not span[0] <= threshold <= span[1]:
        threshold = None
    labels = [(means[arm.cell_id][-1][1], arm.code) for arm in drawn]

    names = ", ".join(arm.code for arm in drawn)
    alt = f"{view.metric} by step, mean of the finished trials in each arm: {names}"
    drawing = curve_panel(
        "answer-curve", lines, steps, span, alt, None, threshold, "step", 560.0, labels
    )

    error = metric_words(view)
    parts = ["mean of the finished trials."]
    if any(arm.reference for arm in drawn):
        parts.append("Dashed: reference.")
    if not worst.reference:
        parts.append("Bold: worst arm.")
    if threshold is not None:
        relative = float(view.study["outcome"].get("degradation", {}).get("relative", 0.10))
        parts.append(f"Dotted: {percent(relative)} worse than the reference at step 0.")
    if len(drawn) < len(known):
        parts.append(f"Shown: {len(drawn)} of {len(known)} arms, those that differ most.")
    start = f" ({view.better} is better) by training step, "
    caption = rich(*capital(error), start, " ".join(parts))
    meaning = [rich(strong(letter), f" {words}") for letter, words in view.names.key]
    if meaning:
        caption = rich(caption, " Arms: ", joined(meaning), ".")
    return Figure("answer-curve", caption, (Panel(rich(_when(view)), drawing),))


def _when(view: StudyView) -> str:
    """Return when trials degraded, as the title of the curves."""
    if not view.events:
        return f"No trial {view.fall}"
    steps = sorted(event.step for event in view.events.values())
    ended = sum(len(watched(view, arm)) for arm in view.arms)
    start = f"{len(steps)} of {count(ended, 'trial')} {view.fall}"
    if steps[0] == steps[-1]:
        return f"{start}, all at step {steps[0]}" if len(steps) > 1 else f"{start}, at {steps[0]}"
    return f"{start}, half of them by step {median_low(steps)}"


def _split(points: Points) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """Return the steps and the values of a curve."""
    return tuple(step for step, _ in points), tuple(value for _, value in points)


def _threshold(view: StudyView, arm: Arm) -> float | None:
    """Return the value at which an arm counts as degraded, from its mean at step 0."""
    relative = float(view.study["outcome"].get("degradation", {}).get("relative", 0.10))
    starts = [
        view.curves[t][0][1] for t in arm.trials if view.curves.get(t) and view.curves[t][0][0] == 0
    ]
    if not starts:
        return None
    start = sum(starts) / len(starts)
    return start + (1 if view.better == "lower" else -1) * relative * abs(start)


def _shown_words(first: Sequence[Arm]) -> str:
    """Return which arms the page shows: those that differ most from the reference, if any."""
    if not any(arm.reference for arm in first):
        return f"{len(first)} arms"
    return f"the reference and the {len(first) - 1} arms whose mean differs most from its"


def _caption(view: StudyView, arms: Sequence[Arm]) -> Rich:
    """Return what the lines and marks of these arms mean; marks that none has are left out."""
    relative = float(view.study["outcome"].get("degradation", {}).get("relative", 0.10))
    trials = [trial for arm in arms for trial in arm.trials if view.curves.get(trial)]
    status = dict(zip(view.table.trials["trial_id"], view.table.trials["status"], strict=True))

    marks = [
        ("dashed: reference", view.reference is not None and any(not a.reference for a in arms)),
        (
            f"dotted: {percent(relative)} worse than step 0",
            any(_threshold(view, a) is not None for a in arms),
        ),
        ("▼: onset of a seed", any(view.onset(trial) is not None for trial in trials)),
        ("✕: a trial that ended early", any(status[trial] in ENDED_EARLY for trial in trials)),
    ]
    marked = "; ".join(
        ("thick: mean of the finished trials", *(text for text, true in marks if true))
    )

    return rich(
        code(view.metric),
        f" by step ({view.better} is better). Thin: seeds; {marked}.",
    )


def _sentence(view: StudyView) -> str:
    """Return how many trials degraded, in all and in the reference."""
    reference = view.reference
    ended = sum(len(watched(view, arm)) for arm in view.arms)
    text = f"{len(view.events)} of {count(ended, 'trial')} degraded by the rule of the study file"
    text += " or diverged" if "diverged" in view.fall else ""
    if reference is not None and reference.trials:
        n_reference = sum(trial in view.events for trial in reference.trials)
        text += (
            f"; of the reference, {n_reference} of {count(len(watched(view, reference)), 'trial')}"
        )
    return text + "."
