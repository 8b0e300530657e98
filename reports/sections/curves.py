"""When does it start? The outcome by step in each arm, every seed a line, with its onset."""

from collections.abc import Mapping, Sequence

from reports.charts.curves import LEFT, RIGHT, Line, Marks, curve_panel
from reports.page.blocks import Block, Figure, Fold, Panel, Rich, Section, Series, Text, code, rich
from reports.page.numbers import count, percent
from reports.view.study import Arm, Points, StudyView
from reports.words.names import key
from reports.words.onset import watched

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

    degraded = [Text(rich(_sentence(view)))] if view.has_onsets else []
    blocks: list[Block] = [*degraded, *key(view), figure]
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
    return Section("curves", "When does it start?", "Curves", tuple(blocks))


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
    lines += [Line(view.curves[trial], f"{arm.tone} seed l-seeds") for trial in seeds]

    mean = mean_curve(view, arm, view.curves)
    lines.append(Line(mean, f"{arm.tone} mean l-mean"))

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


def first_page_curve(view: StudyView) -> Figure | None:
    """Return the reference and the main culprit alone in one drawing; None without both."""
    if view.reference is None or view.culprit is None or not (view.last_step or view.has_onsets):
        return None
    arms = [view.reference, *view.alone(view.culprit)[-1:]]
    drawn = [arm for arm in arms if any(view.curves.get(trial) for trial in arm.trials)]
    if len(drawn) < 2:
        return None

    lines, onsets, labels = [], [], []
    for arm in drawn:
        seeds = [view.curves[trial] for trial in arm.trials if view.curves.get(trial)]
        lines += [Line(points, f"{arm.tone} seed") for points in seeds]
        for trial in arm.trials:
            value = (
                dict(view.curves.get(trial, ())).get(onset)
                if (onset := view.onset(trial)) is not None
                else None
            )
            if onset is not None and value is not None:
                onsets.append((onset, value))
    for arm in drawn:
        mean = mean_curve(view, arm, view.curves)
        lines.append(Line(mean, f"{arm.tone} mean"))
        if mean:
            labels.append((mean[-1][1], arm.label))

    values = [value for line in lines for _, value in line.points]
    low, high = min(values), _high(values)
    room = (high - low or abs(high) or 1.0) * 0.08

    # Two labels at the right edge must not overlap.
    apart = (high - low + 2 * room) * 0.11
    if len(labels) == 2 and abs(labels[0][0] - labels[1][0]) < apart:
        up = 1 if labels[1][0] >= labels[0][0] else -1
        labels[1] = (labels[0][0] + up * apart, labels[1][1])

    which = f"{drawn[0].label} and {drawn[1].label}"
    alt = f"{view.metric} by step: {which}, every seed; {count(len(onsets), 'onset')} marked"
    span, steps = (low - room, high + room), (0.0, float(view.last_step))
    drawing = curve_panel(
        "answer-curve", lines, steps, span, alt, Marks(tuple(onsets)), None, "step", 560.0, labels
    )

    marked = "; ▼: onset" if onsets else ""
    caption = rich(
        code(view.metric), f" by step ({view.better} is better). Thin: seeds; thick: mean{marked}."
    )
    return Figure("answer-curve", caption, (Panel((), drawing),))


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
        _colors(view, arms),
    )


def _colors(view: StudyView, arms: Sequence[Arm]) -> Rich:
    """Return what orange and blue mean, where an arm has the color."""
    if not view.culprit or not arms:
        return ()
    with_, without = any(arm.focal for arm in arms), any(not arm.focal for arm in arms)
    orange = rich(" Orange: arms with ", code(view.culprit)) if with_ else ()
    blue = rich(
        "; blue: without" if with_ else " Blue: arms without ",
        *(() if with_ else (code(view.culprit),)),
    )
    return rich(orange, blue if without else (), ".")


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
