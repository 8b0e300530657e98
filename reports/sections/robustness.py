"""Would another method, one seed less, or the missing trials change the verdicts?"""

from collections.abc import Mapping
from typing import Any

from reports.analysis.robustness import FEWEST_FOR_LEAVING_OUT
from reports.page.blocks import Block, Cell, Column, Table, Text, code, joined, plain, rich
from reports.page.numbers import NOTHING, count, signed
from reports.stats.signflip import smallest_p
from reports.view.study import StudyView
from reports.words.estimates import interval_cell, number, p_cell
from reports.words.facts import seeds_with_results
from reports.words.units import unit, units

NOTE = (
    "Effect in sd: relative to the spread of the reference over {unit}s. Exact p: sign-flip test, "
    "which assumes nothing but symmetry; with {units} it cannot fall below {least} before "
    "correction. Bootstrap: BCa interval of the mean, from four {unit}s on; for few {unit}s it is "
    "too short, so the verdict rests on the t interval. Depends on {unit}s: the {unit}s without "
    "which the verdict would change. {Unit}s needed: to find the smallest effect that matters in 8 "
    "of 10 studies, planned with an upper limit of the spread; in brackets with the spread seen, "
    "and with its 90% limit. Firm: no single {unit} and no other test changes the verdict; fair: "
    "another test would; fragile: a {unit} would."
)
"""The note below the table, with the unit of intervals and the smallest exact p to fill in."""
MISSING = (
    " With missing trials: bounds of the effect, whatever they would have been; open where trials "
    "diverged."
)
"""The end of the note in studies with missing trials."""


def robustness(view: StudyView) -> tuple[Block, ...]:
    """Show how firm the verdicts are: exact test, bootstrap, and the seeds they depend on.

    Returns:
        A sentence and a table; nothing if no two seeds can be compared.
    """
    records = view.analysis.checks.to_dict("records")
    if len(view.seeds) < 2 or not any(number(row["p_sign_flip"]) is not None for row in records):
        return ()

    columns = [
        Column("factor", "Factor", "text", 1.6),
        Column("verdict", "Verdict", "badge", 1.1),
        Column("effect_in_sds", "Effect in sd", "number", 0.8),
        Column("p_sign_flip_adjusted", "Exact p (Holm)", "number", 0.9),
        Column("boot", "Bootstrap interval", "number", 1.3),
        Column("hangs_on_seeds", f"Depends on {unit(view)}s", "text", 1.0),
        Column("seeds_needed", f"{unit(view).capitalize()}s needed", "number", 0.8),
    ]
    columns.append(Column("robust", "Robust", "text", 0.7))
    missing = any(int(row["n_missing"]) for row in records)
    if missing:
        columns.append(Column("worst", "Bounds with missing trials", "number", 1.4))

    rows = []
    for row in records:
        cells = [*_cells(view, row)]
        if missing:
            cells.append(
                interval_cell(number(row["worst_low"]), number(row["worst_high"]), view.effects)
            )
        rows.append(tuple(cells))

    n = seeds_with_results(view)
    one, least = unit(view), f"{smallest_p(n):.2g}"
    note = NOTE.format(unit=one, Unit=one.capitalize(), units=units(view, n), least=least)
    if missing:
        note += MISSING

    table = Table(
        "robustness",
        "Robustness of the verdicts",
        tuple(columns),
        tuple(rows),
        rich(note),
        look="plain",
    )

    pairs = dict(
        zip(view.analysis.verdicts["factor"], view.analysis.verdicts["n_pairs"], strict=True)
    )
    return (Text(rich(_sentence(records, pairs, one))), table)


def _cells(view: StudyView, row: Mapping[Any, Any]) -> tuple[Cell, ...]:
    """Return the cells of a row."""
    sds, seeds = number(row["effect_in_sds"]), number(row["seeds_needed"])
    return (
        Cell(rich(code(str(row["factor"]))), value=str(row["factor"])),
        Cell(badge=str(row["verdict"]), value=str(row["verdict"])),
        Cell(rich(signed(sds, 1)), value=sds),
        p_cell(number(row["p_sign_flip_adjusted"])),
        interval_cell(number(row["boot_low"]), number(row["boot_high"]), view.effects),
        Cell(rich(str(row["hangs_on_seeds"]) or NOTHING), value=str(row["hangs_on_seeds"])),
        Cell(rich(_seeds_words(row)), value=seeds),
        Cell(rich(str(row["robust"]) or NOTHING)),
    )


def _seeds_words(row: Mapping[Any, Any]) -> str:
    """Return the number of seeds needed, with its limits: `19 (12 to 49)`."""
    wanted, low, high = (number(row[key]) for key in ("seeds_needed", "seeds_low", "seeds_high"))
    if wanted is None:
        return NOTHING
    return (
        f"{wanted:.0f} ({NOTHING if low is None else f'{low:.0f}'} "
        f"to {'> 1,000' if high is None else f'{high:.0f}'})"
    )


def _sentence(records: list[dict[Any, Any]], pairs: dict[str, int], one: str) -> str:
    """Return whether verdicts depend on a single seed, or network.

    Verdicts with too few of them to leave one out are named separately.

    Args:
        records: the rows of `checks`.
        pairs: factor or level -> number of seeds, or networks, with both sides.
        one: `seed` or `network`.
    """
    few = [str(row["factor"]) for row in records if pairs[row["factor"]] < FEWEST_FOR_LEAVING_OUT]
    tested = [
        row for row in records if row["verdict"] != "not enough data" and row["factor"] not in few
    ]

    parts = []
    if tested:
        parts.append(_fragile_words(tested, one))
    elif not few:
        parts.append(f"No verdict was reached that leaving out a {one} could change.")

    if few:
        names = plain(joined(few))
        parts.append(
            f"Fewer than {FEWEST_FOR_LEAVING_OUT} {one}s have both sides of {names}: none is left "
            "out there."
        )
    return " ".join(parts)


def _fragile_words(records: list[dict[Any, Any]], one: str) -> str:
    """Return how many of these verdicts a single seed, or network, decides."""
    fragile = [row for row in records if row["hangs_on_seeds"]]
    if fragile:
        return (
            f"{len(fragile)} of {count(len(records), 'verdict')} would change without some single "
            f"{one}."
        )
    which = "the verdict" if len(records) == 1 else f"each of the {len(records)} verdicts"
    return f"Without any one {one} {which} stays."
