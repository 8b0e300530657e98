"""Is it the method, or one network? Effects over networks, and in each network alone."""

from reports.page.blocks import Cell, Column, Section, Table, Text, code, rich, spaced
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.words.estimates import interval_cell, number, signed_cell
from reports.words.networks import next_replicate, shares_words
from reports.words.units import units_in_full


def networks(view: StudyView) -> Section | None:
    """Show each effect over networks and in each network; None without several networks."""
    frame = view.analysis.networks
    if frame.empty:
        return None

    rows = []
    for method in view.analysis.verdicts.to_dict("records"):
        factor = str(method["factor"])
        about = f"the method, over {units_in_full(view, int(method['n_pairs']))}"
        for row, words in [
            (method, about),
            *(
                (own, f"network {own['network']} alone, over {count(int(own['n_seeds']), 'seed')}")
                for own in frame[frame["factor"] == factor].to_dict("records")
            ),
        ]:
            ends = number(row["low"]), number(row["high"])
            rows.append(
                (
                    Cell(rich(code(factor)), value=factor),
                    Cell(rich(words), value=words),
                    signed_cell(number(row["effect"]), view.effects, row is method),
                    interval_cell(*ends, view.effects),
                )
            )

    table = Table(
        "networks",
        "Effects over networks, and in each network",
        (
            Column("factor", "Factor", "text", 1.5),
            Column("about", "Is about", "text", 2.5),
            Column("effect", f"Effect on {view.metric}", "number", 1.0),
            Column("interval", view.interval, "number", 1.5),
        ),
        tuple(rows),
        rich(
            "An interval over networks says what another network would show. An interval of one "
            "network says what other seeds of that network would show; it is described, not tested."
        ),
        look="plain" if len(rows) > 16 else "cards",
    )
    changes = [str(name) for name in view.analysis.verdicts["factor"]]
    said = [one for one in (shares_words(view), next_replicate(view, changes)) if one]
    blocks = (Text(spaced(said)), table) if said else (table,)
    return Section("networks", "Is it the method, or one network?", "Networks", blocks)
