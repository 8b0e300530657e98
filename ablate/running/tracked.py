"""What follows when MLflow was brought up to date, by `run` or by `sync`."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from ablate.disk import locks
from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.planning.plan_file import read_plan
from ablate.results import tables
from ablate.study.nouns import Infrastructure, StudyError
from ablate.tracking.process import Forwarding
from ablate.tracking.store import OFF, reachable, recorded_address, tracking_address
from ablate.trial import trial_file
from g2g_base import atomic


def sync(folder: Path, tracking_uri: str | None = None, wait_s: float = 0.0) -> str | None:
    """Bring MLflow up to date with a study folder, whatever was changed or deleted on either side.

    Nothing is trained, and the numbers in the folder stay as they are.

    Args:
        folder: `OUT/<study>`.
        tracking_uri: address of the store. With None, it is `MLFLOW_TRACKING_URI`, or else the one
            that the study was tracked at, or else `OUT/mlflow.db`.
        wait_s: seconds to wait for another command that uses the study.

    Returns:
        None if MLflow has everything, else a message that says why not.

    Raises:
        StudyError: the folder holds no study or isn't writable, another command uses it, or the
            address can't be used.
        Infrastructure: the store doesn't respond.
    """
    folder = folder.resolve()
    plan = read_plan(folder)
    uri = tracking_address(folder.parent, tracking_uri, recorded_address(folder))
    if uri == OFF:
        raise StudyError("--tracking-uri none: sync needs a store")
    try:
        with locks.held(StudyFolder(folder).lock, f"study {plan['name']}", wait_s):
            if problem := reachable(uri):
                raise Infrastructure(problem)
            behind = finished(Forwarding(folder, uri), limit_s=None)
            note_runs(folder, [trial["trial_id"] for trial in plan["trials"]])
            return behind
    except OSError as error:
        raise StudyError(f"{folder}: cannot be written: {error.strerror}") from None


def finished(forwarding: Forwarding, limit_s: float | None = 60.0) -> str | None:
    """Let the tracking process finish.

    Args:
        forwarding: the process.
        limit_s: as for `Forwarding.finish`.

    Returns:
        None if MLflow has everything, else a message that says why not, and what sends the rest.
    """
    behind = forwarding.finish(limit_s)
    if behind is None:
        return None
    command = shlex.join(["g2g-ablate", "sync", str(forwarding.folder)])
    return f"{behind}. To send the rest, run: {command}"


def note_runs(folder: Path, trial_ids: Sequence[str]) -> None:
    """Write the ids of the trials' runs in MLflow to each `trial.json` and to the tables.

    Args:
        folder: `OUT/<study>`.
        trial_ids: the trials.
    """
    for id_ in trial_ids:
        where = StudyFolder(folder).trial(id_)
        run_id = atomic.read_json(TrialFolder(where).tracked).get("run_id")
        document = trial_file.read(where)
        if run_id and document and document.get("mlflow_run_id") != run_id:
            trial_file.write(where, {**document, "mlflow_run_id": run_id})

    if not tables.up_to_date(folder):
        tables.gather(folder)
