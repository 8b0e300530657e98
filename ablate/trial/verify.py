"""Runs a finished trial again from nothing, and compares all recorded values."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ablate.disk.folder import StudyFolder
from ablate.study.nouns import StudyError
from ablate.trainers.core.trainer import ENTRY
from ablate.trainers.resolve import entry_of, load_entry
from ablate.trial import journal, trial_file
from ablate.trial.run import run_trial

GPU_TOLERANCE = 0.05
"""Relative difference allowed on a GPU, which does not add numbers in a fixed order."""


@dataclass(frozen=True)
class Verification:
    """The comparison of a trial with its repetition.

    Attributes:
        trial_id: id of the trial.
        equal: whether all values agree within `tolerance`.
        values: how many recorded numbers were compared, which are all except times.
        different: how many of them differ by more than `tolerance`.
        largest: the largest relative difference.
        tolerance: relative difference that is allowed; 0 on a CPU, where values must be identical.
        first: the first difference in words, or None.
    """

    trial_id: str
    equal: bool
    values: int
    different: int
    largest: float
    tolerance: float
    first: str | None

    @property
    def sentence(self) -> str:
        """The comparison in words, on a single line."""
        limit = "to the bit" if self.tolerance == 0 else f"within {self.tolerance:.0%}"
        if self.equal:
            return f"{self.trial_id}: {self.values} values repeated, all equal {limit}"
        return (
            f"{self.trial_id}: {self.different} of {self.values} values differ: first {self.first}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


def verify_trial(
    study: Path, folder: Path, say: Callable[[str], None], trainer: str = ENTRY
) -> Verification:
    """Repeat a trial in a scratch folder and compare every recorded value.

    Args:
        study: `OUT/<study>`.
        folder: the trial's folder in the study.
        say: called with a message about the progress.
        trainer: the function that trains, as `module:function`.

    Raises:
        StudyError: the trial has no outcome yet, or the repeat failed.
    """
    document = trial_file.standing(folder)
    if trial_file.status_of(document) not in trial_file.ENDED:
        raise StudyError(
            f"{folder}: only a trial with an outcome can be verified; "
            f"this one is {trial_file.status_of(document)}"
        )

    trial = trial_file.trial_of(document)
    device = str((document.get("determinism") or {}).get("device", "cpu"))
    steps = trial.config.steps or document.get("steps_done", 0)
    say(f"repeating {trial.label}: {steps} steps on {device}, took {document['seconds']:.0f} s")

    with tempfile.TemporaryDirectory(prefix="verify-", dir=study) as scratch:
        repeat = StudyFolder(Path(scratch)).trial(trial.id)
        result = run_trial(
            trial, repeat, device=device, train=load_entry(entry_of(trial.config, trainer))
        )
        if result.status not in trial_file.ENDED:
            raise StudyError(f"the repeat of {trial.id} ended as {result.status}: {result.error}")
        return compare(trial.id, folder, repeat, 0.0 if device == "cpu" else GPU_TOLERANCE)


def compare(trial_id: str, folder: Path, repeat: Path, tolerance: float) -> Verification:
    """Compare the journals of two trial folders, without times.

    Args:
        trial_id: id of the trial.
        folder: the trial's folder.
        repeat: folder of the repetition.
        tolerance: relative difference that is allowed.
    """
    old, new = (_values(path) for path in (folder, repeat))
    different, largest, first = 0, 0.0, None
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key), new.get(key)
        gap = _gap(a, b)
        largest = max(largest, gap)
        if gap > tolerance:
            different += 1
            first = first or f"{key[1]} at step {key[0]}: {a} before, {b} now"

    values = len(old.keys() | new.keys())
    return Verification(trial_id, different == 0, values, different, largest, tolerance, first)


def _values(folder: Path) -> dict[tuple[int, str], float]:
    """Return (step, name) -> value for everything in a journal except times."""
    lines = journal.effective(journal.read(folder))
    return {
        (line.step, name): value
        for line in lines
        for name, value in line.values.items()
        if not name.startswith("time/")
    }


def _gap(a: float | None, b: float | None) -> float:
    """Return the relative difference of two values.

    It is 0 if they are the same or both NaN. It is infinite if a value is missing, or if they
    differ and one of them is not finite.
    """
    if a is None or b is None:
        return math.inf
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(a - b) / max(abs(a), abs(b))
