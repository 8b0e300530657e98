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
from reports.documents.trial import TrialDocument

JUDGED_STEPS = 1
"""Last step whose values are judged where sums have no fixed order.

Such a run differs from its repetition by rounding. Training multiplies that difference: after some
hundred steps, a value of a correct repetition may be a fifth away.
"""
TOLERANCE = {"bfloat16": 0.05}
"""Precision -> relative difference that rounding explains so early; 0.01 for all others."""


@dataclass(frozen=True)
class Verification:
    """The comparison of a trial with its repetition.

    Attributes:
        trial_id: id of the trial.
        equal: whether the same values were recorded, and all judged ones agree within `tolerance`.
        values: how many recorded numbers were compared, which are all except times.
        judged: how many of them `tolerance` applies to.
        different: how many of the judged ones differ by more than `tolerance`, or are missing.
        largest: the largest relative difference of all values.
        tolerance: relative difference that is allowed; 0 if values must be identical.
        first: the first difference in words, or None.
        why: why values need not be identical, or None.
    """

    trial_id: str
    equal: bool
    values: int
    judged: int
    different: int
    largest: float
    tolerance: float
    first: str | None
    why: str | None = None

    @property
    def sentence(self) -> str:
        """The comparison in words, on a single line."""
        if not self.equal:
            count = f"{self.different} of {self.judged or self.values} values"
            return f"{self.trial_id}: {count} differ: first {self.first}"
        if self.why is None:
            return f"{self.trial_id}: {self.values} values repeated, all bit-identical"
        return (
            f"{self.trial_id}: {self.judged} values up to step {JUDGED_STEPS} repeated, "
            f"all within {self.tolerance:.0%}. The later ones ({self.values - self.judged}) "
            f"aren't judged, because {self.why}; "
            f"the largest difference is {self.largest:.2g} of the value"
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
        why = _inexact(document, trial_file.read(repeat))
        precision = str(trial.config.to_dict().get("precision"))
        tolerance = 0.0 if why is None else TOLERANCE.get(precision, 0.01)
        return compare(trial.id, folder, repeat, tolerance, why)


def _inexact(before: TrialDocument, now: TrialDocument) -> str | None:
    """Return why a repetition need not be identical to the trial; None: it must be."""
    old, new = (document.get("determinism") or {} for document in (before, now))
    if old.get("device", "cpu") == "cpu":
        return None
    if not old.get("bit_equal"):
        return "it ran without `deterministic: true`"
    if old.get("gpu") != new.get("gpu"):
        return f"it ran on {old.get('gpu')}, and the repetition on {new.get('gpu')}"
    return None


def compare(
    trial_id: str, folder: Path, repeat: Path, tolerance: float = 0.0, why: str | None = None
) -> Verification:
    """Compare the journals of two trial folders, without times.

    Args:
        trial_id: id of the trial.
        folder: the trial's folder.
        repeat: folder of the repetition.
        tolerance: relative difference that is allowed.
        why: why values need not be identical, so that only the first steps are judged; None:
            they must be.
    """
    old, new = (_values(path) for path in (folder, repeat))
    keys = sorted(old.keys() | new.keys())
    judged = {key for key in keys if why is None or key[0] <= JUDGED_STEPS}

    different, largest, first = 0, 0.0, None
    for key in keys:
        a, b = old.get(key), new.get(key)
        gap = _gap(a, b)
        largest = max(largest, gap)
        if (key in judged and gap > tolerance) or a is None or b is None:
            different += 1
            first = first or f"{key[1]} at step {key[0]}: {a} before, {b} now"

    return Verification(
        trial_id, not different, len(keys), len(judged), different, largest, tolerance, first, why
    )


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
