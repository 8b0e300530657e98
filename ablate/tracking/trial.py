"""Brings one trial's run in MLflow up to date with the trial's folder."""

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from ablate.disk.folder import TrialFolder
from ablate.results.tables import metric_curves
from ablate.study.outcome import summarise
from ablate.tracking.pages import answer_name, safe_name, trial_note
from ablate.trial import journal, trial_file
from ablate.trial.journal import Line
from g2g_base import atomic
from reports.documents.names import ArmNames
from reports.documents.plan import PlanDocument
from reports.documents.trial import TrialDocument

BATCH = 1000
"""Metrics per request; MLflow accepts no more."""
ENDS = {"finished": "FINISHED", "diverged": "FAILED", "failed": "FAILED", "interrupted": "KILLED"}
"""Status of a trial -> status of its run."""


def run_name(names: ArmNames, planned: Mapping[str, Any]) -> str:
    """Return the name of a trial's run, such as `G+S · seed 3`, in at most 240 characters."""
    return names.trial(planned["levels"], planned["seed"])[:240]


class TrialForwarder:
    """Sends a trial's records to its run, each step once, even after interruptions.

    Args:
        client: client of the store.
        run_id: the trial's run.
        folder: the trial's folder.
        plan: the content of plan.json.
        planned: the trial's entry in the plan.
        names: the names of the study's arms.
    """

    def __init__(
        self,
        client: MlflowClient,
        run_id: str,
        folder: Path,
        plan: PlanDocument,
        planned: Mapping[str, Any],
        names: ArmNames,
    ) -> None:
        self.client, self.run_id, self.folder = client, run_id, folder
        self.plan, self.planned, self.names = plan, planned, names
        self.outcome = f"metric/{plan['outcome']['metric']}"
        self.offset, self.inode = 0, 0
        self.sent: dict[str, int] = {}
        self.described = False
        self.ended: str | None = None

        run = client.get_run(run_id)
        self.images = int(run.data.tags.get("images_until_step", -1))
        self.open = run.info.status == "RUNNING"
        self.code = run.data.tags.get("arm_code")

    def forward(self, document: TrialDocument, last: bool) -> None:
        """Send what is new.

        Args:
            document: the trial's document, see `trial_file.standing`.
            last: whether the command ends, so that no run may stay open.
        """
        status = trial_file.status_of(document)
        if last and (status == "planned" or trial_file.died(self.folder, document)):
            status = "interrupted"
        end = f"{status} {(document.get('attempts') or [{}])[-1].get('ended')}"
        if end == self.ended:
            return

        if status not in ENDS and not self.open:
            self.client.update_run(self.run_id, status="RUNNING")
            self.open = True
        self._describe(document)
        self._send(self._new_lines())
        if status in ENDS:
            self._end(status, document)
            self.ended = end

    def _describe(self, document: TrialDocument) -> None:
        """Send params, notes, and the whole config, on the first call only."""
        if self.described:
            return

        params = {safe_name(name): level for name, level in self.planned["levels"].items()}
        params.setdefault("seed", str(self.planned["seed"]))
        tags = {
            "arm_code": self.names.code(self.planned["levels"]),
            "arm": self.names.words(self.planned["levels"])[:5000],
            "mlflow.note.content": trial_note(self.plan, self.planned, self.names),
        }
        self.client.log_batch(
            self.run_id,
            params=[Param(name, value[:6000]) for name, value in params.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        # A run of an earlier version, or of a study with other factors, has an older name.
        if self.code != tags["arm_code"]:
            self.client.update_run(self.run_id, name=run_name(self.names, self.planned))
        if "config" in document:
            self.client.log_dict(self.run_id, document["config"], "config.json")
        atomic.write_json(TrialFolder(self.folder).tracked, {"run_id": self.run_id})
        self.described = True

    def _new_lines(self) -> list[Line]:
        """Return the complete lines that were added since the last call."""
        path = TrialFolder(self.folder).journal
        if not path.exists():
            return []
        with path.open("rb") as file:
            # A trial that started again from nothing has a new journal.
            if (inode := os.fstat(file.fileno()).st_ino) != self.inode:
                self.offset, self.inode = 0, inode
            file.seek(self.offset)
            text = file.read()

        # The trial may be writing its last line just now.
        complete = text.rfind(b"\n") + 1
        self.offset += complete
        return list(journal.parse(text[:complete]))

    def _send(self, lines: Iterable[Line]) -> None:
        """Send the records that the run does not have yet, in batches that never split a record.

        A step that was repeated after a resume has the same values as before, so it is not sent
        again.
        """
        batch: list[Metric] = []
        evaluated = []
        for line in lines:
            if line.kind == "note" or line.step <= self._sent_until(line):
                continue
            self.sent[line.kind] = line.step
            metrics = self._metrics(line)
            if len(batch) + len(metrics) > BATCH:
                self._log(batch)
                batch = []
            batch += metrics
            if line.kind == "eval":
                evaluated.append(line)

        self._log(batch)
        for line in evaluated:
            self._image(line)

    def _sent_until(self, line: Line) -> int:
        """Return the last step with this kind of record that the run has, or -1.

        Only the first call for each kind asks the store.
        """
        if line.kind not in self.sent:
            metrics = self._metrics(line)
            history = (
                self.client.get_metric_history(self.run_id, metrics[-1].key) if metrics else []
            )
            self.sent[line.kind] = max((metric.step for metric in history), default=-1)
        return self.sent[line.kind]

    def _metrics(self, line: Line) -> list[Metric]:
        """Return a record as MLflow metrics, with a flag instead of values that aren't finite."""
        time_ms = int(line.time * 1000)
        values: dict[str, float] = {}
        if self.outcome in line.values:
            values[answer_name(self.plan)] = line.values[self.outcome]
        for name, value in line.values.items():
            values[safe_name(name)] = value
        # MLflow can't keep infinite values.
        if not all(math.isfinite(value) for value in values.values()):
            values = {name: value for name, value in values.items() if math.isfinite(value)}
            values["health/nonfinite"] = 1.0
        return [Metric(name, value, time_ms, line.step) for name, value in values.items()]

    def _log(self, batch: list[Metric]) -> None:
        """Send metrics in requests that MLflow accepts."""
        for start in range(0, len(batch), BATCH):
            self.client.log_batch(self.run_id, metrics=batch[start : start + BATCH])

    def _image(self, line: Line) -> None:
        """Send the figure of an evaluation, which MLflow shows with a slider over steps."""
        path = TrialFolder(self.folder).figure(line.step)
        if line.step <= self.images or not path.exists():
            return

        from PIL import Image

        with Image.open(path) as picture:
            self.client.log_image(
                self.run_id,
                picture.copy(),
                key="figure",
                step=line.step,
                timestamp=int(line.time * 1000),
            )
        self.images = line.step
        self.client.set_tag(self.run_id, "images_until_step", str(line.step))

    def _end(self, status: str, document: TrialDocument) -> None:
        """End the run with the trial's status, outcome, and time of its end."""
        last = (document.get("attempts") or [{}])[-1]
        lines = journal.effective(journal.read(self.folder))
        ended = last.get("ended") or max(
            (line.time for line in lines), default=last.get("started", 0.0)
        )

        tags = {
            "status": status,
            "fault": document.get("fault") or "",
            "error": (document.get("error") or "")[:500],
        }

        metrics = []
        curve = metric_curves(lines).get(self.plan["outcome"]["metric"])
        if status == "finished" and curve:
            rule = self.plan["outcome"]
            value = summarise(curve, rule["summary"], rule["better"])
            name = safe_name(f"outcome/{rule['metric']}_{rule['summary']}")
            if math.isfinite(value):
                metrics = [Metric(name, value, int(ended * 1000), curve[-1][0])]

        self.client.log_batch(
            self.run_id, metrics=metrics, tags=[RunTag(key, value) for key, value in tags.items()]
        )
        traceback = TrialFolder(self.folder).traceback
        if status == "failed" and traceback.exists():
            self.client.log_artifact(self.run_id, str(traceback))
        self.client.set_terminated(self.run_id, ENDS[status], int(ended * 1000))
        self.open = False
        atomic.write_json(
            TrialFolder(self.folder).tracked,
            {"run_id": self.run_id, "sent": f"{status} {last.get('ended')}"},
        )
