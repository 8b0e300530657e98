"""The cost of a study in hours, memory, and disk, predicted from a few steps of each kind of trial.

Trials are of the same kind if they do the same work in each step. They have the same networks,
data, active losses, precision, and metrics.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from ablate.disk.folder import StudyFolder
from ablate.study.nouns import StudyError, Trial
from ablate.trainers.core.trainer import CoreTrainer
from ablate.trainers.resolve import load_entry
from ablate.trainers.trainer import Amounts, StudyTrainer
from ablate.trial import journal, trial_file
from ablate.trial.journal import Line
from ablate.trial.run import run_trial
from g2g_base import atomic

STEPS = 8
"""Number of measured steps of each kind; the median leaves out the first."""


@dataclass(frozen=True)
class Kind:
    """Trials whose steps cost the same, and the measured cost of one of them.

    Attributes:
        trials: number of these trials that are still to run.
        example: label of the trial that was measured.
        step_s: median seconds per step.
        eval_s: median seconds per evaluation.
        start_s: seconds before the first step.
        memory_mb: peak resident memory of a trial, in MB.
    """

    trials: int
    example: str
    step_s: float
    eval_s: float
    start_s: float
    memory_mb: float


@dataclass(frozen=True)
class Pilot:
    """The predicted cost of the trials that are still to run.

    Attributes:
        trials: number of trials.
        seconds: sum of the training times of all trials.
        wall_s: duration of the study in seconds, with `workers` trials at a time.
        workers: number of trials that run at a time.
        memory_mb: memory of the trials that run at a time, in MB.
        disk_mb: size of the folders of all trials, in MB.
        kinds: the measured kinds of trials.
    """

    trials: int
    seconds: float
    wall_s: float
    workers: int
    memory_mb: float
    disk_mb: float
    kinds: tuple[Kind, ...]

    def write(self, folder: Path) -> None:
        """Write the prediction to the study's folder, where the report finds it."""
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_json(StudyFolder(folder).pilot, asdict(self))


def pilot(
    trials: Sequence[Trial],
    workers: int,
    say: Callable[[str], None],
    trainer: StudyTrainer | None = None,
    device: str = "cpu",
    entry: str | None = None,
) -> Pilot:
    """Measure a few steps of each kind of trial and predict the cost of all trials.

    Args:
        trials: trials that are still to run.
        workers: number of trials that run at a time.
        say: function that takes a line about the progress.
        trainer: trainer of the trials; None: the core.
        device: `cpu` or `cuda`.
        entry: the training run, `module:function`; None: that of the trainer.

    Raises:
        StudyError: a kind of trial fails in its first steps, or the trainer cannot stop after a few
            steps.
    """
    trainer = trainer or CoreTrainer()
    kinds: dict[str, list[Trial]] = {}
    for trial in trials:
        kinds.setdefault(trainer.cost_kind(trial.config), []).append(trial)

    measured, seconds, disk = [], 0.0, 0.0
    for number, alike in enumerate(kinds.values()):
        say(f"pilot {number + 1} of {len(kinds)}: {STEPS} steps of {alike[0].label}")
        kind, bytes_of = _measure(alike, trainer, device, entry or trainer.entry)
        measured.append(kind)
        for trial in alike:
            work = trainer.amounts(trial.config)
            seconds += kind.start_s + work.steps * kind.step_s + work.evaluations * kind.eval_s
            disk += bytes_of(work)

    at_once = max(1, min(workers, len(trials)))
    memory = max((kind.memory_mb for kind in measured), default=0.0) * at_once
    return Pilot(
        len(trials), seconds, seconds / at_once, at_once, memory, disk / 2**20, tuple(measured)
    )


def _measure(
    alike: Sequence[Trial], trainer: StudyTrainer, device: str, entry: str
) -> tuple[Kind, Callable[[Amounts], float]]:
    """Run the first of these trials for a few steps in a scratch folder.

    Returns:
        The measured cost, and a function that predicts the bytes on disk of a trial of this kind.
    """
    trial = alike[0]
    short = trainer.short(trial.config, STEPS)
    with tempfile.TemporaryDirectory(prefix="g2g-pilot-") as scratch:
        folder = StudyFolder(Path(scratch)).trial(trial.id)
        result = run_trial(
            replace(trial, config=short), folder, device=device, train=load_entry(entry)
        )
        if result.status == "failed":
            raise StudyError(f"pilot of {trial.label}: {result.error}")

        lines = journal.read(folder)
        steps = _step_seconds(lines)
        evaluations = [line.values["time/eval_s"] for line in lines if "time/eval_s" in line.values]
        step_s, eval_s = median(steps[1:] or steps or [0.0]), median(evaluations or [0.0])
        start_s = max(0.0, result.seconds - sum(steps) - sum(evaluations))
        memory = (trial_file.read(folder).get("peak_memory_mb") or {}).get("host", 0.0)

        sizes: dict[str, int] = {
            name: sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
            for name, pattern in (
                ("checkpoint", "checkpoints/*"),
                ("images", "images/*"),
                ("history", "history.jsonl"),
            )
        }
    figures = max(1, len(evaluations))

    def bytes_of(work: Amounts) -> float:
        """Return the size of the kept checkpoints, one figure per evaluation, and the history."""
        checkpoints = work.checkpoints * sizes["checkpoint"]
        drawn = sizes["images"] / figures * work.evaluations
        return checkpoints + drawn + sizes["history"] / STEPS * work.lines

    return Kind(len(alike), trial.label, step_s, eval_s, start_s, memory), bytes_of


def _step_seconds(lines: Sequence[Line]) -> list[float]:
    """Return the seconds of each step, recorded by the trainer or else taken between records."""
    measured = [line.values["time/step_s"] for line in lines if "time/step_s" in line.values]
    recorded = [line for line in lines if line.kind != "note"]
    return measured or [
        (now.time - before.time) / (now.step - before.step)
        for before, now in pairwise(recorded)
        if now.step > before.step
        for _ in range(now.step - before.step)
    ]
