"""What a study will cost, from a few measured steps of each kind of trial: hours, memory, disk.

Trials that do the same work a step (equal networks, data, losses that are on, precision, metrics)
are one kind.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from ablate.disk import atomic
from ablate.running.driver import CORE_TRAINER, load_trainer
from ablate.study.nouns import StudyError, Trial
from ablate.trial import journal, trial_file
from ablate.trial.run import run_trial
from g2g_core.checkpoints.checkpoint_file import KEPT
from g2g_core.config import TrialConfig

NAME = "pilot.json"
STEPS = 8
"""Measured steps of each kind; the first is left out of the median."""

COSTLESS = (
    "seed",
    "lr_generator",
    "lr_discriminator",
    "weight_decay",
    "restore",
    "schedules",
    "steps",
    "log_every",
    "eval_every",
    "checkpoint_every",
    "discriminator_warmup",
    "checkpoint",
)
"""Fields that do not change the cost of a step."""


@dataclass(frozen=True)
class Kind:
    """Trials of one cost, and what a trial of it takes.

    Attributes:
        trials: how many of them are still to run.
        example: label of the one that was measured.
        step_s: seconds of a step, median.
        eval_s: seconds of an evaluation, median.
        start_s: seconds before the first step.
        memory_mb: peak resident memory.
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
        trials: how many.
        seconds: training time of all of them, added up.
        wall_s: with `workers` at once.
        workers: trials at once.
        memory_mb: of the trials that run at once.
        disk_mb: of their folders.
        kinds: what was measured.
    """

    trials: int
    seconds: float
    wall_s: float
    workers: int
    memory_mb: float
    disk_mb: float
    kinds: tuple[Kind, ...]

    def write(self, folder: Path) -> None:
        """Keep the prediction beside the study's results, where the report finds it."""
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_json(folder / NAME, asdict(self))


def pilot(
    trials: Sequence[Trial],
    workers: int,
    say: Callable[[str], None],
    trainer: str = CORE_TRAINER,
    device: str = "cpu",
) -> Pilot:
    """Measure a few steps of each kind of trial and predict what all of them cost.

    Args:
        trials: still to run.
        workers: trials at once.
        say: takes a line about the progress.
        trainer: `module:function` of the training run.
        device: `cpu` or `cuda`.

    Raises:
        StudyError: a kind of trial fails in its first steps; the message has its error. Or trials
            are runs of a program, of which no few steps can be measured.
    """
    kinds: dict[str, list[Trial]] = {}
    for trial in trials:
        kinds.setdefault(_kind(trial), []).append(trial)
    measured, seconds, disk = [], 0.0, 0.0
    for number, alike in enumerate(kinds.values()):
        say(f"pilot {number + 1} of {len(kinds)}: {STEPS} steps of {alike[0].label}")
        kind, bytes_of = _measure(alike, trainer, device)
        measured.append(kind)
        for trial in alike:
            config = _core_config(trial)
            evaluations = 1 + len(_due(config.steps, config.eval_every))
            seconds += kind.start_s + config.steps * kind.step_s + evaluations * kind.eval_s
            checkpoints = min(KEPT, len(_due(config.steps, config.checkpoint_every)))
            disk += bytes_of(config.steps // config.log_every, evaluations, checkpoints)
    at_once = max(1, min(workers, len(trials)))
    memory = max((kind.memory_mb for kind in measured), default=0.0) * at_once
    return Pilot(
        len(trials), seconds, seconds / at_once, at_once, memory, disk / 2**20, tuple(measured)
    )


def _core_config(trial: Trial) -> TrialConfig:
    """The config of a trial of the core; StudyError for any other."""
    if not isinstance(trial.config, TrialConfig):
        raise StudyError(
            "--pilot: a few steps of a program cannot be measured; the first trial of it tells the cost"
        )
    return trial.config


def _kind(trial: Trial) -> str:
    """Equal for trials whose steps cost the same."""
    config = _core_config(trial)
    document = {name: value for name, value in config.to_dict().items() if name not in COSTLESS}
    document["losses"] = sorted(name for name, weight in config.losses.items() if weight)
    return repr(document)


def _measure(
    alike: Sequence[Trial], trainer: str, device: str
) -> tuple[Kind, Callable[[int, int, int], float]]:
    """Run the first of them for a few steps in a scratch folder, with all its losses on from the
    first."""
    trial = alike[0]
    whole = replace(_core_config(trial), discriminator_warmup=0, schedules={})
    short = replace(whole, steps=STEPS, eval_every=STEPS, log_every=1, checkpoint_every=0)
    with tempfile.TemporaryDirectory(prefix="g2g-pilot-") as scratch:
        folder = Path(scratch) / "trials" / trial.id
        result = run_trial(
            replace(trial, config=short), folder, device=device, train=load_trainer(trainer)
        )
        if result.status == "failed":
            raise StudyError(f"pilot of {trial.label}: {result.error}")
        lines = journal.read(folder)
        steps = [line.values["time/step_s"] for line in lines if "time/step_s" in line.values]
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

    def bytes_of(lines: int, evaluations: int, checkpoints: int) -> float:
        """The checkpoints that are kept, a figure an evaluation, the lines of the history."""
        kept, drawn = checkpoints * sizes["checkpoint"], sizes["images"] / figures * evaluations
        return kept + drawn + sizes["history"] / STEPS * lines

    return Kind(len(alike), trial.label, step_s, eval_s, start_s, memory), bytes_of


def _due(steps: int, every: int) -> set[int]:
    """The steps after which something is done that is due every so many steps, and at the end."""
    return {steps, *(range(every, steps + 1, every) if every > 0 else ())}
