"""Does better quality cost disentanglement? One mark per trial, one metric against the other."""

from collections.abc import Mapping

import pandas as pd

from reports.charts.scatter import Spot, scatter
from reports.page.blocks import Cell, Column, Figure, Panel, Section, Table, code, rich
from reports.page.numbers import Scale, fixed
from reports.view.study import StudyView

PREFERRED = (
    "swap_score",
    "translation_accuracy",
    "identity_swapped",
    "class_from_content",
    "content_from_class",
    "dci_disentanglement",
    "content_distance",
    "class_effect",
    "content_effect",
)
"""Metrics of disentanglement, the most telling first.

A recorded metric counts if its name starts with one of these, for any kind of weights.
"""

SAME_MEASURE = (
    (
        "swap_score",
        "mixed_l1",
        "mixed_psnr",
        "mixed_ssim",
        "mixed_perceptual_",
    ),  # mixed images against their truth
    (
        "class_effect",
        "mixed_content_l1",
    ),  # pixels: how far mixed images are from what has the content
    (
        "content_effect",
        "mixed_class_l1",
    ),  # pixels: how far mixed images are from what has the class
    ("content_distance_", "landmark_distance"),  # mixed against content images, without colors
    ("translation_accuracy", "mixed_as_content_class"),  # what a classifier takes mixed images for
    (
        "identity_swapped",
        "identity_distance_class",
        "identity_distance_content",
    ),  # identity codes of mixed images
    ("class_from_content", "class_from_class", "dci_"),  # what a probe reads from the codes
    ("content_from_class", "content_from_content", "dci_"),
)
"""Metrics that are made from the same comparison, by the start of their names.

They change together, whatever a study finds.
"""
DEPENDENT = "measured on the same images: says nothing new"
"""The reading of a metric that is made from the same comparison as the outcome."""
PREFIXES = ("raw_", "average_")
"""The prefixes of a metric's name when it is of raw or averaged weights."""


def disentanglement(view: StudyView) -> Section | None:
    """Show the outcome against up to two metrics of disentanglement; None if none was recorded.

    Metrics that are made from the same comparison as the outcome are shown only if there are no
    others, and without a reading.
    """
    trials = view.table.trials[view.table.trials["status"] == "finished"]
    names = [
        str(column).removeprefix("metric.")
        for column in trials
        if str(column).startswith("metric.")
    ]

    chosen = chosen_metrics(names, view.metric)
    panels, rows = [], []
    for name in chosen:
        pairs = (
            trials[[f"metric.{view.metric}", f"metric.{name}"]].dropna()
            if f"metric.{view.metric}" in trials
            else trials[:0]
        )
        if len(pairs) < 2:
            continue
        panels.append(metric_panel(view, trials, name))
        rows.append(_row(view, pairs, name))

    if not panels:
        return None

    caption = rich(
        "A mark a finished trial; cross: step 0.",
        *((" Disks: with ", code(view.culprit), "; squares: without.") if view.culprit else ()),
    )

    table = Table(
        "disentanglement",
        "Does it go together?",
        (
            Column("metric", "Metric", "text", 1.5),
            Column("better", "Better", "text", 0.6),
            Column("n", "Trials", "number", 0.5),
            Column("rank_correlation", f"Rank correlation with {view.metric}", "number", 1.2),
            Column("reading", "Reading", "text", 2.0),
        ),
        tuple(rows),
        rich(
            "Rank correlation (Spearman) over finished trials; trials that share an arm or a seed "
            "are not independent, so there is no p here."
        ),
        look="plain",
    )

    figure = Figure("disentanglement", caption, tuple(panels), 2)
    return Section(
        "disentanglement",
        "Is quality paid for with disentanglement?",
        "Disentanglement",
        (figure, table),
    )


def chosen_metrics(names: list[str], primary: str) -> list[str]:
    """Return up to two recorded metrics of disentanglement.

    Metrics that are made from the same comparison as the outcome are taken only if there are no
    others.

    Args:
        names: the recorded metrics.
        primary: the metric of the outcome.
    """
    # Of the same metric for several kinds of weights, the name without a prefix counts.
    recorded: dict[str, str] = {}
    for name in names:
        if name != primary:
            recorded[_plain(name)] = min(recorded.get(_plain(name), name), name, key=len)

    candidates = [
        name for wanted in PREFERRED for plain, name in recorded.items() if plain.startswith(wanted)
    ]
    return ([name for name in candidates if not dependent(name, primary)] or candidates)[:2]


def dependent(name: str, primary: str) -> bool:
    """Return whether two metrics are made from the same comparison."""
    return any(
        _plain(name).startswith(same) and _plain(primary).startswith(same) for same in SAME_MEASURE
    )


def _plain(name: str) -> str:
    """Return a metric's name without the prefix of its weights."""
    return next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)


def _better(view: StudyView, name: str) -> str:
    """Return the better direction of a metric; empty if the plan does not say."""
    return str(view.described(name).get("better") or "")


def metric_panel(view: StudyView, trials: pd.DataFrame, name: str) -> Panel:
    """Return the scatter plot of the outcome against one metric."""
    spots, scale = [], _scale(trials[f"metric.{name}"])
    for row in trials.to_dict("records"):
        x, y = row[f"metric.{view.metric}"], row[f"metric.{name}"]
        arm = view.arm_of.get(str(row["cell_id"]))
        if arm is None or pd.isna(x) or pd.isna(y):
            continue
        title = f"{arm.label}, seed {row['seed']}: {view.scale.fixed(x)}, {scale.fixed(y)}"
        spots.append(
            Spot(float(x), float(y), "neutral" if arm.focal else "gray", not arm.focal, title)
        )

    start = _start(trials, view.metric, name)
    direction = _better(view, name)
    labels = (
        f"{view.metric} {view.summary} ({view.better} is better)",
        name + (f" ({direction} is better)" if direction else ""),
    )

    alt = f"{name} against {view.metric}, {len(spots)} trials"
    return Panel((), scatter(f"disentanglement-{name}", spots, start, labels, alt))


def _start(trials: pd.DataFrame, x: str, y: str) -> list[tuple[float, float]]:
    """Return the mean of both metrics at step 0, if it was recorded."""
    columns = [f"metric0.{x}", f"metric0.{y}"]
    if not set(columns) <= set(trials):
        return []
    known = trials[columns].dropna()
    return (
        [(float(known[columns[0]].mean()), float(known[columns[1]].mean()))] if len(known) else []
    )


def _scale(values: pd.Series) -> Scale:
    """Return the digits for values of this spread."""
    spread = float(values.max() - values.min()) if values.notna().any() else 0.0
    return Scale.of(spread or float(values.abs().max() or 1.0))


def _row(view: StudyView, pairs: pd.DataFrame, name: str) -> tuple[Cell, ...]:
    """Return the table row of one metric, with its rank correlation and its reading."""
    ranks = pairs.rank()
    first, second = (ranks[column] for column in ranks)
    correlation = float(first.corr(second)) if first.std() and second.std() else float("nan")
    direction = _better(view, name)

    return (
        Cell(rich(code(name)), value=name, sub=rich(_description(view.described(name)))),
        Cell(rich(direction)),
        Cell(rich(str(len(pairs))), value=len(pairs)),
        Cell(
            rich(fixed(correlation, 2)), value=correlation if correlation == correlation else None
        ),
        Cell(
            rich(
                DEPENDENT
                if dependent(name, view.metric)
                else _reading(correlation, view.better, direction)
            )
        ),
    )


def _description(entry: Mapping[str, object]) -> str:
    """Return the description of a metric; empty without one."""
    return str(entry.get("description") or "")


def _reading(correlation: float, primary: str, other: str) -> str:
    """Return what a correlation means.

    Args:
        correlation: the rank correlation of the two metrics over finished trials.
        primary: the better direction of the outcome.
        other: the better direction of the other metric; empty if unknown.
    """
    if correlation != correlation:
        return "no spread, nothing to read"
    if abs(correlation) < 0.3:
        return "no clear relation"
    if other not in ("lower", "higher"):
        return "they move together" if correlation > 0 else "they move against each other"
    together = (correlation > 0) == (primary == other)
    return (
        "quality and disentanglement go together"
        if together
        else "quality is paid for with disentanglement"
    )
