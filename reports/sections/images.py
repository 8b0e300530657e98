"""What do the images look like? The same pairs in all arms at the same steps."""

from statistics import median

from reports.page.blocks import (
    Block,
    Fold,
    Frame,
    ImageGrid,
    Rich,
    Section,
    Text,
    code,
    joined,
    rich,
)
from reports.view.images import LOSSLESS_TILE, Shot, cut, shots, spread
from reports.view.shared import EVALUATION_PAIRS, differing
from reports.view.study import Arm, StudyView
from reports.words.chosen import Choice, chosen
from reports.words.names import key

MOST_ARMS, MOST_STEPS, PAIRS = 6, 9, 2
NAMES = {
    "real": "originals",
    "mixed": "mixed",
    "full_recon": "reconstructed",
    "self_recon": "self-reconstructed",
    "mask": "mask",
}
"""Rows of the figure in the paper's words."""


def images(view: StudyView) -> Section | None:
    """Show the images of the arms at step 0, onset, and end, with more steps on the slider.

    Returns:
        The section; None if there are no images.
    """
    grids = [grid for pair in range(PAIRS) if (grid := picture_grid(view, pair)) is not None]
    if not grids:
        return None

    factors = differing(view, EVALUATION_PAIRS)
    apart = (
        rich(" Other pairs at other levels of ", joined(map(code, factors)), ".") if factors else ()
    )
    same = "Pairs at the same step" if factors else "The same pairs at the same step"
    choice = _chosen(view).words
    words = rich(" ", choice) if choice else ()

    intro = Text(rich(f"{same} in every arm; move the slider to follow training.", apart, words))

    blocks: list[Block] = [intro, *key(view), grids[0]]
    blocks += [Fold("Another pair", (grid,), paper=False) for grid in grids[1:]]
    return Section("images", "What does it look like?", "Images", tuple(blocks))


def _chosen(view: StudyView) -> Choice:
    """Return the arms whose images are shown, and how they were chosen."""
    pictured = {trial for trial, _ in shots(view.table.images)}
    return chosen(view, [arm for arm in view.arms if pictured & set(arm.trials)], MOST_ARMS)


def _trial_of(arm: Arm, figures: dict[tuple[str, int], Shot]) -> str | None:
    """Return the trial of an arm whose images are shown.

    This is the first seed whose images reach the last step.

    Args:
        arm: the arm.
        figures: the figures by trial and step.
    """
    reach = {
        trial: max((step for t, step in figures if t == trial), default=-1) for trial in arm.trials
    }
    return max(arm.trials, key=lambda trial: reach[trial], default=None)


def key_steps(view: StudyView, steps: tuple[int, ...]) -> tuple[tuple[int, str], ...]:
    """Return step 0, onset, and end among the steps with images.

    The onset is the first of these steps that is not before the culprit's median onset.

    Args:
        view: the study.
        steps: the steps with images, in ascending order.

    Returns:
        Pairs of a step and its name.
    """
    if not steps:
        return ()
    names = {steps[0]: "start" if steps[0] == 0 else "", steps[-1]: "end"}

    arms = view.alone(view.culprit) if view.culprit else ()
    onsets = [
        s for arm in arms or view.arms for t in arm.trials if (s := view.onset(t)) is not None
    ]

    if onsets and len(steps) > 2:
        middle = median(onsets)
        at = next((step for step in steps if step >= middle), steps[-1])
        if at not in names:
            names[at] = "onset"
        elif at == steps[-1]:
            names[at] = "onset and end"
    elif len(steps) > 2:
        names[steps[len(steps) // 2]] = "middle"
    return tuple(sorted(names.items()))


def picture_grid(view: StudyView, pair: int) -> ImageGrid | None:
    """Return all chosen arms at up to `MOST_STEPS` steps for one pair; None if no figure has it."""
    figures = shots(view.table.images)
    arms = _chosen(view).arms
    trials = {arm.cell_id: _trial_of(arm, figures) for arm in arms}
    saved = tuple(sorted({step for trial, step in figures if trial in trials.values()}))
    if not saved:
        return None

    keys = key_steps(view, saved)
    steps = spread(saved, [step for step, _ in keys], MOST_STEPS)
    frames = tuple(
        tuple(_frame(view, arm, trials[arm.cell_id], step, pair, figures) for arm in arms)
        for step in steps
    )
    if all(frame.picture is None for row in frames for frame in row):
        return None

    first = next(shot for (trial, _), shot in sorted(figures.items()) if trial in trials.values())
    rows = tuple(NAMES.get(name, name) for name in first.rows)
    caption = rich(
        f"Rows: {', '.join(rows)}. Columns of each picture: first and second image of the pair. "
        "One seed an arm."
    )

    headings = tuple(arm.heading for arm in arms)
    pixelated = first.tile_px <= LOSSLESS_TILE
    return ImageGrid(f"pair{pair + 1}", caption, headings, steps, keys, frames, rows, pixelated)


def _frame(
    view: StudyView,
    arm: Arm,
    trial: str | None,
    step: int,
    pair: int,
    figures: dict[tuple[str, int], Shot],
) -> Frame:
    """Return one image of the grid, with the outcome and the state of its trial."""
    shot = figures.get((trial or "", step))
    value = dict(view.curves.get(trial or "", ())).get(step)
    event = view.events.get(trial or "")
    state = event.kind if event is not None and step >= event.step else ""
    words = f"{view.metric} {view.scale.fixed(value)}" if value is not None else ""

    caption = [text for text in (words, state) if text]
    alt = f"{arm.label}, step {step}: originals, mixed, reconstructed; {', '.join(caption)}"
    return Frame(cut(shot, pair, alt) if shot else None, " · ".join(caption), bool(state))


def end_pictures(view: StudyView) -> ImageGrid | None:
    """Return images of the reference and the culprit at the last step, for the first page."""
    if view.reference is None or view.culprit is None:
        return None

    figures = shots(view.table.images)
    alone = view.alone(view.culprit)
    arms = [arm for arm in (view.reference, *alone[-1:]) if _trial_of(arm, figures) is not None]
    trials = {arm.cell_id: _trial_of(arm, figures) for arm in arms}
    steps = [{step for trial, step in figures if trial == trials[arm.cell_id]} for arm in arms]
    common = set.intersection(*steps) if steps else set()
    if len(arms) < 2 or not common:
        return None

    last = max(common)
    frames = tuple(_frame(view, arm, trials[arm.cell_id], last, 0, figures) for arm in arms)
    if any(frame.picture is None for frame in frames):
        return None

    rows = figures[trials[arms[0].cell_id] or "", last].rows
    names = tuple(NAMES.get(name, name) for name in rows)
    caption = rich(f"Step {last}; rows: {', '.join(names)}.")
    pixelated = figures[trials[arms[0].cell_id] or "", last].tile_px <= LOSSLESS_TILE
    headings: tuple[Rich, ...] = tuple(rich(arm.label) for arm in arms)
    return ImageGrid(
        "first-page", caption, headings, (last,), ((last, "end"),), (frames,), (), pixelated
    )
