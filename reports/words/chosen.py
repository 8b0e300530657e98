"""Which arms stand for a study where not all can be shown, in words that are true of them."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from reports.page.blocks import Rich, Span, code, joined, rich
from reports.view.study import Arm, StudyView


class Choice(NamedTuple):
    """The arms to show, in the plan's order, and how they were chosen; no words for all arms."""

    arms: tuple[Arm, ...]
    words: Rich


def chosen(view: StudyView, able: Sequence[Arm], most: int) -> Choice:
    """Choose arms to show.

    A fraction has no arms that show a factor alone, so the reference stands beside the arms with
    the lowest, the median, and the highest outcome. Other designs show the reference, the arms
    that differ from it in one factor, and those whose outcome differs most from its.

    Args:
        view: the study.
        able: the arms that there is something of to show.
        most: how many arms are shown at most, at least four.
    """
    if len(able) <= most:
        shown = tuple(able)
        told = rich("those with pictures") if len(shown) < len(view.arms) else ()
    elif view.analysis.cells.design.fraction and len(_means(view, able)) > 2:
        shown, told = _extremes(view, able)
    else:
        shown, told = _changes(view, able, most)
    many = f"Shown: {len(shown)} of {len(view.arms)} arms: "
    return Choice(shown, rich(many, told, ".") if told else ())


def _means(view: StudyView, able: Sequence[Arm]) -> list[tuple[float, Arm]]:
    """Arms with their mean outcome, the lowest first."""
    means = {str(row["cell_id"]): row["mean"] for row in view.analysis.arms.to_dict("records")}
    known = [(float(means[arm.cell_id]), arm) for arm in able if pd.notna(means.get(arm.cell_id))]
    return sorted(known, key=lambda entry: entry[0])


def _extremes(view: StudyView, able: Sequence[Arm]) -> tuple[tuple[Arm, ...], Rich]:
    """The reference, and the arms with the lowest, the median, and the highest mean."""
    means = _means(view, able)
    places = ((0, "lowest mean"), ((len(means) - 1) // 2, "median mean"), (-1, "highest mean"))
    roles: dict[str, list[str]] = {arm.cell_id: ["reference"] for arm in able if arm.reference}
    for place, role in places:
        roles.setdefault(means[place][1].cell_id, []).append(role)
    shown = tuple(arm for arm in able if arm.cell_id in roles)
    names = [rich(code(arm.label), f" ({', '.join(roles[arm.cell_id])})") for arm in shown]
    return shown, joined(names)


def _changes(view: StudyView, able: Sequence[Arm], most: int) -> tuple[tuple[Arm, ...], Rich]:
    """The reference, arms that differ from it in one factor, and those that differ most from it."""
    size = _differences(view)
    ranked = sorted(able, key=lambda arm: -size[arm.cell_id])
    base = [arm for arm in ranked if arm.reference]
    single = [arm for arm in ranked if not arm.reference and len(_changed(view, arm)) == 1]

    # One place is kept for the arm that differs most, which may combine several factors.
    kept = [*base, *single][: most - 1]
    rest = [arm for arm in ranked if arm not in kept][: most - len(kept)]
    shown = tuple(arm for arm in able if arm in (*kept, *rest))

    there = [arm for arm in shown if arm in single]
    parts: list[str | Span | Rich] = ["the reference"] if base else []
    if there:
        parts.append(_single_words(view, there, single))
    others = len(shown) - len(base) - len(there)
    if others and base:
        parts.append(f"{others} of the others whose mean differs most from the reference's")
    elif others:
        parts.append(f"{others} others")
    return shown, joined(parts)


def _single_words(view: StudyView, there: Sequence[Arm], single: Sequence[Arm]) -> str:
    """Arms that change one factor: each factor alone only where all of these arms are shown."""
    reference = view.reference
    firsts = {factor: view.first(factor) for factor in view.factors}
    whole = {factor for arm in there for factor in _changed(view, arm)} == set(firsts)
    start = reference.levels if reference else {}
    alone = all(start.get(factor, first) == first for factor, first in firsts.items())
    if whole and len(there) == len(single):
        return "each factor alone" if alone else "each factor changed alone"
    noun = "arm that differs" if len(there) == 1 else "arms that differ"
    start_words = "reference" if reference else "first levels"
    return f"{len(there)} {noun} from the {start_words} in one factor"


def _changed(view: StudyView, arm: Arm) -> list[str]:
    """The factors at another level than the reference's, or without one than the first."""
    start = view.reference.levels if view.reference is not None else {}
    firsts = {factor: start.get(factor, view.first(factor)) for factor in view.factors}
    return [f for f, first in firsts.items() if arm.levels.get(f, view.first(f)) != first]


def _differences(view: StudyView) -> dict[str, float]:
    """Cell -> size of the difference to the reference; 0 where it is not known."""
    rows = view.analysis.arms.to_dict("records")
    sizes = {str(row["cell_id"]): abs(row["difference"]) for row in rows}
    found = {arm.cell_id: sizes.get(arm.cell_id, 0.0) for arm in view.arms}
    return {cell: 0.0 if pd.isna(size) else float(size) for cell, size in found.items()}
