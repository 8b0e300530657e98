"""Runs one trial in this process: trains, writes the trial's folder, and always gives a result."""

import inspect
import os
import socket
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from ablate.disk import locks
from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.study.nouns import Trial, TrialResult
from ablate.trainers.core.trainer import ENTRY
from ablate.trainers.resolve import load_entry
from ablate.trial import figure, trial_file
from ablate.trial.environment import PeakMemory, determinism, environment, free_memory
from ablate.trial.faults import LEAVES_PROCESS, classify
from ablate.trial.journal import Journal, Line, read, size
from ablate.trial.start import NotTrained, NotTuned, forked, located, tuned
from g2g_core.record import Diverged, Record, Stopped
from reports.documents.trial import OWN, AttemptDocument, TrialDocument

Train = Callable[..., Iterator[Record]]
"""`train(config, *, device, checkpoints)`, as `g2g_core.training.loop`."""
Sink = Callable[[Record], None]
"""Receives every record of a trial."""


def run_trial(
    trial: Trial,
    folder: Path,
    sinks: Iterable[Sink] = (),
    device: str = "cpu",
    *,
    train: Train | None = None,
) -> TrialResult:
    """Run a trial, or resume it from its newest intact checkpoint, and return how it ended.

    A trial that has an outcome doesn't run again. Ray may ask for it: if the network fails, it
    doesn't hear that a trial has ended on another node.

    Args:
        trial: what to run.
        folder: the trial's folder, `OUT/<study>/trials/<id>`; created if it is missing.
        sinks: called with every record; training waits for them.
        device: `cpu` or `cuda`.
        train: function that trains; None stands for that of the core.

    Returns:
        The result. A failure is a result too, and a request to stop gives `interrupted`.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the trial's state is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locks.held(TrialFolder(folder).lock, f"trial {trial.id}", wait_s=60):
        document = trial_file.standing(folder)
        if trial_file.status_of(document) in trial_file.ENDED:
            return trial_file.result_of(trial, folder, document)
        result = _Run(trial, folder, device).run(train or load_entry(ENTRY), tuple(sinks))
        if result.fault not in LEAVES_PROCESS:
            free_memory()
        return result


class _Run:
    """One attempt at a trial, whose folder this process has locked."""

    def __init__(self, trial: Trial, folder: Path, device: str) -> None:
        self.trial, self.folder, self.device = trial, folder, device
        self.stop = StudyFolder(folder.parent.parent).stop
        self.started, self.clock, self.looked = time.time(), time.monotonic(), 0.0
        self.asks, self.stopping = False, False
        self.memory: PeakMemory | None = None
        # Training in another process, which reports its memory and time itself.
        self.elsewhere = bool(getattr(trial.config, "elsewhere", False))

        self.document: TrialDocument = trial_file.to_run(trial, folder, trial_file.read(folder))
        self.fork = forked(folder, self.document)
        lines = read(folder)
        if not self.elsewhere and _behind(lines, folder, trial.config.log_every):
            trial_file.begin_anew(folder)
            lines = []

        number = 1 + max((line.attempt for line in lines), default=len(self.document["attempts"]))
        _close_attempts(self.document, lines[-1].time if lines else None)
        # A killed attempt hadn't written it, and this one may have nothing left to do
        self.document["steps_done"] = max((line.step for line in lines), default=0)
        self.spent = float(self.document["seconds"])
        attempt: AttemptDocument = {
            "attempt": number,
            "started": self.started,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        self.document["attempts"].append(attempt)
        self.journal = Journal(folder, number)

    def run(self, train: Train, sinks: tuple[Sink, ...]) -> TrialResult:
        """Train until the end, a stop, or an error, and return the result."""
        self.document.update(
            {"status": "running", "error": None, "fault": None, "environment": environment()}
        )
        try:
            config = tuned(self.trial.config, self.folder, self.document)
            config = located(config, self.folder, self.document)
            self.document["config"] = config.to_dict()
            self.trial = replace(self.trial, config=config)
            trial_file.write(self.folder, self.document)
            options: dict[str, Any] = {
                "device": self.device,
                "checkpoints": TrialFolder(self.folder).checkpoints,
            }
            # A trainer that asks can save its state first; others end at their next record
            known = inspect.signature(train).parameters
            self.asks = "stop" in known
            if self.asks:
                options["stop"] = self._is_to_stop
            if "fork" in known:
                options |= {"forks": self.document.get("forks", ()), "fork": self.fork}
            self.memory = PeakMemory(self.device)
            records = train(config, **options)
            with _closed(records):
                for record in records:
                    self._keep(record)
                    for sink in sinks:
                        sink(record)
                    self._check_stop(record)
            return self._end("finished")
        except NotTrained as missing:
            return self._end("failed", error=str(missing), fault="pretraining")
        except NotTuned as missing:
            return self._end("failed", error=str(missing), fault="tuning")
        except Diverged as outcome:
            return self._end("diverged", error=str(outcome))
        except Stopped:
            return self._end("interrupted", error="stopped on request")
        except KeyboardInterrupt:
            self._end("interrupted", error="stopped on request")
            raise
        except Exception as error:
            return self._fail(error)

    def _keep(self, record: Record) -> None:
        """Write a record to the trial's folder."""
        if record.images:
            path = TrialFolder(self.folder).figure(record.step)
            path.parent.mkdir(exist_ok=True)
            figure.save(record.images, path)
            self.document["figure"] = figure.layout(record.images)

        self.journal.write(record.step, record.kind, record.values, record.facts)
        if record.kind == "note":
            said = {name: value for name, value in record.facts.items() if name not in OWN}
            self.document.update(cast(TrialDocument, said))
            self.document["attempts"][-1].setdefault("resumed_at", record.facts.get("resumed_at"))
            if not self.elsewhere:
                self.document["determinism"] = determinism(self.device)
            told = self.document.get("determinism") or {}
            device = str(told.get("gpu") or told.get("device") or self.device)
            self.document["attempts"][-1].setdefault("device", device)
            trial_file.write(self.folder, self.document)

        self.document["steps_done"] = max(
            record.step, self.document["attempts"][-1].get("resumed_at") or 0
        )
        # A checkpoint on the disk must never be ahead of the journal.
        if record.kind == "eval" or self.stopping or self._before_checkpoint(record.step):
            self.journal.sync()

    def _before_checkpoint(self, step: int) -> bool:
        """Return whether training writes a checkpoint after this step."""
        every = self.trial.config.checkpoint_every
        regular = step == self.trial.config.steps or (every > 0 and step % every == 0)
        return regular or step in self.document.get("forks", ())

    def _check_stop(self, record: Record) -> None:
        """Raise `Stopped` if the study is to stop and the trainer doesn't ask itself."""
        if not self.asks and record.step < self.trial.config.steps and self._is_to_stop():
            raise Stopped

    def _is_to_stop(self) -> bool:
        """Return whether the study is to stop; looks at most every 0.2 s."""
        now = time.monotonic()
        if not self.stopping and now - self.looked > 0.2:
            self.looked = now
            self.stopping = self.stop.exists()
        return self.stopping

    def _fail(self, error: Exception) -> TrialResult:
        """End as failed, with the traceback in the folder and a short message in the result."""
        fault = classify(error, self.folder)
        text = " ".join(str(error).split())[:500]
        try:
            (TrialFolder(self.folder).traceback).write_text(
                "".join(traceback.format_exception(error)), encoding="utf-8"
            )
        except OSError:
            fault = "disk_full" if fault == "bug" else fault
        return self._end("failed", error=f"{type(error).__name__}: {text}", fault=fault)

    def _end(self, status: str, error: str | None = None, fault: str | None = None) -> TrialResult:
        """Write how the trial ended, and return its result.

        On a full disk the old document stays, so the next command takes the trial as interrupted.
        """
        seconds = time.monotonic() - self.clock
        self.document["attempts"][-1].update(
            {"ended": time.time(), "seconds": round(seconds, 3), "status": status}
        )
        self.document.update(
            {
                "status": status,
                "error": error,
                "fault": fault,
                "seconds": round(self.spent + seconds, 3),
            }
        )
        if not self.elsewhere and self.memory is not None and fault not in LEAVES_PROCESS:
            peaks = self.memory.megabytes()
            before = self.document.get("peak_memory_mb") or {}
            self.document["peak_memory_mb"] = {
                kind: max(peak, before.get(kind, 0.0)) for kind, peak in peaks.items()
            }

        try:
            self.journal.close()
            self.document["history_bytes"] = size(self.folder)
            trial_file.write(self.folder, self.document)
        except OSError as full:
            fault = classify(full, self.folder)
            self.document.update(
                {"status": "failed", "error": f"{type(full).__name__}: {full}", "fault": fault}
            )
        return trial_file.result_of(self.trial, self.folder, self.document)


def _closed(records: Iterator[Record]) -> AbstractContextManager[object]:
    """Return a context that ends an unfinished training run as soon as the block is left."""
    return closing(records) if isinstance(records, Generator) else nullcontext()


def _close_attempts(document: TrialDocument, last_sign_of_life: float | None) -> None:
    """Add an end to attempts that were killed: the time of the last line that they wrote."""
    for attempt in document["attempts"]:
        if "ended" not in attempt:
            ended = max(last_sign_of_life or 0.0, attempt["started"])
            attempt.update(
                {
                    "ended": ended,
                    "seconds": round(ended - attempt["started"], 3),
                    "status": "killed",
                }
            )
            document["seconds"] = round(document["seconds"] + attempt["seconds"], 3)


def _behind(lines: Sequence[Line], folder: Path, log_every: int) -> bool:
    """Return whether the journal lacks lines: a checkpoint is of a later step than its records."""
    steps = [
        int(path.stem.removeprefix("step_"))
        for path in (TrialFolder(folder).checkpoints).glob("step_*.pt")
    ]
    recorded = [line.step for line in lines if line.kind != "note"]
    # Up to `log_every` - 1 steps before a checkpoint have no record yet.
    return bool(steps) and max(steps) - max(recorded, default=-1) >= max(1, log_every)
