"""The folders that a study and its trials leave: the one place that knows every file's name."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class OutFolder:
    """`OUT`, with what the studies in it share.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def store(self) -> Path:
        """The MLflow store of the studies that name no other."""
        return self.path / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """The folder of the artifacts of all experiments in a store that is a file here."""
        return self.path / "mlartifacts"


@dataclass(frozen=True)
class StudyFolder:
    """`OUT/<study>`, with the files of the study as a whole.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def lock(self) -> Path:
        """Held by the command that works on the study."""
        return self.path / ".lock"

    @property
    def stop(self) -> Path:
        """While this file exists, every trial ends at its next record."""
        return self.path / "stop"

    @property
    def study(self) -> Path:
        """The study file as given."""
        return self.path / "study.yaml"

    @property
    def resolved(self) -> Path:
        """The study as understood, in one file."""
        return self.path / "study.resolved.yaml"

    @property
    def judge(self) -> Path:
        """What was asked of runs that others made, `judge.yaml`."""
        return self.path / "judge.yaml"

    @property
    def continued(self) -> Path:
        """The study file that would settle what runs of others left open."""
        return self.path / "continue.yaml"

    @property
    def plan(self) -> Path:
        """The plan, `plan.json`."""
        return self.path / "plan.json"

    @property
    def plan_table(self) -> Path:
        """The plan's trials, one row per trial."""
        return self.path / "plan.csv"

    @property
    def registration(self) -> Path:
        """What `plan --register` wrote."""
        return self.path / "registration.json"

    @property
    def checked(self) -> Path:
        """What the check of the first steps found."""
        return self.path / "checked.json"

    @property
    def pilot(self) -> Path:
        """What `plan --pilot` predicted."""
        return self.path / "pilot.json"

    @property
    def driver_log(self) -> Path:
        """What the process that drives Ray printed."""
        return self.path / "driver.log"

    @property
    def tracking_log(self) -> Path:
        """What the process that talks to MLflow printed."""
        return self.path / "tracking.log"

    @property
    def tracking(self) -> Path:
        """Where the study is tracked, and whether tracking is complete."""
        return self.path / "tracking.json"

    @property
    def trials_table(self) -> Path:
        """The results, one row per trial."""
        return self.path / "trials.csv"

    @property
    def history_table(self) -> Path:
        """The curves of all trials."""
        return self.path / "history.parquet"

    @property
    def made(self) -> Path:
        """From which content tables and report were made."""
        return self.path / "made.json"

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.path / "report"

    @property
    def page(self) -> Path:
        """The report as HTML."""
        return self.report / "index.html"

    @property
    def report_data(self) -> Path:
        """The report as JSON."""
        return self.report / "data" / "report.json"

    @property
    def trials(self) -> Path:
        """The folder of the trials' folders."""
        return self.path / "trials"

    def trial(self, id_: str) -> Path:
        """Return the folder of a trial."""
        return self.trials / id_


@dataclass(frozen=True)
class TrialFolder:
    """`OUT/<study>/trials/<id>`, with the files of one trial.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def study(self) -> StudyFolder:
        """The folder of the trial's study."""
        return StudyFolder(self.path.parent.parent)

    @property
    def lock(self) -> Path:
        """Held by the process that runs the trial."""
        return self.path / ".lock"

    @property
    def document(self) -> Path:
        """What the trial is and how it ended, `trial.json`."""
        return self.path / "trial.json"

    @property
    def journal(self) -> Path:
        """Its records, one line per record."""
        return self.path / "history.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.path / "checkpoints"

    def fork(self, step: int) -> Path:
        """Return the checkpoint after a step that stays for trials that continue from there."""
        return self.checkpoints / "forks" / f"step_{step:08d}.pt"

    def fork_steps(self) -> list[int]:
        """Return the steps after which such checkpoints are there."""
        files = self.fork(0).parent.glob("step_*.pt")
        return sorted(int(file.stem.removeprefix("step_")) for file in files)

    @property
    def images(self) -> Path:
        """The folder of its figures."""
        return self.path / "images"

    def figure(self, step: int) -> Path:
        """Return the figure of an evaluation."""
        return self.images / f"figure_{step:06d}.png"

    @property
    def traceback(self) -> Path:
        """The traceback of a failure."""
        return self.path / "traceback.txt"

    @property
    def program_log(self) -> Path:
        """What a program that trained the trial printed."""
        return self.path / "trial.log"

    @property
    def tracked(self) -> Path:
        """Which MLflow run the trial is, and what was sent of it."""
        return self.path / "mlflow.json"


OF_A_TRIAL = tuple(
    file.name
    for trial in (TrialFolder(Path("trial")),)
    for file in (
        trial.document,
        trial.journal,
        trial.program_log,
        trial.traceback,
        trial.tracked,
        trial.lock,
        trial.images,
        trial.checkpoints,
    )
)
"""Names in a trial's folder that a program which trains in it must not use."""
