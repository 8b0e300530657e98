"""Brings one trial's run in MLflow up to date with the trial's folder.

MLflow never changes a param of a run, but a study may rename its factors and levels. So the tags
say how the study names them now, and the params how it did when the run began. Where the two
differ, the tag `earlier_names` lists the params. Prepared views use only the tags.

A run whose numbers differ from the folder's, because the trial was trained again elsewhere or from
nothing, is not corrected, because MLflow keeps every value. A new run replaces it.
"""

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag

from ablate.disk.folder import TrialFolder
from ablate.results.tables import metric_curves
from ablate.study.outcome import summarise
from ablate.tracking.pages import (
    FACTOR_TAG,
    answer_name,
    colour,
    factor_tag,
    safe_name,
    trial_note,
)
from ablate.tracking.runs import TRIAL
from ablate.trial import journal, trial_file
from ablate.trial.journal import Line
from g2g_base import atomic
from reports.documents.names import ArmNames
from reports.documents.plan import PlanDocument
from reports.documents.trial import TrialDocument

BATCH = 1000
"""Metrics, params, and tags per request; MLflow accepts no more."""
ENDS = {"finished": "FINISHED", "diverged": "FAILED", "failed": "FAILED", "interrupted": "KILLED"}
"""Status of a trial -> status of its run."""


class OtherNumbersError(Exception):
    """The run has values that the trial's folder does not have."""


class TrialForwarder:
    """Sends a trial's records to its run, each step once, even after interruptions.

    Each request costs a server with passwords tens of milliseconds, so a short trial takes few.

    Args:
        client: client of the store.
        run: the trial's run, as the store has it.
        folder: the trial's folder.
        plan: the content of plan.json.
        planned: the trial's entry in the plan.
        tags: further tags of the run.
        new: whether the run was just created, so that the store has no values of it.

    Attributes:
        metrics, params, new_tags: what the next request will send.
        sent: kind of record -> steps that the store has.
        described: whether name, tags, and params were sent, or wait in the next request.
        ended: the end of the trial that was sent; None if it has none.
    """

    def __init__(
        self,
        client: MlflowClient,
        run: Run,
        folder: Path,
        plan: PlanDocument,
        planned: Mapping[str, Any],
        tags: Mapping[str, str] | None = None,
        new: bool = False,
    ) -> None:
        self.client, self.run_id, self.folder = client, run.info.run_id, folder
        self.plan, self.planned = plan, planned
        self.tags = trial_tags(plan, planned) | dict(tags or {})
        self.outcome = f"metric/{plan['outcome']['metric']}"
        self.offset, self.inode = 0, 0
        self.sent: dict[str, set[int]] = {}
        self.metrics: list[Metric] = []
        self.params: list[Param] = []
        self.new_tags: list[RunTag] = []
        self.described = False
        self.ended: str | None = None

        self.run, self.new = run, new
        self.images = int(run.data.tags.get("images_until_step", -1))
        self.open = run.info.status == "RUNNING"
        self.spoiled = math.isnan(run.data.metrics.get(answer_name(plan), 0.0))

    def forward(self, document: TrialDocument, last: bool) -> bool:
        """Send what is new; return False if the trial's end was sent before.

        Args:
            document: the trial's document, see `trial_file.standing`.
            last: whether the command ends, so that no run may stay open.

        Raises:
            OtherNumbersError: the run belongs to another history of this trial.
        """
        status = trial_file.status_of(document)
        if last and (status == "planned" or trial_file.died(self.folder, document)):
            status = "interrupted"
        end = f"{status} {(document.get('attempts') or [{}])[-1].get('ended')}"
        if end == self.ended:
            return False

        lines = self._new_lines()
        self._compare(lines)
        if status not in ENDS and not self.open:
            self.client.update_run(self.run_id, status="RUNNING")
            self.open = True
        self._describe(document)
        self._send(lines)
        if status not in ENDS:
            self._flush()
        else:
            self._end(status, document)
            self.ended = end
            # All trials' steps take memory, and one that begins again asks the store
            self.sent.clear()
            self.new = False
        return True

    def _describe(self, document: TrialDocument) -> None:
        """Send name, tags, params, and the whole config, on the first call only."""
        if self.described:
            return

        # Values that are already there are not sent again
        before = self.run.data
        params = {safe_name(name): level for name, level in self.planned["levels"].items()}
        params.setdefault("seed", str(self.planned["seed"]))
        cut = {name: value[:6000] for name, value in params.items()}
        new = [Param(name, value) for name, value in cut.items() if name not in before.params]
        earlier = [name for name, value in before.params.items() if cut.get(name) != value]

        tags = self.tags | _chosen(document)
        tags |= {"earlier_names": ", ".join(earlier)[:5000]} if earlier else {}
        changed = [
            RunTag(key, value) for key, value in tags.items() if before.tags.get(key) != value
        ]
        self.params, self.new_tags = new, changed
        for key in before.tags:
            if key not in tags and (key.startswith(FACTOR_TAG) or key == "earlier_names"):
                self.client.delete_tag(self.run_id, key)
        # A name that a user gave the run stays until the study's own name for it changes
        if before.tags.get("label") != tags["label"] and self.run.info.run_name != tags["label"]:
            self.client.update_run(self.run_id, name=tags["label"])

        if "config" in document:
            self.client.log_dict(self.run_id, document["config"], "config.json")
        atomic.write_json(TrialFolder(self.folder).tracked, {"run_id": self.run_id})
        self.described = True

    def _compare(self, lines: Sequence[Line]) -> None:
        """Compare the run with the journal, for each kind of record that is new to this process.

        Raises:
            OtherNumbersError: the run has a value of a step that the journal does not have.
        """
        for kind in {line.kind for line in lines} - {"note", *self.sent}:
            records = [(line.step, self._metrics(line)) for line in lines if line.kind == kind]
            # Times differ when a step is repeated, and the answer ends with NaN, see `_end`
            names = Counter(
                metric.key
                for _, metrics in records
                for metric in metrics
                if not metric.key.startswith("time/") and metric.key != answer_name(self.plan)
            )
            if not names:
                continue

            key = names.most_common(1)[0][0]
            known: dict[int, list[float]] = {}
            for step, metrics in records:
                known.setdefault(step, []).extend(m.value for m in metrics if m.key == key)
            history = [] if self.new else self.client.get_metric_history(self.run_id, key)
            for metric in history:
                values = known.get(metric.step)
                # The run may be ahead of a journal that a power cut has shortened
                if values and not any(math.isclose(metric.value, v, rel_tol=1e-9) for v in values):
                    raise OtherNumbersError(self.run_id)
            self.sent[kind] = {metric.step for metric in history}

    def _new_lines(self) -> list[Line]:
        """Return the complete lines that were added since the last call."""
        path = TrialFolder(self.folder).journal
        if not path.exists():
            return []
        with path.open("rb") as file:
            # A trial that started again from nothing has a new journal.
            if (inode := os.fstat(file.fileno()).st_ino) != self.inode:
                self.new = self.new and self.inode == 0
                self.offset, self.inode = 0, inode
                self.sent.clear()
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
        evaluated = []
        for line in lines:
            steps = self.sent.setdefault(line.kind, set())
            if line.kind == "note" or line.step in steps:
                continue
            steps.add(line.step)
            self._add(self._metrics(line))
            if line.kind == "eval":
                evaluated.append(line)

        for line in evaluated:
            self._image(line)

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

    def _add(self, metrics: Sequence[Metric]) -> None:
        """Add metrics to the next request, and send full requests."""
        if self._waiting() + len(metrics) > BATCH:
            self._flush()
        self.metrics += metrics

    def _waiting(self) -> int:
        """Return how much the next request holds."""
        return len(self.metrics) + len(self.params) + len(self.new_tags)

    def _flush(self) -> None:
        """Send what waits, in requests that MLflow accepts."""
        while self._waiting():
            room = BATCH - len(self.params) - len(self.new_tags)
            batch, self.metrics = self.metrics[:room], self.metrics[room:]
            self.client.log_batch(self.run_id, batch, self.params, self.new_tags)
            self.params, self.new_tags = [], []

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
        if status in ("diverged", "failed"):
            # MLflow sorts NaN behind all numbers, so a value from before the fault ranks nowhere
            step = max((line.step for line in lines if line.kind != "note"), default=0)
            # Of two values of a step, MLflow takes the later one; of the same millisecond, the
            # larger one
            newest_ms = max((int(line.time * 1000) for line in lines), default=0)
            time_ms = max(int(ended * 1000), newest_ms + 1)
            metrics = [Metric(answer_name(self.plan), math.nan, time_ms, step)]
        curve = metric_curves(lines).get(self.plan["outcome"]["metric"])
        if self.spoiled and not metrics and curve:
            metrics += self._restored(curve[-1][1])
        self.spoiled = status in ("diverged", "failed")
        if status == "finished" and curve:
            rule = self.plan["outcome"]
            value = summarise(curve, rule["summary"], rule["better"])
            name = safe_name(f"outcome/{rule['metric']}_{rule['summary']}")
            if math.isfinite(value):
                metrics.append(Metric(name, value, int(ended * 1000), curve[-1][0]))

        self.new_tags += [RunTag(key, value) for key, value in tags.items()]
        self._add(metrics)
        self._flush()
        traceback = TrialFolder(self.folder).traceback
        if status == "failed" and traceback.exists():
            self.client.log_artifact(self.run_id, str(traceback))
        self.client.set_terminated(self.run_id, ENDS[status], int(ended * 1000))
        self.open = False
        atomic.write_json(
            TrialFolder(self.folder).tracked,
            {"run_id": self.run_id, "sent": f"{status} {last.get('ended')}"},
        )

    def _restored(self, value: float) -> list[Metric]:
        """Return the answer of a trial that failed and was run again, later than its NaN.

        The trial may have failed after its last record, so no new record follows the NaN.
        """
        name = answer_name(self.plan)
        history = self.client.get_metric_history(self.run_id, name)
        if not history or not math.isfinite(value):
            return []
        step = max(metric.step for metric in history)
        time_ms = max(metric.timestamp for metric in history if metric.step == step)
        return [Metric(name, value, time_ms + 1, step)]


def _chosen(document: TrialDocument) -> dict[str, str]:
    """Return the tag with the value that a trial has chosen; empty if it has chosen none."""
    tuned = document.get("tuned", {})
    if "value" not in tuned:
        return {}
    return {safe_name(f"chosen.{tuned['path']}"): str(tuned["value"])[:5000]}


def trial_tags(plan: PlanDocument, planned: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a trial's run that follow from the plan.

    Args:
        plan: the content of plan.json.
        planned: the trial's entry in the plan.
    """
    levels, names = planned["levels"], ArmNames(plan)
    tags = {
        "role": TRIAL,
        "study": plan["name"],
        "trial_id": planned["trial_id"],
        "cell_id": planned["cell_id"],
        "arm_code": names.code(levels)[:5000],
        "arm": names.words(levels)[:5000],
        "seed": str(planned["seed"]),
        **({"network": str(planned["network"])} if "network" in planned else {}),
        "label": names.trial(levels, planned["seed"])[:240],
        "mlflow.runColor": colour(plan, planned["cell_id"]),
        "mlflow.source.name": "g2g-ablate",
        "mlflow.note.content": trial_note(plan, planned, names)[:5000],
    }
    return tags | {factor_tag(name): level[:5000] for name, level in levels.items()}
