"""Would another method, one seed less, or the missing trials have said something else?"""

from collections.abc import Mapping
from typing import Any

from reports.document import Cell, Column, Section, Table, Text, code, rich
from reports.estimates import interval_cell, number, p_cell
from reports.numbers import NOTHING, count, signed
from reports.robustness import FEWEST_FOR_LEAVING_OUT
from reports.stats.signflip import smallest_p
from reports.view import StudyView

NOTE = (
    "Effect in sd: relative to the spread of the reference over seeds. Exact p: sign-flip test, which assumes nothing "
    "but symmetry; with {seeds} it cannot fall below {least} before correction. Bootstrap: BCa interval of the mean, "
    "from four seeds on; for few seeds it is too short, so the verdict rests on the t interval. Hangs on seeds: those "
    "without which the verdict would be another one. Seeds to decide: to find the smallest effect that matters in 8 of "
    "10 studies, at the spread seen here and Holm's strictest."
)
MISSING = " With the missing trials: bounds of the effect if each had any outcome that the study saw."


def robustness(view: StudyView) -> Section | None:
    """The verdicts beside an exact test, a bootstrap, and what hangs on a seed; None without pairs of seeds."""
    records = view.analysis.checks.to_dict("records")
    if len(view.seeds) < 2 or not any(number(row["p_sign_flip"]) is not None for row in records):
        return None
    columns = [
        Column("factor", "Factor", "text", 1.6),
        Column("verdict", "Verdict", "badge", 1.1),
        Column("effect_in_sds", "Effect in sd", "number", 0.8),
        Column("p_sign_flip_adjusted", "Exact p (Holm)", "number", 0.9),
        Column("boot", "Bootstrap interval", "number", 1.3),
        Column("hangs_on_seeds", "Hangs on seeds", "text", 1.0),
        Column("seeds_needed", "Seeds to decide", "number", 0.8),
    ]
    missing = any(int(row["n_missing"]) for row in records)
    if missing:
        columns.append(Column("worst", "With the missing trials", "number", 1.4))
    rows = []
    for row in records:
        cells = [*_cells(view, row)]
        if missing:
            cells.append(interval_cell(number(row["worst_low"]), number(row["worst_high"]), view.effects))
        rows.append(tuple(cells))
    note = NOTE.format(seeds=count(len(view.seeds), "seed"), least=f"{smallest_p(len(view.seeds)):.2g}")
    if missing:
        note += MISSING
    table = Table("robustness", "The verdicts, asked otherwise", tuple(columns), tuple(rows), rich(note), look="plain")
    words = Text(rich(_sentence(records, len(view.seeds))))
    return Section("robustness", "Does the verdict hang on the method?", "Robustness", (words, table))


def _cells(view: StudyView, row: Mapping[Any, Any]) -> tuple[Cell, ...]:
    sds, seeds = number(row["effect_in_sds"]), number(row["seeds_needed"])
    return (
        Cell(rich(code(str(row["factor"]))), value=str(row["factor"])),
        Cell(badge=str(row["verdict"]), value=str(row["verdict"])),
        Cell(rich(signed(sds, 1)), value=sds),
        p_cell(number(row["p_sign_flip_adjusted"])),
        interval_cell(number(row["boot_low"]), number(row["boot_high"]), view.effects),
        Cell(rich(str(row["hangs_on_seeds"]) or NOTHING), value=str(row["hangs_on_seeds"])),
        Cell(rich(NOTHING if seeds is None else f"{seeds:.0f}"), value=seeds),
    )


def _sentence(records: list[dict[Any, Any]], seeds: int) -> str:
    """How many verdicts hang on a single seed."""
    if seeds < FEWEST_FOR_LEAVING_OUT:
        return f"{count(seeds, 'seed')}: too few to leave one out."
    hanging = [row for row in records if row["hangs_on_seeds"]]
    if not hanging:
        return "No verdict would change without any single seed."
    return f"{len(hanging)} of {count(len(records), 'verdict')} would be another one without some single seed."
