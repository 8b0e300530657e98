"""Which arms represent a study where not all can be shown, in words that are true of them."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from reports.page.blocks import Rich, Span, code, joined, rich
from reports.view.study import Arm, StudyView


class Choice(NamedTuple):
    """The arms to show, in the plan's order, and how they were chosen.

    Attributes:
        arms: the arms.
        words: how they were chosen; empty if these are all arms.
    """

    arms: tuple[Arm, ...]
    words: Rich


def chosen(view: StudyView, able: Sequence[Arm], most: int) -> Choice:
    """Choose arms to show.

    A fraction has no arms that show a factor alone, so the reference is shown together with the
    arms that have the lowest, the median, and the highest outcome. Other designs show the
    reference, the arms that differ from it in one factor, and those whose outcome differs most from
    its outcome.

    Args:
        view: the study.
        able: the arms that have something to show.
        most: how many arms are shown at most, at least four.
    """
    if len(able) <= most:
        shown = tuple(able)
        how = rich("those with pictures") if len(shown) < len(view.arms) else ()
    elif view.analysis.cells.design.fraction and len(_means(view, able)) > 2:
        shown, how = _extremes(view, able)
    else:
        shown, how = _changes(view, able, most)
    many = f"Shown: {len(shown)} of {len(view.arms)} arms: "
    return Choice(shown, rich(many, how, ".") if how else ())


def _means(view: StudyView, able: Sequence[Arm]) -> list[tuple[float, Arm]]:
    """Return the arms that have a mean outcome with this mean, the lowest first."""
    means = {str(row["cell_id"]): row["mean"] for row in view.analysis.arms.to_dict("records")}
    known = [(float(means[arm.cell_id]), arm) for arm in able if pd.notna(means.get(arm.cell_id))]
    return sorted(known, key=lambda entry: entry[0])


def _extremes(view: StudyView, able: Sequence[Arm]) -> tuple[tuple[Arm, ...], Rich]:
    """Return the reference and the arms with the lowest, the median, and the highest mean."""
    means = _means(view, able)
    places = ((0, "lowest mean"), ((len(means) - 1) // 2, "median mean"), (-1, "highest mean"))
    roles: dict[str, list[str]] = {arm.cell_id: ["reference"] for arm in able if arm.reference}
    for place, role in places:
        roles.setdefault(means[place][1].cell_id, []).append(role)

    shown = tuple(arm for arm in able if arm.cell_id in roles)
    names = [rich(code(arm.label), f" ({', '.join(roles[arm.cell_id])})") for arm in shown]
    return shown, joined(names)


def _changes(view: StudyView, able: Sequence[Arm], most: int) -> tuple[tuple[Arm, ...], Rich]:
    """Return the reference, arms that differ from it in one factor, and those that differ most."""
    size = _differences(view)
    ranked = sorted(able, key=lambda arm: -size[arm.cell_id])
    base = [arm for arm in ranked if arm.reference]
    single = [arm for arm in ranked if not arm.reference and len(_changed(view, arm)) == 1]

    # One place is kept for the arm that differs most, which may combine several factors.
    first = [*base, *single][: most - 1]
    rest = [arm for arm in ranked if arm not in first][: most - len(first)]
    shown = tuple(arm for arm in able if arm in (*first, *rest))

    shown_single = [arm for arm in shown if arm in single]
    parts: list[str | Span | Rich] = ["the reference"] if base else []
    if shown_single:
        parts.append(_single_words(view, shown_single, single))

    others = len(shown) - len(base) - len(shown_single)
    if others and base:
        parts.append(f"{others} of the others whose mean differs most from the reference's")
    elif others:
        parts.append(f"{others} others")
    return shown, joined(parts)


def _single_words(view: StudyView, shown: Sequence[Arm], single: Sequence[Arm]) -> str:
    """Return words for the arms that change one factor.

    Only if all such arms are shown are they called each factor alone.

    Args:
        view: the study.
        shown: those of the arms that are shown.
        single: all arms that change one factor.
    """
    reference = view.reference
    firsts = {factor: view.first(factor) for factor in view.factors}
    whole = {factor for arm in shown for factor in _changed(view, arm)} == set(firsts)
    start = reference.levels if reference else {}
    alone = all(start.get(factor, first) == first for factor, first in firsts.items())
    if whole and len(shown) == len(single):
        return "each factor alone" if alone else "each factor changed alone"

    noun = "arm that differs" if len(shown) == 1 else "arms that differ"
    start_words = "reference" if reference else "first levels"
    return f"{len(shown)} {noun} from the {start_words} in one factor"


def _changed(view: StudyView, arm: Arm) -> list[str]:
    """Return the factors whose level differs from that of the reference.

    Without a reference, levels are compared with the first levels.
    """
    start = view.reference.levels if view.reference is not None else {}
    firsts = {factor: start.get(factor, view.first(factor)) for factor in view.factors}
    return [f for f, first in firsts.items() if arm.levels.get(f, view.first(f)) != first]


def _differences(view: StudyView) -> dict[str, float]:
    """Return the size of each cell's difference from the reference; 0 where unknown."""
    rows = view.analysis.arms.to_dict("records")
    sizes = {str(row["cell_id"]): abs(row["difference"]) for row in rows}
    known = {arm.cell_id: sizes.get(arm.cell_id, 0.0) for arm in view.arms}
    return {cell: 0.0 if pd.isna(size) else float(size) for cell, size in known.items()}
