"""What the trials of a study do at the moment, read from their folders, for the live page."""

import math
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.planning.plan_file import plan_document
from ablate.results.status import TrialStatus, pretraining_status, study_status
from ablate.trial import journal

SHOWN = 8
"""Limit for the running trials that the page shows."""
WINDOW_S = 300.0
"""The time left is judged by the speed of this many last seconds."""
OVER = ("finished", "diverged", "failed")


class State:
    """Reader of a study's state, which remembers how fast the study was.

    Args:
        folder: `OUT/<study>`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: deque[tuple[float, int]] = deque()

    def read(self) -> dict[str, Any]:
        """Return the state, ready for JSON.

        It has `name`, `question`, `counts` (status -> number of trials), `trials`, `share` (of all
        steps that are done), `left_s` (None if it can't be estimated), `metric`, `pretraining` (one
        line each), `over` (whether no trial is to run), and `running`: for each running trial
        `id`, `label`, `step`, `steps`, `loss`, `value`, `curve` of [step, value], and `figure`
        (step of its newest figure, or None).
        """
        plan = plan_document(self.folder)
        rows = study_status(self.folder)
        metric = str(plan["outcome"]["metric"])
        done = sum(_done(row) for row in rows)
        total = sum(max(row.steps, 1) for row in rows)
        counts = Counter(row.status for row in rows)
        return {
            "name": plan["name"],
            "question": plan.get("question", ""),
            "metric": metric,
            "trials": len(rows),
            "counts": dict(counts),
            "share": done / total if total else 0.0,
            "left_s": self._left(done, total),
            "pretraining": pretraining_status(self.folder),
            "over": sum(counts[status] for status in OVER) == len(rows),
            "running": [self._running(row, metric) for row in rows if row.status == "running"][
                :SHOWN
            ],
        }

    def _left(self, done: int, total: int) -> float | None:
        """Return the seconds left by the speed of the last minutes; None if it isn't known yet."""
        now = time.monotonic()
        self._seen.append((now, done))
        while now - self._seen[0][0] > WINDOW_S and len(self._seen) > 2:
            self._seen.popleft()
        began, first = self._seen[0]
        return (total - done) * (now - began) / (done - first) if done > first else None

    def _running(self, row: TrialStatus, metric: str) -> dict[str, Any]:
        """Return what a running trial does."""
        where = StudyFolder(self.folder).trial(row.trial_id)
        lines = journal.effective(journal.read(where))
        curve = [
            [line.step, line.values[f"metric/{metric}"]]
            for line in lines
            if math.isfinite(line.values.get(f"metric/{metric}", math.nan))
        ]
        return {
            "id": row.trial_id,
            "label": row.label,
            "step": row.step,
            "steps": row.steps,
            "loss": row.loss if row.loss is not None and math.isfinite(row.loss) else None,
            "value": curve[-1][1] if curve else None,
            "curve": curve,
            "figure": max(figures(where), default=None),
        }


def figures(trial: Path) -> list[int]:
    """Return the steps of which a trial has a figure."""
    names = (path.stem for path in TrialFolder(trial).images.glob("figure_*.png"))
    return sorted(int(name.removeprefix("figure_")) for name in names)


def _done(row: TrialStatus) -> int:
    """Return how many of a trial's steps are done; a trial that is over has nothing left."""
    if row.status in OVER:
        return max(row.steps, 1)
    return min(row.step, row.steps) if row.steps else 0
