"""Statistics of a study's results: claims, arms, effects, shares, verdicts, onsets, and metrics.

The unit is the seed. Trials with the same seed are not independent, so every difference is first
averaged within a seed, and intervals are t intervals over the seeds. Where several seeds start from
each of several networks, the unit is the network, and its seeds are averaged first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.analysis.arms import arms_frame, metrics_frame, onset_frame
from reports.analysis.cells import Cells
from reports.analysis.effects import effects_frame, shapley_frame, simple_frame
from reports.analysis.networks import networks_frame, variance_frame
from reports.analysis.robustness import checks_frame
from reports.analysis.verdicts import differences_frame, idle, verdicts_frame
from reports.claims.claim import Claim
from reports.claims.futility import futile
from reports.claims.judge import judge
from reports.claims.rule import OPEN, Judgement
from reports.table import StudyTable


@dataclass(frozen=True)
class Analysis:
    """Typed claims, and tidy frames, one per question, with the columns of the CSV files.

    Attributes:
        cells: The primary outcome as an array of seeds and cells, with design and rule.
        judgement: The claims about the primary outcome, the verdicts, and the numbers behind them.
        also: Name of each further outcome -> its analysis; claims about divergence are made of the
            primary outcome alone.
        arms: One row per cell: mean and spread of the primary outcome, difference to the reference.
        effects: One row per factorial term; a factor with several levels has a term per level
            (`factor=level`).
        shapley: One row per factor; the values sum to the difference of the full and the empty
            cell.
        verdicts: One row per factor, or per level (`factor=level`) of a factor with several.
        checks: The same rows: verdicts by other methods, without one seed, or with missing trials
            at their extremes.
        simple: One row per factor (or level of it) and level of another factor: its effect there
            (full factorials).
        differences: One row per verdict and seed, or network: the effects that the verdict's
            interval is made of.
        networks: In a study of several networks, one row per verdict and network: the effect in
            that network, with its interval over the network's seeds.
        variance: The same rows as `verdicts`, in such a study: the variance of the effect between
            networks and between the seeds of one, and the cheaper way to make the study larger.
        onset: One row per trial.
        metrics: One row per cell, metric, and time (`at`: `end` or `step 0`).
        idle: Names of factors, or of levels, that did nothing: any two trials with the same seed
            that differ in them alone end with identical values.
        uncompared: Factors, or levels (`factor=level`), that these cells allow no verdict on.
        futile: In a study with planned looks, changes that the remaining seeds could not decide.
    """

    cells: Cells
    judgement: Judgement
    also: "Mapping[str, Analysis]"
    arms: pd.DataFrame
    effects: pd.DataFrame
    shapley: pd.DataFrame
    verdicts: pd.DataFrame
    checks: pd.DataFrame
    simple: pd.DataFrame
    differences: pd.DataFrame
    networks: pd.DataFrame
    variance: pd.DataFrame
    onset: pd.DataFrame
    metrics: pd.DataFrame
    idle: tuple[str, ...]
    uncompared: tuple[str, ...]
    futile: tuple[str, ...]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Claims about the primary outcome."""
        return self.judgement.claims

    @property
    def waiting(self) -> tuple[str, ...]:
        """Changes that more seeds of the plan may still decide."""
        given_up = {*self.futile, *self.uncompared}
        return tuple(
            name
            for name, word in self.judgement.verdicts.items()
            if word == OPEN and name not in given_up
        )


def analyse(table: StudyTable) -> Analysis:
    """Return the statistics of a study.

    Frames are empty if the design or the data don't allow them.
    """
    return _analysis(Cells.of(table), _also(table))


def _also(table: StudyTable) -> dict[str, Analysis]:
    """Return the analyses of further outcomes.

    They are a family of their own, whose claims share one budget of error.
    """
    entries: list[Mapping[str, Any]] = list(table.study["outcome"].get("also") or ())
    analyses = [_analysis(Cells.of(table, entry, 1 / len(entries)), {}) for entry in entries]
    return {analysis.cells.metric: analysis for analysis in analyses}


def _analysis(cells: Cells, also: Mapping[str, Analysis]) -> Analysis:
    """Return all frames of one outcome."""
    judgement = judge(cells.trials, cells.design, cells.rule)
    return Analysis(
        cells=cells,
        judgement=judgement,
        also=also,
        arms=arms_frame(cells, judgement),
        effects=effects_frame(cells, judgement),
        shapley=shapley_frame(cells, judgement.alpha),
        verdicts=verdicts_frame(cells, judgement),
        checks=checks_frame(cells, judgement),
        simple=simple_frame(cells, judgement.alpha),
        differences=differences_frame(cells),
        networks=networks_frame(cells, judgement.alpha),
        variance=variance_frame(cells, judgement),
        onset=onset_frame(cells.table.trials),
        metrics=metrics_frame(cells, judgement.alpha),
        idle=idle(cells),
        uncompared=cells.design.uncompared,
        futile=futile(judgement, cells.design, cells.rule),
    )
