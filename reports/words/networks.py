"""How much of a variance comes from networks, and the cheapest next replicate, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.page.blocks import Rich, code, rich, spaced
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.words.estimates import number
from reports.words.units import units


def shares_words(view: StudyView) -> Rich:
    """Return how much of the variance of each effect comes from networks; empty if unknown.

    The variance is that of the difference between arms in one seed, which is what intervals are
    made of.
    """
    rows = view.analysis.variance.to_dict("records")
    if not rows:
        return ()

    known = [row for row in rows if not row["vague"]]
    sentences = [
        rich(
            "Of the variance of the effect of ",
            code(str(row["factor"])),
            f" between seeds, {_percent(row['share'])} comes from their networks{_interval(row)}.",
        )
        for row in known
    ]
    if len(known) < len(rows):
        rest = "" if known else f" of the {'effect' if len(rows) == 1 else 'effects'}"
        of = " for the other effects" if known else ""
        sentences.append(
            rich(
                f"{units(view)} are too few to say how much of the variance{rest} comes from "
                f"networks{of}."
            )
        )
    return spaced(sentences)


def next_replicate(view: StudyView, names: Sequence[str]) -> Rich:
    """Return the cheapest way to narrow the widest interval of these changes; empty if unknown.

    Example: `The cheapest next replicate is another network with 3 seeds: 5,500 training steps
    would narrow the interval of a from ±0.020 to about ±0.016.`

    Args:
        view: the study.
        names: factors or levels.
    """
    rows = [
        row
        for row in view.analysis.variance.to_dict("records")
        if row["factor"] in names and number(row["half_width"]) is not None
    ]
    if not rows:
        return ()
    row = max(rows, key=lambda one: float(one["half_width"]))

    def width(name: str) -> str:
        """Return a half-width as readers see effects."""
        return f"±{view.effects.fixed(view.analysis.cells.shown(float(row[name])))}"

    network = row["next"] == "network"
    each = count(round(float(row["seeds_each"])), "seed")
    better, other = (
        (f"another network with {each}", "another seed on each network")
        if network
        else ("another seed on each network", f"another network with {each}")
    )
    return rich(
        f"The cheapest next replicate is {better}: {float(row['next_steps']):,.0f} training steps "
        "would narrow the interval of ",
        code(str(row["factor"])),
        f" from {width('half_width')} to about {width('next_half_width')}. {other.capitalize()} "
        f"would take {float(row['other_steps']):,.0f} steps and give about "
        f"{width('other_half_width')}.{_best(row)}",
    )


def _best(row: Mapping[Any, Any]) -> str:
    """Return how many seeds per network a new study should have."""
    best = int(row["best_seeds_each"])
    if best >= 100:
        return ""
    return f" A new study at these costs would best have {count(best, 'seed')} per network."


def _interval(row: Mapping[Any, Any]) -> str:
    """Return the interval of a share; empty if both ends are shown alike."""
    low, high = _percent(row["share_low"]), _percent(row["share_high"])
    return f" (95% interval {low} to {high})" if low != high else ""


def _percent(share: float) -> str:
    """Return a share in whole percent; `more than 99%` where rounding would make it 100%."""
    if 0.99 < share < 1:
        return "more than 99%"
    return "less than 1%" if 0 < share < 0.01 else f"{100 * share:.0f}%"
