"""Several studies in one document: what can be compared in numbers is, and what can't is said in words."""

from collections.abc import Sequence
from dataclasses import replace

from reports.charts.curves import LEFT, RIGHT, Line, curve_panel
from reports.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Figure,
    Panel,
    Rich,
    Section,
    Series,
    Table,
    Text,
    code,
    plain,
    rich,
    strong,
)
from reports.estimates import bars, estimate, fixed_cell, interval_or_words, number, outcomes, p_of, signed_cell
from reports.sections.answer import verdict_table
from reports.sections.curves import mean_curve
from reports.shared import lengths
from reports.view import StudyView
from reports.words.answer import lead, onset_words, others

STYLES = ("off mean", "on mean", "neutral mean", "off mean dash", "on mean dash", "neutral mean dash")


def differences_of(views: Sequence[StudyView]) -> list[str]:
    """Why the numbers of these studies must not be put side by side; empty when they may."""
    reasons = []
    for what, values in (
        ("outcome", [view.metric for view in views]),
        ("better direction", [view.better for view in views]),
        ("summary of the curve", [str(view.study["outcome"].get("summary", "last")) for view in views]),
        ("length of training", [plain(lengths(view)) for view in views]),
    ):
        if len(set(values)) > 1:
            told = "; ".join(f"{_name(view)}: {value}" for view, value in zip(views, values, strict=True))
            reasons.append(f"Not the same {what} ({told}).")
    pairs = [evaluation_pairs(view) for view in views]
    if any(not known for known in pairs):
        unknown = ", ".join(_name(view) for view, known in zip(views, pairs, strict=True) if not known)
        reasons.append(
            f"The evaluation pairs are not recorded for {unknown}, so it is unknown whether they are the same."
        )
    elif len(set(pairs)) > 1:
        reasons.append(
            "Not the same evaluation pairs (their digests differ), so levels of the outcome can't be compared."
        )
    return reasons


def evaluation_pairs(view: StudyView) -> frozenset[str]:
    """Digests of the evaluation pairs that the trials used."""
    trials = view.table.trials
    column = "digest.eval_pairs"
    return frozenset(str(value) for value in trials[column].dropna()) if column in trials else frozenset()


def compare(views: Sequence[StudyView]) -> Document:
    """The document of several studies; at least two."""
    names = " and ".join(_name(view) for view in views)
    reasons = differences_of(views)
    sections = [_answer(views, reasons), _factors(views, reasons), _curves(views, reasons)]
    sections += [_study(index, view) for index, view in enumerate(views)]
    hashes = ", ".join(str(view.study.get("hash", ""))[:12] for view in views)
    title = f"{len(views)} studies compared: {names}"
    return Document("comparison", title, f"Comparison of {names} · plans {hashes}", tuple(s for s in sections if s))


def _name(view: StudyView) -> str:
    return str(view.study["name"])


def _answer(views: Sequence[StudyView], reasons: list[str]) -> Section:
    blocks: list[Block] = []
    if reasons:
        blocks.append(Text(rich("The numbers of these studies can't be put side by side."), "lead"))
        blocks.append(Bullets(tuple(rich(reason) for reason in reasons)))
        blocks.append(
            Text(rich("Each study keeps its own answer; verdicts may be read beside each other, sizes may not."))
        )
    else:
        blocks.append(
            Text(
                rich(
                    "These studies share outcome, evaluation pairs and length: ",
                    code(views[0].metric),
                    " can be compared.",
                ),
                "lead",
            )
        )
    blocks += [Text(rich(strong(f"{_name(view)}: "), lead(view))) for view in views]
    blocks.append(_table_of_studies(views))
    return Section("answer", "Answer", "Answer", tuple(blocks))


def _table_of_studies(views: Sequence[StudyView]) -> Table:
    rows = []
    for view in views:
        reference = list(outcomes(view, view.reference).values()) if view.reference else []
        mean = sum(reference) / len(reference) if reference else None
        finished = int((view.table.trials["status"] == "finished").sum())
        rows.append(
            (
                Cell(rich(_name(view)), sub=rich(str(view.study.get("question", ""))), value=_name(view)),
                Cell(rich(str(len(view.arms))), value=len(view.arms)),
                Cell(rich(f"{finished} of {len(view.table.trials)}"), value=finished),
                Cell(rich(str(len(view.seeds))), value=len(view.seeds)),
                Cell(lengths(view), value=view.last_step),
                Cell(rich(code(view.metric)), value=view.metric),
                fixed_cell(mean, view.scale),
            )
        )
    columns = (
        Column("study", "Study", "text", 2.6),
        Column("arms", "Arms", "number"),
        Column("finished", "Trials finished", "number"),
        Column("seeds", "Seeds", "number"),
        Column("steps", "Training", "text"),
        Column("metric", "Outcome", "text"),
        Column("reference", "Reference, mean", "number"),
    )
    return Table("studies", "The studies", columns, tuple(rows), look="plain")


def _factors(views: Sequence[StudyView], reasons: list[str]) -> Section | None:
    """Factors that several studies have; on one axis when the numbers may be compared."""
    entries = [(str(row["factor"]), view, row) for view in views for row in view.analysis.verdicts.to_dict("records")]
    names = [name for name, _, _ in entries]
    shared = [entry for entry in sorted(entries, key=lambda e: names.index(e[0])) if names.count(entry[0]) > 1]
    if not shared:
        return None
    estimates = [estimate(view, f"{name}, {_name(view)}", row, "effect") for name, view, row in shared]
    drawn, axis = bars(views[0], "compared", estimates)
    rows = []
    for (name, view, row), bar in zip(shared, drawn, strict=True):
        cells = [
            Cell(rich(code(name)), sub=rich(_name(view)), value=name),
            Cell(badge=str(row["verdict"]), sub=_alone(view, name), value=str(row["verdict"])),
            signed_cell(number(row["effect"]), view.effects),
            interval_or_words(view, row, "effect"),
            p_of(row, "effect"),
        ]
        rows.append(tuple(cells if reasons else [*cells, Cell(drawing=bar)]))
    columns = [
        Column("factor", "Factor, study", "text", 1.6),
        Column("verdict", "Verdict", "badge", 1.6),
        Column("effect", "Effect", "number"),
        Column("interval", " / ".join(dict.fromkeys(view.interval for _, view, _ in shared)), "number"),
        Column("p_adjusted", "p (Holm)", "number"),
    ]
    if not reasons:
        columns.append(Column("bar", "Effect and interval", "drawing", 2.0))
    table = Table(
        "shared-factors", "Factors in several studies", tuple(columns), tuple(rows), axis=None if reasons else axis
    )
    intro = Text(rich("The same factor in several studies: does the verdict carry over?"))
    return Section("factors", "Do the studies agree?", "Factors", (intro, table))


def _alone(view: StudyView, name: str) -> Rich:
    onset = onset_words(view, view.alone(name))
    return rich(f"alone: {onset}" if onset else "")


def _curves(views: Sequence[StudyView], reasons: list[str]) -> Section | None:
    """The references of all studies in one panel, when their numbers may be compared."""
    if reasons or any(view.reference is None for view in views):
        return None
    lines, series = [], []
    for index, view in enumerate(views):
        mean = mean_curve(view, view.reference, view.curves) if view.reference else ()
        if mean:
            lines.append(Line(mean, STYLES[index % len(STYLES)]))
            series.append(Series(_name(view), tuple(s for s, _ in mean), tuple(v for _, v in mean)))
    if not lines:
        return None
    values = [value for line in lines for _, value in line.points]
    room = (max(values) - min(values) or 1.0) * 0.08
    steps = (0.0, float(views[0].last_step))
    span = (min(values) - room, max(values) + room)
    labels = [(line.points[-1][1], s.label) for line, s in zip(lines, series, strict=True)]
    alt = f"{views[0].metric} of the reference arms by step: " + ", ".join(s.label for s in series)
    drawing = curve_panel("references", lines, steps, span, alt, x_label="step", width=560.0, labels=labels)
    panel = Panel((), drawing, tuple(series), (LEFT, RIGHT + 560.0 - 260.0 - 130.0, *steps))
    figure = Figure("references", rich("Mean of the finished seeds of each reference."), (panel,), stepped=True)
    return Section("curves", "Do the references agree?", "References", (figure,))


def _study(index: int, view: StudyView) -> Section:
    """One study's own verdicts."""
    table = verdict_table(view)
    blocks: list[Block] = [Text(lead(view)), *(Text(sentence) for sentence in others(view))]
    if table:
        blocks.append(replace(table, name=f"verdicts-{index + 1}", caption=f"Verdict per factor, {_name(view)}"))
    question = str(view.study.get("question") or _name(view))
    return Section(f"study-{index + 1}", f"{_name(view)}: {question}", _name(view), tuple(blocks))
