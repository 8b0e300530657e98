"""Figures for notebooks and papers; each function draws a study on matplotlib axes.

```python
import matplotlib.pyplot as plt
from reports import figures, load_results, open_study

study = open_study(load_results("runs/quickstart"))
fig, ax = plt.subplots()
figures.curves(study, ax)
```
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from reports.page.theme import LIGHT
from reports.sections.curves import mean_curve
from reports.sections.survival import groups_of, times_of
from reports.stats.survival import kaplan_meier
from reports.view.study import StudyView
from reports.words.estimates import differences, number

TONES = {"on": LIGHT["on"], "off": LIGHT["off"], "neutral": LIGHT["ink"]}


def curves(study: StudyView, ax: Axes, arms: Sequence[str] | None = None) -> None:
    """Draw the outcome by step: each seed as a thin line, the mean of an arm as a thick line.

    The mean is over the finished trials. Triangles mark onsets, and the reference's mean is dashed.

    Args:
        study: the study to draw.
        ax: the axes to draw on.
        arms: labels of the arms to draw. None draws the reference and the arms in which only the
            main culprit is away from its first level, or all arms if there is no culprit.
    """
    chosen = [arm for arm in study.arms if arms is None or arm.label in arms]
    if arms is None and study.culprit is not None:
        alone = study.alone(study.culprit)
        chosen = [arm for arm in study.arms if arm.reference or arm in alone] or chosen

    for arm in chosen:
        colour = TONES[arm.tone]
        for trial in arm.trials:
            points = study.curves.get(trial, ())
            ax.plot(
                [s for s, _ in points],
                [v for _, v in points],
                color=colour,
                linewidth=0.8,
                alpha=0.5,
            )
            onset = study.onset(trial)
            if onset is not None and onset in dict(points):
                ax.plot(
                    [onset], [dict(points)[onset]], marker="v", color=LIGHT["ink"], markersize=5
                )

        mean = mean_curve(study, arm, study.curves)
        style = "--" if arm.reference else "-"
        ax.plot(
            [s for s, _ in mean],
            [v for _, v in mean],
            style,
            color=colour,
            linewidth=2.2,
            label=arm.label,
        )

    ax.set_xlabel("step")
    ax.set_ylabel(f"{study.metric} ({study.better} is better)")
    ax.legend(frameon=False)


def forest(study: StudyView, ax: Axes) -> None:
    """Draw main effects and interactions with their 95% intervals.

    The gray band covers changes that are too small to matter.

    Args:
        study: the study to draw.
        ax: the axes to draw on.
    """
    rows = study.analysis.effects.to_dict("records")
    _intervals(
        study, ax, [str(r["term"]) for r in rows], [number(r["estimate"]) for r in rows], rows
    )


def arms(study: StudyView, ax: Axes) -> None:
    """Draw each arm's difference from the reference with its 95% interval, and a dot per seed.

    Args:
        study: the study to draw.
        ax: the axes to draw on.
    """
    rows = {str(row["cell_id"]): row for row in study.analysis.arms.to_dict("records")}
    chosen = [arm for arm in study.arms if not arm.reference and arm.cell_id in rows]
    records = [rows[arm.cell_id] for arm in chosen]
    _intervals(
        study,
        ax,
        [arm.label for arm in chosen],
        [number(r["difference"]) for r in records],
        records,
    )
    # The dots are below the interval, so that they don't hide it.
    for index, arm in enumerate(chosen):
        dots = differences(study, arm)
        ax.plot(dots, [index + 0.25] * len(dots), ".", color=LIGHT["mute"], markersize=4)


def _intervals(
    study: StudyView,
    ax: Axes,
    labels: Sequence[str],
    middles: Sequence[float | None],
    rows: Sequence[Mapping[Any, Any]],
) -> None:
    """Draw one row per label: its estimate, its interval, and the band within the margin.

    Args:
        study: the study to draw.
        ax: the axes to draw on.
        labels: names of the rows, from top to bottom.
        middles: one estimate per label; a row without one stays empty.
        rows: one mapping per label; `low` and `high` are the ends of its interval.
    """
    if study.margin:
        ax.axvspan(-study.margin, study.margin, color=LIGHT["rope"], zorder=0)
    ax.axvline(0, color=LIGHT["mute"], linewidth=0.8)

    for index, (middle, row) in enumerate(zip(middles, rows, strict=True)):
        low, high = number(row["low"]), number(row["high"])
        if middle is None:
            continue
        worse = (
            low is not None
            and high is not None
            and (low > 0 if study.better == "lower" else high < 0)
        )
        colour = TONES["on" if worse else "off"]
        if low is not None and high is not None:
            ax.plot([low, high], [index, index], color=colour, linewidth=2)
        ax.plot([middle], [index], "s", color=colour, markersize=6)

    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlabel(f"change of {study.metric} {study.summary}")


def shapley(study: StudyView, ax: Axes) -> None:
    """Draw each factor's Shapley share, with its 95% interval where one is known.

    Args:
        study: the study to draw.
        ax: the axes to draw on.
    """
    rows = study.analysis.shapley.to_dict("records")
    values = [number(row["value"]) or 0.0 for row in rows]
    colours = [
        TONES["on" if (value > 0) == (study.better == "lower") else "off"] for value in values
    ]

    ax.barh(range(len(rows)), values, color=colours, height=0.6)
    for index, row in enumerate(rows):
        low, high = number(row["low"]), number(row["high"])
        if low is not None and high is not None:
            ax.plot([low, high], [index, index], color=LIGHT["ink"], linewidth=1)

    ax.axvline(0, color=LIGHT["mute"], linewidth=0.8)
    ax.set_yticks(range(len(rows)), [str(row["factor"]) for row in rows])
    ax.invert_yaxis()
    ax.set_xlabel(f"share of the change of {study.metric}")


def survival(study: StudyView, ax: Axes) -> None:
    """Draw the share of trials that have not yet degraded, by step (Kaplan-Meier).

    The groups are the levels of the factor that separates the trials best, as in the report's
    section on survival. Without such a factor, all trials are one group.

    Args:
        study: the study to draw.
        ax: the axes to draw on.
    """
    for label, rows, css in groups_of(study):
        events, censored = times_of(rows)
        steps, shares = kaplan_meier(events, censored)
        colour = TONES.get(css.partition(" ")[0], LIGHT["ink"])
        ax.step(
            [0, *steps, study.last_step],
            [1, *shares, shares[-1] if shares else 1],
            where="post",
            color=colour,
            label=label,
        )

    ax.set_ylim(0, 1.02)
    ax.set_xlabel("step")
    ax.set_ylabel(f"share not yet {study.fall}")
    ax.legend(frameon=False)


def disentanglement(study: StudyView, ax: Axes, metric: str) -> None:
    """Draw the outcome against another metric, one mark per finished trial.

    Args:
        study: the study to draw.
        ax: the axes to draw on.
        metric: name of the metric on the vertical axis.

    Raises:
        KeyError: the metric was not recorded.
    """
    trials = study.table.trials[study.table.trials["status"] == "finished"]
    for row in trials.to_dict("records"):
        x, y = float(row[f"metric.{study.metric}"]), float(row[f"metric.{metric}"])
        arm = study.arm_of.get(str(row["cell_id"]))
        if arm is None or not math.isfinite(x + y):
            continue
        face = TONES["on"] if arm.focal else "none"
        ax.plot(
            [x],
            [y],
            "o" if arm.focal else "s",
            color=TONES[arm.tone],
            markerfacecolor=face,
            markersize=5,
        )

    ax.set_xlabel(f"{study.metric} {study.summary}")
    ax.set_ylabel(metric)
