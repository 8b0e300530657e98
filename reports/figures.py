"""Figures for papers, slides, and notebooks: the report's charts, each clear on its own.

A figure holds the same charts as the page and the PDF. What the page says around a chart, such as
the arm, the names of the axes, and the caption, is part of the figure.

```python
from reports import figures, load_results, open_study

study = open_study(load_results("runs/quickstart"))
figures.curves(study)  # a notebook shows the figure
figures.forest(study).save("effects.pdf")
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.charts import Part, sheet, standalone
from reports.charts import forest as forest_chart
from reports.page.blocks import Document, Drawing, Figure, Panel, code, plain, rich
from reports.render.pdf import drawing_pdf, drawing_png
from reports.sections import SectionOf
from reports.sections.curves import curves as curve_section
from reports.sections.curves import first_page_curve
from reports.sections.disentanglement import metric_panel
from reports.sections.effects import effects as effect_section
from reports.sections.shapley import shapley as shapley_section
from reports.sections.survival import grouping
from reports.sections.survival import survival as survival_section
from reports.view.study import StudyView
from reports.words.estimates import differences, estimate

MOST_COLUMNS = 3
"""Most charts in a row of a figure."""
MOST_NAMED = 4
"""Most arms of a chart that are named in words."""


@dataclass(frozen=True)
class Chart:
    """A figure of a study that notebooks show and that can be saved; its bytes are always the same.

    Attributes:
        drawing: the charts with their titles, names of axes, and caption.
    """

    drawing: Drawing

    @property
    def svg(self) -> str:
        """The figure as an SVG file with its own styles."""
        return standalone(self.drawing)

    def _repr_svg_(self) -> str:
        """Return what a notebook shows."""
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the figure as a file, and return its path.

        Args:
            path: name of the file, which ends in `.svg`, `.pdf`, or `.png`. An existing file is
                replaced.

        Raises:
            ValueError: the name has another ending.
        """
        path = Path(path)
        match path.suffix:
            case ".svg":
                path.write_text(self.svg, encoding="utf-8", newline="\n")
            case ".pdf":
                path.write_bytes(drawing_pdf(self.drawing))
            case ".png":
                path.write_bytes(drawing_png(self.drawing))
            case other:
                raise ValueError(f"{path.name}: can't write {other!r}. Use .svg, .pdf, or .png.")
        return path


# -- figures of a study ----------------------------------------------------------------------------


def curves(study: StudyView, arms: Sequence[str] | None = None) -> Chart:
    """Return the outcome by step: each seed as a thin line, the mean of an arm as a thick line.

    The mean is over the finished trials. Triangles mark onsets.

    Args:
        study: the study to draw.
        arms: codes of the arms to draw, or their names in words, one chart per arm. None draws the
            mean of each arm in one chart, as on the first page of the report.

    Raises:
        ValueError: none of the arms has a curve.
    """
    if arms is None and (both := first_page_curve(study)) is not None:
        return _chart(both, study)

    wanted = [arm for arm in study.arms if arms is None or {arm.code, arm.label} & set(arms)]
    names = [_curve_name(arm.cell_id) for arm in wanted]
    drawn = [
        figure
        for figure in _figures(study, curve_section)
        if figure.name in ("curves", "curves-more")
    ]
    by_name = {panel.drawing.name: panel for figure in drawn for panel in figure.panels}
    panels = tuple(by_name[name] for name in names if name in by_name)
    if not panels:
        raise ValueError(f"{study.study['name']}: none of these arms has a curve")
    return _chart(Figure("curves", drawn[0].caption, panels, MOST_COLUMNS), study)


def forest(study: StudyView) -> Chart:
    """Return main effects and interactions with their intervals.

    The gray band covers changes that are too small to matter.

    Raises:
        ValueError: the study's design has no effects.
    """
    return _of_report(study, effect_section, "effects-forest")


def arms(study: StudyView) -> Chart:
    """Return each arm's difference from the reference with its interval, and a dot per seed.

    Raises:
        ValueError: no arm is compared with the reference.
    """
    rows = {str(row["cell_id"]): row for row in study.analysis.arms.to_dict("records")}
    shown = [arm for arm in study.arms if not arm.reference and arm.cell_id in rows]
    # A few arms have room for their names in words; more of them have codes and a key.
    coded = len(shown) > MOST_NAMED
    named = [(arm.code if coded else arm.label, arm) for arm in shown]
    estimates = [
        estimate(name, rows[arm.cell_id], "difference", differences(study, arm))
        for name, arm in named
    ]
    if not estimates:
        raise ValueError(f"{study.study['name']}: no arm is compared with the reference")

    values = "; ".join(
        f"{arm.label} {study.effects.signed(one.value)}"
        for arm, one in zip(shown, estimates, strict=True)
    )
    drawing = forest_chart(
        "arms",
        estimates,
        study.margin,
        f"change of {study.metric} {study.summary}",
        f"Difference of each arm from the reference with {study.interval}s: {values}",
    )
    caption = f"Difference of each arm from the reference, with {study.interval}s. Dots: seeds."
    if coded and study.names.key:
        caption += f" Arms: {study.names.key_words}."
    return _chart(Figure("arms", rich(caption), (Panel((), drawing),)), study)


def shapley(study: StudyView) -> Chart:
    """Return each factor's Shapley share; the shares add up to the whole change.

    Raises:
        ValueError: the report shows no shares.
    """
    return _of_report(study, shapley_section, "shapley")


def survival(study: StudyView) -> Chart:
    """Return the share of trials that have not yet degraded, by step (Kaplan-Meier).

    The groups are the levels of the factor that separates the trials best. Without such a factor,
    all trials are one group.

    Raises:
        ValueError: the study has no curves.
    """
    return _of_report(study, survival_section, "survival")


def disentanglement(study: StudyView, metric: str) -> Chart:
    """Return the outcome against another metric, one mark per finished trial.

    Args:
        study: the study to draw.
        metric: name of the metric on the vertical axis.

    Raises:
        KeyError: the metric was not recorded.
    """
    trials = study.table.trials[study.table.trials["status"] == "finished"]
    panel = metric_panel(study, trials, metric)
    colors = (" Disks: with ", code(study.culprit), "; squares: without.") if study.culprit else ()
    caption = rich("One mark per finished trial; cross: step 0.", *colors)
    return _chart(Figure("disentanglement", caption, (panel,)), study)


def _of_report(study: StudyView, section: SectionOf, name: str) -> Chart:
    """Return a figure of the report.

    Args:
        study: the study to draw.
        section: the section with the figure.
        name: the figure's name.

    Raises:
        ValueError: the report has no such figure.
    """
    for figure in _figures(study, section):
        if figure.name == name:
            return _chart(figure, study)
    raise ValueError(f"{study.study['name']}: the report of this study has no figure {name!r}")


def _figures(study: StudyView, section: SectionOf) -> list[Figure]:
    """Return the figures of one section; none if the study has no such section."""
    made = section(study)
    blocks = Document("", "", "", (made,)).blocks() if made else ()
    return [block for block in blocks if isinstance(block, Figure)]


# -- files of a report -----------------------------------------------------------------------------


def write_figures(document: Document, study: StudyView, folder: Path) -> list[Path]:
    """Write each chart of a report as SVG, and as PDF for LaTeX; return the paths.

    Args:
        document: the report.
        study: the study of the report; of a comparison, the first one.
        folder: folder of the files, created if missing. A file has the name of its chart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for figure in document.blocks():
        if isinstance(figure, Figure):
            for panel in figure.panels:
                chart = _chart(_alone(figure, panel), study)
                for ending in ("svg", "pdf"):
                    paths.append(chart.save(folder / f"{panel.drawing.name}.{ending}"))
    return paths


def _alone(figure: Figure, panel: Panel) -> Figure:
    """Return a figure of one panel."""
    return Figure(figure.name, figure.caption, (panel,))


# -- words around charts ---------------------------------------------------------------------------


def _chart(figure: Figure, study: StudyView) -> Chart:
    """Return a figure of the report with the words that the page shows around it."""
    parts = [_part(figure.name, panel, study) for panel in figure.panels]
    alt = "; ".join(panel.drawing.alt for panel in figure.panels)
    caption = plain(figure.caption) + _band(figure.name, study)
    return Chart(sheet(figure.name, parts, min(figure.columns, MOST_COLUMNS), caption, alt))


def _part(name: str, panel: Panel, study: StudyView) -> Part:
    """Return a chart with its title and the names of the axes that it doesn't name itself.

    Args:
        name: name of the chart's figure. Figures of other packages' sections get a title alone.
        panel: the chart.
        study: the study that it shows.
    """
    title, drawing = plain(panel.title), panel.drawing
    outcome = f"{study.metric} ({study.better} is better)"
    match name:
        case "curves" | "curves-more":
            labels = {_curve_name(arm.cell_id): arm.label for arm in study.arms}
            return Part(drawing, labels.get(drawing.name, title), "step", outcome)
        case "answer-curve" | "references":
            return Part(drawing, title, "", outcome)
        case "health":
            return Part(drawing, title, "step")
        case "sensitivity":
            return Part(drawing, "", title, f"{study.metric} {study.summary}")
        case "shapley":
            share = f"share of the change of {study.metric} {study.summary}"
            return Part(drawing, "Shapley shares of the factors", share)
        case "survival":
            factor, _ = grouping(study)
            group = f"Trials by level of {factor}" if factor else "All trials"
            return Part(drawing, group, "", f"share of trials not yet {study.fall}")
    return Part(drawing, title)


def _band(name: str, study: StudyView) -> str:
    """Return what the gray band of a figure is; empty for a figure without one."""
    if name not in ("effects-forest", "arms") or not study.margin:
        return ""
    return f" Gray band: within the margin ({study.effects.fixed(study.margin)})."


def _curve_name(cell_id: str) -> str:
    """Return the name of the chart with an arm's curves."""
    return f"curve-{cell_id}"
