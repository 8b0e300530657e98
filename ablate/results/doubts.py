"""What finished trials show that no plan could: idle seeds, and trials of several devices."""

from collections import Counter
from pathlib import Path

from ablate.disk.folder import StudyFolder
from ablate.planning.plan_file import plan_document
from ablate.trial import trial_file
from reports.documents.names import ArmNames
from reports.documents.trial import devices


def several_devices(folder: Path) -> str | None:
    """Return on which devices the trials of a study ran; None: all on one device, or none.

    Args:
        folder: `OUT/<study>`.
    """
    ids = [trial["trial_id"] for trial in plan_document(folder)["trials"]]
    used = [devices(trial_file.read(StudyFolder(folder).trial(id_))) for id_ in ids]
    counts = Counter(", then ".join(names) for names in used if names)
    if len(counts) < 2 and not any(len(names) > 1 for names in used):
        return None
    named = "; ".join(f"{number} on {name}" for name, number in counts.items())
    return (
        f"trials ran on several devices ({named}), which round differently: "
        "the report says what that means for the effects"
    )


def idle_seeds(folder: Path) -> str | None:
    """Return which arms recorded the same numbers with all their seeds; None: no arm did.

    An arm counts if two or more of its trials finished and every recorded number is the same.

    Args:
        folder: `OUT/<study>`, with its tables.
    """
    # Only here, so that commands that read no tables start fast
    import pandas as pd

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
