"""What a command runs: trials of one or several studies, some of which wait for others."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ablate.disk.folder import StudyFolder, TrialFolder
from ablate.study.nouns import Trial
from ablate.trial import trial_file
from ablate.trial.faults import MEMORY


@dataclass(frozen=True)
class Need:
    """What a trial waits for: that another one has ended, or has left a checkpoint.

    Attributes:
        folder: the other trial's folder.
        step: the step after which it leaves a checkpoint; None: the trial must have ended.
    """

    folder: Path
    step: int | None = None

    def met(self) -> bool:
        """Return whether the wait is over, for better or worse."""
        if self.step is not None and TrialFolder(self.folder).fork(self.step).is_file():
            return True
        return over(self.folder)


@dataclass(frozen=True)
class Item:
    """A trial to run.

    Attributes:
        trial: the trial.
        folder: its folder, as an absolute path.
        needs: what it waits for.
    """

    trial: Trial
    folder: Path
    needs: tuple[Need, ...] = ()


def over(folder: Path) -> bool:
    """Return whether a trial has an outcome, or failed for good, so that it doesn't run again.

    A trial that ran out of memory may still finish with fewer trials at a time.
    """
    document = trial_file.read(folder)
    failed = trial_file.status_of(document) == "failed" and document.get("fault") not in MEMORY
    return failed or trial_file.status_of(document) in trial_file.ENDED


def studies(trials: Iterable[Path]) -> list[Path]:
    """Return the folders of the studies that trials' folders belong to, each once."""
    return list(dict.fromkeys(TrialFolder(folder).study.path for folder in trials))


def ask_to_stop(studies: Iterable[Path]) -> None:
    """Ask all trials of studies to end at their next record."""
    for study in studies:
        StudyFolder(study).stop.touch()


def asked_to_stop(studies: Iterable[Path]) -> bool:
    """Return whether somebody has asked the trials of some of these studies to end."""
    return any(StudyFolder(study).stop.exists() for study in studies)
