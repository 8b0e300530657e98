"""What finished trials show that no plan could: seeds that change nothing."""

from pathlib import Path

import pandas as pd

from ablate.disk.folder import StudyFolder
from ablate.planning.plan_file import plan_document
from reports.documents.names import ArmNames


def idle_seeds(folder: Path) -> str | None:
    """Return which arms recorded the same numbers with all their seeds; None: no arm did.

    An arm counts if two or more of its trials finished and every recorded number is the same.

    Args:
        folder: `OUT/<study>`, with its tables.
    """
    trials = pd.read_csv(StudyFolder(folder).trials_table, dtype=str)
    finished = trials[trials["status"] == "finished"]
    columns = ["trial_id", "step", "name", "value"]
    history = pd.read_parquet(StudyFolder(folder).history_table, columns=columns)
    history = history[~history["name"].astype(str).str.startswith("time/")]
    rows = pd.util.hash_pandas_object(history[["step", "name", "value"]], index=False)
    recorded = rows.groupby(history["trial_id"].astype(str)).sum()

    counts = (
        finished["trial_id"].map(recorded).groupby(finished["cell_id"]).agg(["count", "nunique"])
    )
    idle = counts.index[(counts["count"] > 1) & (counts["nunique"] == 1)]
    if idle.empty:
        return None
    names = ArmNames(plan_document(folder))
    arms = {trial["cell_id"]: trial["levels"] for trial in names.plan["trials"]}
    named = [names.full(arms[cell]) for cell in idle]
    which = "every arm" if len(idle) == finished["cell_id"].nunique() else "; ".join(named)
    return (
        f"all seeds recorded the same numbers in {which}: "
        "the trainer does not use its seed there, so more seeds are no more evidence"
    )
