"""What intervals are taken over, in words: seeds, or networks with several seeds each."""

from reports.page.numbers import count
from reports.view.study import StudyView


def unit(view: StudyView) -> str:
    """Return what intervals are taken over: `network` if there are several seeds on each."""
    return view.analysis.cells.unit


def units(view: StudyView, number: int | None = None) -> str:
    """Return a number of units: `5 seeds`, or `5 networks`.

    Args:
        view: the study.
        number: the number; None counts the units that have trials.
    """
    return count(len(view.analysis.cells.units) if number is None else number, unit(view))


def units_in_full(view: StudyView, number: int | None = None) -> str:
    """Return a number of units with the seeds of each: `5 networks (3 seeds each)`, or `5 seeds`.

    Args:
        view: the study.
        number: the number; None counts the units that have trials.
    """
    return units(view, number) + (f" ({each})" if (each := seeds_each(view)) else "")


def seeds_each(view: StudyView) -> str:
    """Return how many seeds the trials of a network have: `3 seeds each`; empty for other units."""
    networks = view.study.get("networks", ())
    sizes = sorted({len(entry["seeds"]) for entry in networks})
    if not sizes:
        return ""
    if len(sizes) == 1:
        return f"{count(sizes[0], 'seed')} each"
    return f"{sizes[0]} to {sizes[-1]} seeds each"
