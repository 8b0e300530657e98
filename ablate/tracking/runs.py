"""Which runs of an experiment belong to a study folder.

Several folders may share an experiment: two people use one server, or a folder was copied. Each
folder has runs of its own, so that nobody changes what belongs to somebody else. A run belongs to
the folder that has written down the run's id, or else to the one that the run's tag names. A folder
keeps its runs when it moves, and finds them when its notes are lost.
"""

import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType
from mlflow.exceptions import MlflowException

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.study.identity import digest
from ablate.tracking.sqlite_store import artifact_folder
from g2g_base import atomic

STUDY = "study"
"""Key of the study's own run among those of its trials, and the value of its tag `role`."""
TRIAL = "trial"
"""Value of the tag `role` of a trial that is in the plan."""
FORMER = "former"
"""Value of the tag `role` of a run that is not the one of any trial in the plan."""


def folder_tags(folder: Path) -> dict[str, str]:
    """Return the tags of all runs of a study folder: its place, and a short name for searches."""
    place = f"{socket.gethostname()}:{folder.resolve()}"
    return {"folder": place[:5000], "folder_id": digest(place)[:12]}


def experiment_of(client: MlflowClient, folder: Path, name: str, uri: str) -> Experiment:
    """Return the experiment of a study; restore or create it if it is missing.

    An experiment that was renamed stays the study's, because it holds the run that the folder knows
    as its own.

    Args:
        client: client of the store.
        folder: `OUT/<study>`.
        name: name of the study, and of a new experiment.
        uri: address of the store.
    """
    known = atomic.read_json(StudyFolder(folder).tracking).get("study_run_id")
    experiment = None
    if known:
        try:
            experiment = client.get_experiment(client.get_run(known).info.experiment_id)
        except MlflowException as error:
            if is_outage(error):
                raise

    experiment = experiment or client.get_experiment_by_name(name)
    if experiment is None:
        try:
            client.create_experiment(name, artifact_location=artifact_folder(uri, name))
        except MlflowException as error:
            if is_outage(error):
                raise  # Otherwise another forwarder was first
        experiment = client.get_experiment_by_name(name)
    assert experiment is not None

    if experiment.lifecycle_stage != "active":
        client.restore_experiment(experiment.experiment_id)
    return experiment


def runs_of(
    client: MlflowClient, experiment_id: str, folder: Path, trials: Iterable[str]
) -> tuple[dict[str, Run], list[Run]]:
    """Return the runs of a folder's trials and study, and the folder's other runs.

    Args:
        client: client of the store.
        experiment_id: the study's experiment.
        folder: `OUT/<study>`.
        trials: ids of the trials in the plan.

    Returns:
        Trial id -> run, with the key `study` for the study's own run; and the runs of this folder
        that are neither, such as those of trials that are no longer in the plan.
    """
    own = StudyFolder(folder)
    recorded = {STUDY: atomic.read_json(own.tracking).get("study_run_id")}
    recorded |= {
        id_: atomic.read_json(TrialFolder(own.trial(id_)).tracked).get("run_id") for id_ in trials
    }

    here = folder_tags(folder)["folder_id"]
    candidates: dict[str, list[tuple[int, bool, int, Run]]] = {}
    others: list[Run] = []
    for run in _all_runs(client, experiment_id):
        tags = run.data.tags
        key = STUDY if tags.get("role") == STUDY else tags.get("trial_id", "")
        if tags.get("role") == FORMER and "trial_id" not in tags:
            key = STUDY
        # Versions before 0.2 wrote no tag of the folder.
        rank = [
            run.info.run_id == recorded.get(key),
            tags.get("folder_id") == here,
            "folder_id" not in tags and (key == STUDY or own.trial(key).is_dir()),
        ]
        if not key or not any(rank):
            continue
        if key in recorded:
            former = tags.get("role") == FORMER
            order = (rank.index(True), former, run.info.start_time, run)
            candidates.setdefault(key, []).append(order)
        else:
            others.append(run)

    chosen = {}
    for key, ranked in candidates.items():
        # Of equals, the oldest
        ranked.sort(key=lambda row: row[:3])
        chosen[key] = ranked[0][3]
        others += [row[3] for row in ranked[1:]]
    return chosen, others


def retire(client: MlflowClient, run: Run, tags: Mapping[str, str]) -> None:
    """Take a run of this folder out of all prepared lists, and end it if it is RUNNING.

    Args:
        client: client of the store.
        run: the run.
        tags: those of `folder_tags`.
    """
    for key, value in {"role": FORMER, **tags}.items():
        if run.data.tags.get(key) != value:
            client.set_tag(run.info.run_id, key, value)
    if run.info.status == "RUNNING":
        client.set_terminated(run.info.run_id, "KILLED")


def is_outage(error: Exception) -> bool:
    """Return whether an error means that the store is away, rather than that it refuses a request.

    After a refusal, other requests may still succeed.
    """
    if not isinstance(error, MlflowException):
        return True
    return int(error.get_http_status_code()) >= 500  # type: ignore[no-untyped-call]


def _all_runs(client: MlflowClient, experiment_id: str) -> list[Run]:
    """Return all runs of an experiment that are not deleted."""
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment_id], "", ViewType.ACTIVE_ONLY, 1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs
