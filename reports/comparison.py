"""One document for several studies: their differences, their agreement, and their answers."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from reports.analysis.studies import parts_of
from reports.charts.curves import LEFT, RIGHT, Line, curve_panel
from reports.charts.intervals import Estimate, forest
from reports.claims.agreement import Agreement, Mean, Reason, StudyEffect, agreements
from reports.page.blocks import (
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
    joined,
    plain,
    rich,
    strong,
)
from reports.page.numbers import NOTHING, Scale, count, interval, p_value, p_words, signed
from reports.render.csv_files import csv_text
from reports.sections.curves import mean_curve
from reports.sections.verdict_table import verdict_table
from reports.view.differences import Compared, Difference, differences, forbidden, named
from reports.view.shared import lengths
from reports.view.study import StudyView
from reports.words.answer import lead, others
from reports.words.estimates import fixed_cell, outcomes
from reports.words.onset import onset_words

STYLES = (
    "off mean",
    "on mean",
    "neutral mean",
    "off mean dash",
    "on mean dash",
    "neutral mean dash",
)

THESE = "mean of these studies"
OVER = "studies like these"
"""Names of the two means over studies, in tables, drawings, and files."""

AGREEMENT = (
    *(
        "change",
        "level",
        "against",
        "of",
        "study",
        "verdict",
        "margin",
        "effect",
        "low",
        "high",
        "n",
    ),
    *("statistic", "df1", "df2", "p", "p_adjusted", "words_not_compared", "sizes_not_compared"),
)
"""Columns of agreement.csv; `of` is `study` or the name of a mean, `n` counts seeds or studies."""


def compare(views: Sequence[StudyView]) -> Document:
    """Return the document that compares studies.

    Args:
        views: at least two studies, in the order of the document.
    """
    studies = named(views)
    names = " and ".join(one.name for one in studies)
    differing, agreed = differences(studies), agreement_of(studies)
    sections = [
        _answer(studies, differing),
        _factors(studies, agreed),
        _curves(studies, differing),
        *(_study(index, one) for index, one in enumerate(studies)),
    ]

    hashes = ", ".join(str(view.study.get("hash", ""))[:12] for view in views)
    title = f"{len(views)} studies compared: {names}"
    return Document(
        "comparison",
        title,
        f"Comparison of {names} · plans {hashes}",
        tuple(s for s in sections if s),
    )


def agreement_of(studies: Sequence[Compared]) -> tuple[Agreement, ...]:
    """Return what the studies say about every change that two or more of them share."""
    return agreements(
        part
        for one in studies
        for part in parts_of(
            one.name,
            one.view.analysis.cells,
            one.view.analysis.judgement,
            one.length,
        )
    )


# -- the answer ------------------------------------------------------------------------------------


def _answer(studies: Sequence[Compared], differing: Sequence[Difference]) -> Section:
    """Return the section with the differences of the studies, then each study's answer.

    The differences come before any number, because they decide which numbers can be compared.
    """
    blocks: list[Block] = [Text(_comparable(studies, differing), "lead")]
    if differing:
        blocks.append(Bullets(tuple(difference.text for difference in differing)))
    blocks += [Text(rich(strong(f"{one.name}: "), lead(one.view))) for one in studies]
    blocks.append(_table_of_studies(studies))
    return Section("answer", "Answer", "Answer", tuple(blocks))


def _comparable(studies: Sequence[Compared], differing: Sequence[Difference]) -> Rich:
    """Say what can be compared: effects and verdicts, only effects, or neither."""
    metric = code(studies[0].view.metric)
    if forbidden(differing, "sizes"):
        return rich(
            "The effects of these studies can't be compared. Each study keeps its own answer."
        )
    if forbidden(differing, "words"):
        return rich("The effects on ", metric, " can be compared; the words of the verdicts can't.")
    start = rich("The effects on ", metric, " and the verdicts can be compared")
    if not differing:
        return rich(
            start, ": the reports know of no difference between these studies that matters for it."
        )
    return rich(start, ", with these differences in mind.")


def _table_of_studies(studies: Sequence[Compared]) -> Table:
    """Return the table with one row per study: its size, outcome, margin, and reference."""
    rows = []
    for one in studies:
        view = one.view
        reference = list(outcomes(view, view.reference).values()) if view.reference else []
        mean = sum(reference) / len(reference) if reference else None
        finished = int((view.table.trials["status"] == "finished").sum())
        margin = NOTHING if view.margin is None else f"{view.margin:g}"
        rows.append(
            (
                Cell(rich(one.name), sub=rich(str(view.study.get("question", ""))), value=one.name),
                Cell(rich(str(len(view.arms))), value=len(view.arms)),
                Cell(rich(f"{finished} of {len(view.table.trials)}"), value=finished),
                Cell(rich(str(len(view.seeds))), value=len(view.seeds)),
                Cell(lengths(view), value=view.last_step),
                Cell(rich(code(view.metric)), value=view.metric),
                Cell(rich(margin), value=view.margin),
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
        Column("margin", "Margin", "number"),
        Column("reference", "Reference, mean", "number"),
    )
    return Table("studies", "The studies", columns, tuple(rows), look="plain")


# -- do they agree ---------------------------------------------------------------------------------


def _factors(studies: Sequence[Compared], agreed: Sequence[Agreement]) -> Section:
    """Return the section on the shared changes: sentences, the numbers, and forest plots."""
    title = "Do the studies agree?"
    if not agreed:
        text = rich(
            "These studies share no change that both can judge, so nothing says whether they agree."
        )
        return Section("factors", title, "Agreement", (Text(text),))

    blocks: list[Block] = [Text(sentence) for one in agreed for sentence in sentences(one)]
    tested = [one for one in agreed if one.mean is not None]
    blocks.append(_table(studies, agreed))
    if tested:
        blocks += [Text(_how(studies, tested), "note"), _forests(studies, tested)]
    return Section("factors", title, "Agreement", tuple(blocks))


def sentences(agreement: Agreement) -> list[Rich]:
    """Return what can be said about one change: whether the studies differ, and their mean.

    The words of the verdicts are mentioned only to say that they can't be compared.
    """
    name, show = code(agreement.change.name), _Shown(agreement)
    sizes = agreement.forbidden("sizes")
    if sizes or agreement.test is None or agreement.mean is None:
        reasons = [
            rich(name, ": the effects aren't compared. ", joined(map(_reason, sizes), " ", " "))
        ]
        return [*reasons, *_words(agreement)]

    effects = joined(
        rich(show.effect(study, named=not place), " in ", code(study.study))
        for place, study in enumerate(agreement.studies)
    )
    test = p_words(agreement.test.p_adjusted)
    mean = f"The mean of these studies is {show.mean(agreement.mean)}"
    if agreement.differ:
        first = rich("The studies disagree on ", name, ": its effect is ", effects, f" ({test}). ")
        end = ". No study has to lie near it, since the effects differ."
    else:
        first = rich(
            "It isn't settled whether the effect of ",
            name,
            " differs between the studies: it is ",
            effects,
            f" ({test}). ",
        )
        end = "."

    compared = [rich(first, mean, end)]
    if agreement.over is not None:
        over = f" is {show.mean(agreement.over)}."
        compared.append(rich("In studies like these, the mean effect of ", name, over))
    return [*compared, *_words(agreement), *_caveats(agreement)]


def _words(agreement: Agreement) -> list[Rich]:
    """Say that the words of the verdicts can't be compared; return nothing where they can.

    The sentence gives the margins, and the words that depend on them.
    """
    if not agreement.forbidden("words"):
        return []
    margins = ", ".join("none" if margin is None else f"{margin:g}" for margin in agreement.margins)
    words = list(dict.fromkeys(study.word for study in agreement.studies))
    quoted = joined(f"“{word}”" for word in words)
    if len(words) == 1:
        end = rich("so ", quoted, " doesn't mean the same in each study.")
    else:
        end = rich("so the words ", quoted, " can't be compared.")
    return [rich("For ", code(agreement.change.name), f", the margins differ ({margins}), ", end)]


def _caveats(agreement: Agreement) -> list[Rich]:
    """Return what else a reader of the numbers needs to know: missing trials and aliases."""
    caveats = []
    for study in agreement.studies:
        name, change = code(study.study), code(agreement.change.name)
        if study.missing:
            pairs = count(study.missing, "pair")
            verb = "lacks" if study.missing == 1 else "lack"
            text = f"{pairs} of trials {verb} a side; each seed counts with the pairs that it has."
            caveats.append(rich("In ", name, ", of ", change, ", ", text))
        if study.aliases:
            terms = joined(map(code, study.aliases))
            caveats.append(rich("In ", name, ", ", change, " is aliased with ", terms, "."))
    return caveats


def _reason(reason: Reason) -> Rich:
    """Say in a sentence why the effects of these studies aren't compared."""
    studies = joined(map(code, reason.studies))
    many = len(reason.studies) > 1
    return {
        "metric": rich("The studies measure different outcomes."),
        "direction": rich("The studies call opposite directions better."),
        "scale": rich("The studies measure effects on different scales."),
        "summary": rich("The studies read the outcome from the curve in different ways."),
        "length": rich("The studies train for different lengths."),
        "levels": rich("Its levels set different parts of the config."),
        "shared_trials": rich(studies, " have trials in common."),
        "depends": rich(
            "Its effect depends on another factor in ",
            studies,
            ", so one number doesn't describe it.",
        ),
        "diverged": rich(
            "Trials that it is compared in diverged in ",
            studies,
            ", and the finished ones aren't a fair sample.",
        ),
        "few_seeds": rich(studies, " have" if many else " has", " too few seeds with both sides."),
        "no_spread": rich(
            "All seeds have an identical effect in ", studies, ", so its spread isn't known."
        ),
        "margin": rich("The margins differ."),
    }[reason.what]


def _how(studies: Sequence[Compared], tested: Sequence[Agreement]) -> Rich:
    """Say how to read the test and the means."""
    text = (
        "p is of Welch's F test of whether the effect is the same in all studies, "
        "with Holm's correction for "
        f"{count(len(tested), 'shared change')}. A large p doesn't show that effects are the same. "
        "The mean of these studies counts each study the same; "
        "its interval is about these studies alone. "
    )
    if any(one.over is not None for one in tested):
        text += (
            "The interval for studies like these takes them as a random sample of such studies, "
            "with a study as the unit. "
        )
    if any(one.over is None for one in tested):
        text += "Two studies are too few to say anything of studies like these. "
    text += "Intervals are 95% intervals for each number by itself."

    looked = [code(one.name) for one in studies if one.view.looks]
    if not looked:
        return rich(text)
    return rich(text, " They don't allow for the planned looks of ", joined(looked), ".")


class _Shown:
    """The numbers of one change as readers see them; in percent on a log scale."""

    def __init__(self, agreement: Agreement) -> None:
        self.log = agreement.log
        self.factor = 100 if self.log else 1
        self.digits = max(
            Scale.of(*(self.factor * margin for margin in agreement.margins if margin)).digits,
            Scale.of(*(self.factor * tenth for tenth in self._tenths(agreement))).digits - 1,
        )

    @staticmethod
    def _tenths(agreement: Agreement) -> list[float]:
        """Return a tenth of the half-width of each finite interval."""
        widths = [study.high - study.low for study in agreement.studies]
        return [width / 20 for width in widths if math.isfinite(width)]

    def value(self, value: float) -> str:
        """Return a value with its sign, such as `+0.030` or `+36%`."""
        return signed(self.factor * value, self.digits) + (
            "%" if self.log and math.isfinite(value) else ""
        )

    def interval(self, low: float, high: float) -> str:
        """Return an interval, such as `+0.020 to +0.040`."""
        if not self.log:
            return interval(low, high, self.digits)
        return f"{self.value(low)} to {self.value(high)}" if math.isfinite(low + high) else NOTHING

    def effect(self, effect: StudyEffect, named: bool) -> str:
        """Return the effect in one study with its interval.

        Args:
            effect: the effect.
            named: whether to say that the interval is a 95% interval.
        """
        start = "95% interval " if named else ""
        return f"{self.value(effect.estimate)} ({start}{self.interval(effect.low, effect.high)})"

    def mean(self, mean: Mean) -> str:
        """Return a mean with its interval."""
        return f"{self.value(mean.estimate)} (95% interval {self.interval(mean.low, mean.high)})"


def _table(studies: Sequence[Compared], agreed: Sequence[Agreement]) -> Table:
    """Return the table with one row per change and study, and one per mean over studies."""
    views = {one.name: one.view for one in studies}
    columns = (
        Column("factor", "Change, study", "text", 1.8),
        Column("verdict", "Verdict", "badge", 1.6),
        Column("margin", "Margin", "number"),
        Column("effect", "Effect", "number"),
        Column("interval", "95% interval", "number", 1.4),
        Column("n", "Seeds", "number"),
        Column("p_adjusted", "p, studies differ (Holm)", "number"),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in agreed:
        show, name = _Shown(one), code(one.change.name)
        for study in one.studies:
            view = views[study.study]
            rows.append(
                (
                    Cell(rich(name), sub=rich(study.study), value=one.change.name),
                    Cell(badge=study.word, sub=_alone(view, one), value=study.word),
                    Cell(
                        rich("none" if study.margin is None else f"{study.margin:g}"),
                        value=study.margin,
                    ),
                    Cell(rich(show.value(study.estimate)), value=study.estimate),
                    Cell(rich(show.interval(study.low, study.high)), value=study.low),
                    Cell(rich(str(study.n)), value=study.n),
                    Cell(rich(NOTHING)),
                )
            )

        # The test is about these studies, so its p belongs to their mean alone.
        for label, mean in _means(one):
            p = one.test.p_adjusted if one.test is not None and label == THESE else None
            rows.append(
                (
                    Cell(rich(name), sub=rich(label), value=one.change.name),
                    Cell(rich(NOTHING)),
                    Cell(rich(NOTHING)),
                    Cell(rich(strong(show.value(mean.estimate))), value=mean.estimate),
                    Cell(rich(show.interval(mean.low, mean.high)), value=mean.low),
                    Cell(rich(NOTHING)),
                    Cell(rich(p_value(p)), value=p),
                )
            )
    return Table("shared-factors", "Changes in several studies", columns, tuple(rows), look="plain")


def _means(agreement: Agreement) -> list[tuple[str, Mean]]:
    """Return the means over studies that the report can show, with their names."""
    means = ((THESE, agreement.mean), (OVER, agreement.over))
    return [(label, mean) for label, mean in means if mean is not None]


def _alone(view: StudyView, agreement: Agreement) -> Rich:
    """Say how many trials degraded where only this change was made; empty if none has ended."""
    factor, level = agreement.change.factor, agreement.change.level
    name = factor if len(view.factors[factor]["levels"]) == 2 else f"{factor}={level}"
    onset = onset_words(view, view.alone(name))
    return rich(f"alone: {onset}" if onset else "")


def _forests(studies: Sequence[Compared], tested: Sequence[Agreement]) -> Figure:
    """Return a figure with one forest plot per change: the studies, then their means."""
    metric = studies[0].view.metric
    panels = []
    for index, one in enumerate(tested, 1):
        show = _Shown(one)
        rows: list[tuple[str, StudyEffect | Mean]] = [(study.study, study) for study in one.studies]
        rows += _means(one)
        estimates = [
            Estimate(
                label,
                row.estimate,
                row.low,
                row.high,
                "neutral" if isinstance(row, Mean) else "gray",
            )
            for label, row in rows
        ]

        # Studies with different margins share no band.
        margin = one.margins[0] if len(set(one.margins)) == 1 else None
        unit = "as a ratio less 1, by" if one.log else "by"
        values = "; ".join(f"{label} {show.value(row.estimate)}" for label, row in rows)
        drawing = forest(
            f"agreement-{index}",
            estimates,
            margin,
            f"change of {metric} {unit} {one.change.name}",
            f"Effect of {one.change.name} in each study with 95% intervals: {values}",
        )
        panels.append(Panel(rich(code(one.change.name)), drawing))

    same = all(len(set(one.margins)) == 1 and one.margins[0] for one in tested)
    caption = "The effect in each study, and the means over studies, with 95% intervals."
    return Figure(
        "agreement", rich(caption, " Gray band: within the margin." if same else ""), tuple(panels)
    )


# -- files -----------------------------------------------------------------------------------------


def comparison_texts(views: Sequence[StudyView], files: dict[str, list[str]]) -> dict[str, str]:
    """Return the files of the comparison itself by name: `report.json`.

    The file holds the differences of the studies and their agreement.

    Args:
        views: the compared studies.
        files: ending -> paths of the report's other files, relative to its folder.
    """
    studies = named(views)
    content = {
        "studies": [
            {"name": one.name, "plan_hash": str(one.plan.get("hash", "")), "data": f"data-{place}"}
            for place, one in enumerate(studies, 1)
        ],
        "differences": [
            {"what": one.what, "forbids": one.forbids or None, "text": plain(one.text)}
            for one in differences(studies)
        ],
        "agreement": [one.to_dict() for one in agreement_of(studies)],
        "files": files,
    }
    return {
        "report.json": json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    }


def agreement_csv(views: Sequence[StudyView]) -> str:
    """Return agreement.csv: one row per change and study, and one per mean over studies."""
    return csv_text(agreement_frame(agreement_of(named(views))))


def agreement_frame(agreed: Iterable[Agreement]) -> pd.DataFrame:
    """Return the agreement of studies as a tidy frame with the columns `AGREEMENT`."""
    rows: list[dict[str, Any]] = []
    for one in agreed:
        change = {"change": one.change.name, "level": one.change.level, "against": one.change.first}
        change |= {
            f"{which}_not_compared": " ".join(reason.what for reason in one.forbidden(which))
            for which in ("words", "sizes")
        }
        for study in one.studies:
            known = {
                "study": study.study,
                "verdict": study.word,
                "margin": study.margin,
                "n": study.n,
            }
            rows.append({**change, "of": "study", **known, **_numbers(study)})
        for label, mean in _means(one):
            test = one.test._asdict() if one.test is not None and label == THESE else {}
            rows.append({**change, "of": label, "n": len(one.studies), **_numbers(mean), **test})
    return pd.DataFrame(rows, columns=list(AGREEMENT))


def _numbers(row: StudyEffect | Mean) -> dict[str, float]:
    """Return an effect and its interval by the names of their columns."""
    return {"effect": row.estimate, "low": row.low, "high": row.high}


# -- the references, and each study ----------------------------------------------------------------


def _curves(studies: Sequence[Compared], differing: Sequence[Difference]) -> Section | None:
    """Return the section with all references in one panel; None if they can't be compared."""
    views = [one.view for one in studies]
    if forbidden(differing, "levels", "sizes") or any(view.reference is None for view in views):
        return None

    lines, series = [], []
    for index, (one, view) in enumerate(zip(studies, views, strict=True)):
        mean = mean_curve(view, view.reference, view.curves) if view.reference else ()
        if mean:
            lines.append(Line(mean, STYLES[index % len(STYLES)]))
            series.append(Series(one.name, tuple(s for s, _ in mean), tuple(v for _, v in mean)))
    if not lines:
        return None

    values = [value for line in lines for _, value in line.points]
    room = (max(values) - min(values) or 1.0) * 0.08
    steps = (0.0, float(views[0].last_step))
    span = (min(values) - room, max(values) + room)

    labels = [(line.points[-1][1], s.label) for line, s in zip(lines, series, strict=True)]
    alt = f"{views[0].metric} of the reference arms by step: " + ", ".join(s.label for s in series)
    drawing = curve_panel(
        "references", lines, steps, span, alt, x_label="step", width=560.0, labels=labels
    )

    # The panel is 300 pixels wider than usual, and the labels take 130 of them.
    panel = Panel((), drawing, tuple(series), (LEFT, RIGHT + 560.0 - 260.0 - 130.0, *steps))
    figure = Figure(
        "references", rich("Mean of the finished seeds of each reference."), (panel,), stepped=True
    )
    return Section("curves", "Do the references agree?", "References", (figure,))


def _study(index: int, study: Compared) -> Section:
    """Return the section with one study's own verdicts."""
    view = study.view
    table = verdict_table(view)
    blocks: list[Block] = [Text(lead(view)), *(Text(sentence) for sentence in others(view))]
    if table:
        blocks.append(
            replace(
                table, name=f"verdicts-{index + 1}", caption=f"Verdict per factor, {study.name}"
            )
        )
    question = str(view.study.get("question") or study.name)
    return Section(f"study-{index + 1}", f"{study.name}: {question}", study.name, tuple(blocks))
