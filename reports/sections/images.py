"""What do the images look like? The same pairs in all arms, next to what is true."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from reports.page.blocks import (
    Block,
    Fold,
    ImageGrid,
    Rich,
    Section,
    Text,
    Tiles,
    code,
    joined,
    muted,
    rich,
    spaced,
    strong,
)
from reports.view.images import (
    FULL_ERROR,
    LOSSLESS_TILE,
    Case,
    Shot,
    Tile,
    cases,
    error,
    error_map,
    picture,
    shots,
    spread,
    tiles,
)
from reports.view.shared import EVALUATION_PAIRS, differing
from reports.view.study import Arm, StudyView
from reports.words.chosen import Choice, chosen
from reports.words.findings import findings
from reports.words.names import key
from reports.words.plainly import signed_percent

MOST_ARMS, MOST_STEPS = 8, 5
MISSING = 232
"""Gray of a tile that does not exist."""

Roles = tuple[tuple[str, Case], ...]
"""Names and cases of the pairs to show."""


@dataclass(frozen=True)
class Shown:
    """The pictures of some arms.

    Attributes:
        arms: the arms, in the order of the columns.
        trials: cell id -> the trial whose pictures are shown.
        figures: the figure of each trial and step.
        steps: the steps of the slider.
        seeds: the seeds of these trials; one, if all arms have pictures of one.
    """

    arms: tuple[Arm, ...]
    trials: Mapping[str, str]
    figures: Mapping[tuple[str, int], Shot]
    steps: tuple[int, ...]
    seeds: tuple[int, ...]

    def of(self, arm: Arm, step: int) -> dict[str, NDArray[np.uint8]]:
        """Return the rows of an arm's figure at a step; empty without one."""
        shot = self.figures.get((self.trials[arm.cell_id], step))
        return tiles(shot) if shot is not None else {}

    def last(self, arm: Arm) -> dict[str, NDArray[np.uint8]]:
        """Return the rows of an arm's newest figure."""
        return next((rows for step in reversed(self.steps) if (rows := self.of(arm, step))), {})

    @property
    def base(self) -> Arm:
        """The reference, else the first arm."""
        return next((arm for arm in self.arms if arm.reference), self.arms[0])

    @property
    def true(self) -> bool:
        """Whether the exact mixed images are known."""
        return "truth" in self.last(self.base)

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of a grid, from top to bottom: what some arm has."""
        some = {name for arm in self.arms for name in self.last(arm)}
        rebuilt, mask = "full_recon" in some, "mask" in some
        names = {"Mixed": True, "Error map": self.true, "Rebuilt": rebuilt, "Mask": mask}
        return tuple(name for name, wanted in names.items() if wanted)

    @property
    def shared(self) -> bool:
        """Whether all arms were given the same images."""
        given = [self.last(arm).get("real") for arm in self.arms]
        return all(
            one is not None and given[0] is not None and np.array_equal(one, given[0])
            for one in given
        )


def images(view: StudyView) -> Section | None:
    """Show the pictures of the arms for pairs that are chosen by a rule; None without pictures."""
    choice = _chosen(view)
    shown = _shown(view, choice.arms)
    if shown is None:
        return None
    roles = pairs_of(shown)
    if not roles:
        return None

    factors = differing(view, EVALUATION_PAIRS)
    apart = (
        rich("Arms at other levels of ", joined(map(code, factors)), " have other pairs.")
        if factors
        else ()
    )
    known = (
        "The exact mixed image is known, so each arm has an error map."
        if shown.true
        else "The exact mixed image is not known."
    )
    pair = "a pair" if factors else "the same pair"
    start = f"Each arm mixes {pair}: the content of one image in the class of the other."
    parts = [rich(start), rich(known), rich(_rebuilt(shown)), apart, choice.words]
    blocks: list[Block] = [Text(spaced([part for part in parts if part])), *key(view)]

    (name, case), *others = roles
    blocks.append(_grid(view, shown, f"pair-{case.own}", case, name))
    for role, other in others:
        grid = _grid(view, shown, f"pair-{other.own}", other, role)
        blocks.append(Fold(role, (grid,), paper="difference" in role))
    if len(shown.steps) > 1:
        arm = _worst(view, shown.arms)
        blocks.append(Fold(f"Arm {arm.code} over training", (_over_time(view, shown, arm, case),)))
    return Section("images", "Pictures", "Pictures", tuple(blocks))


def _rebuilt(shown: Shown) -> str:
    """Return what the rebuilt images are, if there are any."""
    if "full_recon" not in shown.last(shown.base):
        return ""
    return "Rebuilt: the image that gave the class, put together from the two mixed ones."


def end_pictures(view: StudyView) -> tuple[Block, ...]:
    """Return the median pair of the reference and two arms, and the most different one folded."""
    shown = _shown(view, _first_page_arms(view))
    if shown is None or not (roles := pairs_of(shown)):
        return ()
    (name, case), *others = roles
    blocks: list[Block] = [_grid(view, shown, "first-page", case, name, small=True)]
    for role, other in others:
        if "difference" in role:
            grid = _grid(view, shown, "first-page-difference", other, role, small=True)
            blocks.append(Fold(role, (grid,), paper=False))
    return tuple(blocks)


# -- which pictures --------------------------------------------------------------------------------


def _pictured(view: StudyView) -> list[Arm]:
    """Return the arms that have pictures."""
    have = {trial for trial, _ in shots(view.table.images)}
    return [arm for arm in view.arms if have & set(arm.trials)]


def _chosen(view: StudyView) -> Choice:
    """Return the arms whose images are shown, the best first, and how they were chosen."""
    choice = chosen(view, _pictured(view), MOST_ARMS)
    return Choice(tuple(_ordered(view, choice.arms)), choice.words)


def _ordered(view: StudyView, arms: Sequence[Arm]) -> list[Arm]:
    """Return the reference, and then the other arms, the best mean first."""
    change = _changes(view)
    sign = 1 if view.better == "lower" else -1
    return sorted(arms, key=lambda arm: (not arm.reference, sign * change.get(arm.cell_id, 0.0)))


def _changes(view: StudyView) -> dict[str, float]:
    """Return the difference of each arm from the reference, where it is known."""
    rows = view.analysis.arms.to_dict("records")
    known = {str(row["cell_id"]): row["difference"] for row in rows}
    return {cell: float(v) for cell, v in known.items() if v is not None and math.isfinite(v)}


def _worst(view: StudyView, arms: Sequence[Arm]) -> Arm:
    """Return the arm with the worst mean."""
    return _ordered(view, [arm for arm in arms if not arm.reference] or arms)[-1]


def _first_page_arms(view: StudyView) -> tuple[Arm, ...]:
    """Return the reference, the arm of the headline, and the worst or the best arm."""
    able = _pictured(view)
    known = findings(view)
    alone = view.alone(known[0].name)[-1:] if known else ()
    others = [arm for arm in _ordered(view, able) if not arm.reference]
    wanted = [*(a for a in able if a.reference), *alone, *others[-1:], *others[:1]]
    unique = list(dict.fromkeys(arm.cell_id for arm in wanted if arm in able))[:3]
    return tuple(_ordered(view, [view.arm_of[cell] for cell in unique]))


def _shown(view: StudyView, arms: Sequence[Arm]) -> Shown | None:
    """Return the pictures of some arms, of one seed where all have it; None without pictures."""
    figures = shots(view.table.images)
    reach: dict[str, int] = {}
    for trial, step in figures:
        reach[trial] = max(reach.get(trial, -1), step)
    able = [arm for arm in arms if any(trial in reach for trial in arm.trials)]
    if not able:
        return None

    rows = view.table.trials
    seed_of = dict(zip(rows["trial_id"].astype(str), rows["seed"].astype(int), strict=True))
    last = max(reach[trial] for arm in able for trial in arm.trials if trial in reach)
    by_seed = [
        {seed_of[t]: t for t in arm.trials if reach.get(t, -1) == last and t in seed_of}
        for arm in able
    ]
    common = set.intersection(*(set(one) for one in by_seed))
    trials = {
        arm.cell_id: one[min(common)]
        if common
        else max(arm.trials, key=lambda trial: reach.get(trial, -1))
        for arm, one in zip(able, by_seed, strict=True)
    }
    saved = tuple(sorted({step for trial, step in figures if trial in trials.values()}))
    steps = spread(saved, [step for step, _ in key_steps(view, saved)], MOST_STEPS)
    seeds = tuple(sorted({seed_of[t] for t in trials.values() if t in seed_of}))
    shown = Shown(tuple(able), trials, figures, steps, seeds)
    return shown if any(shown.last(arm) for arm in able) else None


def pairs_of(shown: Shown) -> Roles:
    """Return the pairs to show: median, largest difference between arms, worst, and best.

    Median, worst, and best go by the error of the reference at the last step: that of the mixed
    image if the exact one is known, else that of the rebuilt image.
    """
    base = shown.last(shown.base)
    made = ("mixed", "truth") if shown.true else ("full_recon", "real")
    if not all(name in base for name in (*made, "mixed")):
        return ()
    sizes = {
        case: error(base[made[0]][case.own], base[made[1]][case.own]) for case in cases_of(shown)
    }
    if not sizes:
        return ()
    ordered = sorted(sizes, key=lambda case: sizes[case])
    roles: dict[Case, list[str]] = {}
    roles.setdefault(ordered[len(ordered) // 2], []).append("median pair")
    if len(shown.arms) > 1 and shown.shared:
        apart = max(ordered, key=lambda case: _apart(shown, case))
        roles.setdefault(apart, []).append("largest difference between arms")
    roles.setdefault(ordered[-1], []).append("worst pair")
    roles.setdefault(ordered[0], []).append("best pair")
    return tuple((", ".join(words).capitalize(), case) for case, words in roles.items())


def cases_of(shown: Shown) -> tuple[Case, ...]:
    """Return all mixed images of the figure of the reference."""
    trial = shown.trials[shown.base.cell_id]
    known = [shot for step in shown.steps if (shot := shown.figures.get((trial, step)))]
    return cases(known[-1]) if known else ()


def _apart(shown: Shown, case: Case) -> float:
    """Return how much the mixed images of the arms differ, in error or from the reference's."""
    base = shown.last(shown.base)
    rows = [rows for arm in shown.arms if "mixed" in (rows := shown.last(arm))]
    if shown.true:
        errors = [error(one["mixed"][case.own], base["truth"][case.own]) for one in rows]
        return max(errors) - min(errors)
    return max(error(one["mixed"][case.own], base["mixed"][case.own]) for one in rows)


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


# -- grids -----------------------------------------------------------------------------------------


def _grid(
    view: StudyView, shown: Shown, name: str, case: Case, role: str, small: bool = False
) -> ImageGrid:
    """Return one case in all arms: rows mixed, error map, rebuilt; columns given, truth, arms."""
    base = shown.last(shown.base)
    given = shown.shared
    heads: list[Rich] = []
    titles: list[str] = []
    columns: list[list[Tiles | Rich | None]] = []
    if given:
        heads.append(rich(strong("Given")))
        titles.append("")
        given_alt = "the image that gives the"
        content = _still(base["real"][case.partner], f"{given_alt} content", "gives content")
        cls = _still(base["real"][case.own], f"{given_alt} class", "gives class")
        given_tiles: list[Tiles | Rich | None] = [content, cls, *[None] * len(shown.rows)]
        columns.append(given_tiles[: len(shown.rows)])
    if given and shown.true:
        heads.append(rich(strong("Truth")))
        titles.append("")
        scale = rich(f"light: 0%; black: {100 * FULL_ERROR:.0f}% or more")
        truths: dict[str, Tiles | Rich] = {
            "Mixed": _still(base["truth"][case.own], "the exact mixed image", "exact"),
            "Error map": scale,
            "Rebuilt": _still(base["real"][case.own], "the image to rebuild", ""),
        }
        columns.append([truths.get(row) for row in shown.rows])
    for arm in shown.arms:
        heads.append(_head(view, arm))
        titles.append(arm.label)
        columns.append(_column(view, shown, arm, case))

    rows = shown.rows
    cells = tuple(tuple(column[row] for column in columns) for row in range(len(rows)))
    which = f"seed {shown.seeds[0]}" if len(shown.seeds) == 1 else "seeds differ between arms"
    by = "mixed" if shown.true else "rebuilt"
    caption = rich(
        f"{role} (of {len(cases_of(shown))}), by the error of the {by} image in the reference at "
        f"the last step; {which}. ",
        "Number: error of this image. " if shown.true else "",
        "Percent: change of the arm's mean.",
    )
    side = base["real"].shape[1] if "real" in base else shown.last(shown.arms[0])["mixed"].shape[1]
    return ImageGrid(
        name,
        caption,
        tuple(heads),
        tuple(titles),
        rows,
        cells,
        shown.steps,
        min(side, 96),
        side <= LOSSLESS_TILE,
        small,
    )


def _head(view: StudyView, arm: Arm) -> Rich:
    """Return the heading of an arm: its code, and the change of its mean in percent."""
    rows = {str(row["cell_id"]): row for row in view.analysis.arms.to_dict("records")}
    if arm.reference:
        return rich(strong(arm.code), " ", muted("reference"))
    change = _changes(view).get(arm.cell_id)
    base = rows.get(view.reference.cell_id) if view.reference is not None else None
    mean = float(base["mean"]) if base is not None else math.nan
    if change is None:
        return rich(strong(arm.code))
    if view.log:
        return rich(strong(arm.code), " ", muted(view.effects.signed(change)))
    if not math.isfinite(mean) or mean == 0:
        return rich(strong(arm.code), " ", muted(view.effects.signed(change)))
    return rich(strong(arm.code), " ", muted(signed_percent(100 * change / abs(mean))))


def _column(view: StudyView, shown: Shown, arm: Arm, case: Case) -> list[Tiles | Rich | None]:
    """Return the tiles of one arm, from top to bottom."""
    trial = shown.trials[arm.cell_id]
    event = view.events.get(trial)
    mixed: list[Tile] = []
    maps: list[Tile] = []
    rebuilt: list[Tile] = []
    masks: list[Tile] = []
    under: list[str] = []
    empty = _empty(shown.last(arm))
    for step in shown.steps:
        rows = shown.of(arm, step)
        state = event.kind if event is not None and step >= event.step else ""
        if "mixed" not in rows:
            mixed.append(empty)
            maps.append(empty)
            rebuilt.append(empty)
            masks.append(empty)
            under.append(state or "no image")
            continue
        tile = rows["mixed"][case.own]
        mixed.append(tile)
        rebuilt.append(rows["full_recon"][case.own] if "full_recon" in rows else empty)
        masks.append(rows["mask"][case.own] if "mask" in rows else empty)
        if shown.true and "truth" in rows:
            maps.append(error_map(tile, rows["truth"][case.own]))
            under.append(f"{error(tile, rows['truth'][case.own]):.3f}")
        else:
            maps.append(empty)
            under.append("")
    made = {
        "Mixed": _moving(mixed, f"{arm.label}: mixed image", tuple(under)),
        "Error map": _moving(maps, f"{arm.label}: error map"),
        "Rebuilt": _moving(rebuilt, f"{arm.label}: rebuilt image"),
        "Mask": _moving(masks, f"{arm.label}: mask"),
    }
    return [made[row] for row in shown.rows]


def _over_time(view: StudyView, shown: Shown, arm: Arm, case: Case) -> ImageGrid:
    """Return one case in one arm at each step."""
    column = [_column(view, replace(shown, steps=(step,)), arm, case) for step in shown.steps]
    rows = shown.rows
    side = shown.last(arm)["mixed"].shape[1]
    return ImageGrid(
        "over-training",
        rich("The median pair in the arm with the worst mean at each step that has pictures."),
        tuple(rich(strong(f"Step {step}")) for step in shown.steps),
        tuple(arm.label for _ in shown.steps),
        rows,
        tuple(tuple(one[row] for one in column) for row in range(len(rows))),
        (shown.steps[-1],),
        min(side, 96),
        side <= LOSSLESS_TILE,
    )


def _empty(rows: Mapping[str, NDArray[np.uint8]]) -> Tile:
    """Return the tile of an image that does not exist."""
    shape = rows["mixed"].shape[1:] if "mixed" in rows else (32, 32, 3)
    return np.full(shape, MISSING, np.uint8)


def _still(tile: Tile, alt: str, under: str) -> Tiles:
    """Return a tile that is the same at all steps."""
    one = picture([tile], alt)
    return Tiles(one, one, 1, (under,) if under else ())


def _moving(parts: Sequence[Tile], alt: str, under: tuple[str, ...] = ()) -> Tiles:
    """Return a tile for each step."""
    lines = under if any(under) else ()
    last = f"; {lines[-1]}" if lines and lines[-1] else ""
    return Tiles(
        picture(parts, f"{alt}{last}"), picture(parts[-1:], f"{alt}{last}"), len(parts), lines
    )
