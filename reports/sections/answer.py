"""The first page: the question is the title, the answer the first sentence, the numbers right behind it."""

from reports.answer import lead, onset_words, others, status_words
from reports.document import (
    Beside,
    Block,
    Cell,
    Column,
    Rich,
    Section,
    Table,
    Text,
    code,
    rich,
    strong,
)
from reports.estimates import (
    bars,
    estimate,
    fixed_cell,
    interval_or_words,
    number,
    p_of,
    signed_cell,
)
from reports.numbers import duration
from reports.sections.curves import first_page_curve
from reports.sections.images import end_pictures
from reports.shared import lengths
from reports.view import StudyView


def answer(view: StudyView) -> Section:
    """Verdict, effect, interval and onset of each factor, in words and in a table."""
    words: list[Block] = [Text(lead(view), "lead")]
    words += [Text(sentence) for sentence in others(view)]
    words.append(Text(facts(view), "note"))
    curve = first_page_curve(view)
    if curve is not None:
        words.append(curve)
    pictures = end_pictures(view)
    top: tuple[Block, ...] = (Beside(tuple(words), (pictures,), 0.7),) if pictures else tuple(words)
    table = verdict_table(view)
    return Section("answer", "Answer", "Answer", (*top, *((table,) if table else ())))


def facts(view: StudyView) -> Rich:
    """How big the study is, and what it cost."""
    seconds = view.table.trials["seconds"].sum() if "seconds" in view.table.trials else 0.0
    cost = rich(" Training: ", lengths(view), f"; {duration(float(seconds))} in all.") if seconds else ()
    return rich(status_words(view), cost)


def verdict_table(view: StudyView) -> Table | None:
    """One row a factor; None when no factor has a verdict."""
    verdicts = view.analysis.verdicts
    if not len(verdicts):
        return None
    records = verdicts.to_dict("records")
    dots = {name: part["effect"].tolist() for name, part in view.analysis.differences.groupby("factor")}
    estimates = [estimate(view, name := str(row["factor"]), row, "effect", dots.get(name, ())) for row in records]
    drawn, axis = bars(view, "verdict", estimates)
    rows = []
    for row, bar in zip(records, drawn, strict=True):
        name = str(row["factor"])
        onset = onset_words(view, view.alone(name))
        rows.append(
            (
                Cell(rich(code(name)), sub=_says(view, name), value=name),
                Cell(
                    badge=str(row["verdict"]), value=str(row["verdict"]), sub=rich(f"alone: {onset}" if onset else "")
                ),
                signed_cell(number(row["effect"]), view.effects),
                interval_or_words(view, row, "effect"),
                p_of(row, "effect"),
                fixed_cell(number(row["detectable_effect"]), view.effects),
                Cell(drawing=bar),
            )
        )
    return Table(
        "verdicts",
        "Verdict per factor",
        (
            Column("factor", "Factor", "text", 1.5),
            Column("verdict", f"Verdict; alone, {view.fall}", "badge", 1.75),
            Column("effect", f"Effect on {view.metric}", "number", 0.9),
            Column("interval", view.interval, "number", 1.35),
            Column("p_adjusted", "p (Holm)", "number", 0.65),
            Column("detectable_effect", "Could detect", "number", 0.75),
            Column("bar", "Effect and interval; dots: seeds", "drawing", 2.2),
        ),
        tuple(rows),
        rule(view),
        axis,
    )


def _says(view: StudyView, name: str) -> Rich:
    """What a factor is: the description of the loss of that name, else its levels."""
    factor, _ = view.split(name)
    described = view.study.get("losses", {}).get(factor)
    if described:
        return rich(str(described))
    return rich(" / ".join(str(level) for level in view.factors.get(factor, {}).get("levels", ())))


def rule(view: StudyView) -> Rich:
    """How the words of the verdict come about."""
    up = "above" if view.better == "lower" else "below"
    down = "below" if view.better == "lower" else "above"
    margin = view.effects.fixed(view.margin)
    band = f" Grey band: changes too small to matter, ±{margin}." if view.margin else ""
    same = (
        (" whole interval inside the band; ",) if view.margin else (" never said, since the study names no margin; ",)
    )
    return rich(
        f"Effect: change of {view.metric} {view.summary} ({view.better} is better), averaged over "
        f"{view.averaged_over} and paired by seed.{band} ",
        strong("equivalent:"),
        *same,
        strong("harms:"),
        f" otherwise, whole interval {up} 0 and Holm's p below {view.alpha:.4g} (",
        strong("helps:"),
        f" {down} 0); ",
        strong("not enough data:"),
        " neither. “Could detect”: the smallest effect that this design finds in 8 of 10 studies, at Holm's strictest "
        f"level. The rule was fixed in the study file before the runs, plan {str(view.study.get('hash', ''))[:8]}."
        f"{_looked(view)}",
    )


def _looked(view: StudyView) -> str:
    """After how many seeds one looked, and that the level pays for it."""
    if not view.looks:
        return ""
    *before, last = map(str, view.looks)
    there, open_ = len(view.seeds), "not enough data" in set(view.analysis.verdicts["verdict"])
    if there == view.looks[-1]:
        ended = "went on to the last"
    else:
        ended = f"has {there} so far" if open_ else f"stopped after {there}, when all was decided"
    return (
        f" The rule is asked after {', '.join(before)} and {last} seeds; the study {ended}. So that looking again "
        f"makes no more false alarms than looking once, each look tests at {view.alpha:.4g} (Pocock), and intervals "
        "are as wide."
    )
