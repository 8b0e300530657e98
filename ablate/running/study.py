"""A study from its plan to its tables, tracking and report; the same call again goes on where it
stopped."""

import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ablate.disk import atomic, locks
from ablate.disk.locks import Share
from ablate.disk.signals import terminated_as_interrupted
from ablate.planning import plan_file
from ablate.planning.plan_file import plan_csv, plan_record, resolved_yaml
from ablate.results import tables
from ablate.running import looks
from ablate.running.driver import CORE_TRAINER, Infrastructure, Job, execute, settle, trainer_of
from ablate.running.progress import Progress
from ablate.running.resources import (
    Resources,
    computes_bfloat16,
    machine_cpus,
    machine_gpus,
    resolve,
)
from ablate.study.nouns import Plan, StudyError, StudySpec, Trial, TrialResult
from ablate.tracking.process import OFF, Forwarding, all_sent, reachable, tracking_address
from ablate.trial import trial_file
from ablate.trial.faults import NO_SPACE, Referee
from ablate.trial.run import STOP

PAGE = Path("report") / "index.html"
"""The report, in the study's folder."""

CHECKED = "checked.json"
"""What the one-step check of the arms found, in the study's folder."""

LEAST_ROOM = 50 * 2**20
"""Bytes that must be free before anything starts: tables, images, the report."""


@dataclass(frozen=True)
class StudyResult:
    """What a run of a study left.

    Attributes:
        folder: `OUT/<study>`.
        results: of every trial of the plan, in order.
        exit_code: 0 all ended, 1 some failed, 3 infrastructure, 130 interrupted or out of hours.
        messages: what a user should know, one line each.
    """

    folder: Path
    results: tuple[TrialResult, ...]
    exit_code: int
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunOptions:
    """How a study is run; none of it changes a number.

    Attributes:
        out: folder of results.
        workers: trials at once; 0: in this process; None: as many as the machine has room for.
        cpus_per_trial: None: the threads of the trials.
        gpus_per_trial: fraction or whole number.
        address: a running Ray cluster.
        tracking_uri: MLflow store; None: `MLFLOW_TRACKING_URI`, else `out/mlflow.db`; `none`: no
            tracking.
        max_retries: how often a trial whose process died is started again.
        fail_fast: stop at the first failed trial.
        alike_limit: stop when the first so many trials fail with one error; 0: never.
        fresh_workers: a new process for every trial.
        hours: stop in order after so long; None: never.
        wait_s: how long to wait for another command that holds the study or the machine, seconds.
        check: whether one step of every arm is compared with the reference before anything starts.
        report: whether to build the report at the end.
        quiet: no progress and no messages.
        source: the study file, kept as given.
        trainer: `module:function` of the training run of trials that are no programs.
    """

    out: Path = Path("runs")
    workers: int | None = None
    cpus_per_trial: float | None = None
    gpus_per_trial: float = 0.0
    address: str | None = None
    tracking_uri: str | None = None
    max_retries: int = 2
    fail_fast: bool = False
    alike_limit: int = 3
    fresh_workers: bool = False
    hours: float | None = None
    wait_s: float = 0.0
    check: bool = True
    report: bool = True
    quiet: bool = False
    source: Path | None = None
    trainer: str = CORE_TRAINER


def run_study(study: Plan | StudySpec, out: Path | str = "runs", **options: object) -> StudyResult:
    """Run what is missing of a study, then gather its tables, bring tracking up to date and build
    the report.

    Args:
        study: the plan, or a study to plan.
        out: folder of results; the study's own folder is made in it.
        options: see `RunOptions`.

    Returns:
        Every trial's result, also those of earlier runs.

    Raises:
        StudyError: a mistake of the user, or someone else runs this study; nothing was started.
    """
    chosen = RunOptions(out=Path(out), **options)  # type: ignore[arg-type]
    if isinstance(study, StudySpec):
        from ablate.planning.plan import plan as make_plan

        study = make_plan(study)
    if not study.trials:
        raise StudyError("the study has no trials")
    chosen = replace(chosen, trainer=trainer_of(study.trials[0].config, chosen.trainer))
    clock = time.monotonic()
    if not study.spec.outcome.looks:
        return _Run(study, chosen, clock).run()
    return looks.until_decided(
        study,
        chosen.out.resolve() / study.spec.name,
        lambda part: _Run(part, chosen, clock, study).run(),
        chosen.quiet,
    )


class _Run:
    """One command's work on a study, or on the part of its plan up to a look."""

    def __init__(
        self, plan: Plan, options: RunOptions, clock: float, whole: Plan | None = None
    ) -> None:
        self.plan, self.options, self.clock = plan, options, clock
        self.whole = whole or plan
        self.folder = options.out.resolve() / plan.spec.name
        self.messages: list[str] = []
        self.exit_code = 0

    def run(self) -> StudyResult:
        """Everything, under the study's lock."""
        out = self.folder.parent
        made = [out] if not out.exists() else []
        writable(self.folder)
        lock = self.folder / ".lock"
        with locks.held(lock, f"study {self.plan.spec.name}", self.options.wait_s):
            refused = False
            try:
                refused = self._work(self._todo())
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                self.exit_code = 3
                self._say(
                    f"the disk is full ({self.folder}); finished trials are kept. To resume: {_command()}"
                )
            finally:
                _leave_nothing(self.folder, lock, made)
            if refused:
                return StudyResult(self.folder, (), 3, tuple(self.messages))
        return self._result()

    def _work(self, todo: Sequence[Trial]) -> bool:
        """From the plan to the report; True when nothing could be started."""
        options = self.options
        uri = tracking_address(options.out, options.tracking_uri)
        with ExitStack() as stack:
            resources = self._resources(todo, stack) if todo else Resources(0)
            if todo and uri != OFF and (problem := reachable(uri)):
                self._say(f"{problem}; nothing was started")
                return True
            if todo and options.check and options.trainer == CORE_TRAINER:
                self._check(todo, resources)
            self._write_plan()
            self._prepare(todo)
            forwarding = None
            if uri != OFF and not (not todo and all_sent(self.folder, self.plan.trials, uri)):
                forwarding = Forwarding(self.folder, uri)
            if todo:
                self._execute(todo, resources)
        settle(self.folder, self.plan.trials)
        self._enter_look()
        if not tables.up_to_date(self.folder):
            tables.gather(self.folder)
        if options.report:
            self._report(bool(todo))
        if forwarding is not None:
            self._tracked(forwarding)
        return False

    def _todo(self) -> list[Trial]:
        """The trials without an outcome, in running order."""
        where = self.folder / "trials"
        return [
            t
            for t in self.plan.trials
            if trial_file.status_of(trial_file.standing(where / t.id)) not in trial_file.ENDED
        ]

    def _resources(self, todo: Sequence[Trial], stack: ExitStack) -> Resources:
        """What to use, claimed against other studies on this machine."""
        options = self.options
        free = float(machine_cpus()) if options.address else locks.free_cpus(machine_cpus())
        wanted = (options.workers, options.cpus_per_trial, options.gpus_per_trial, options.address)
        resources = resolve(todo, *wanted, free)
        if options.address is None:
            mixed = resources.device == "cpu" and any(
                trial.config.to_dict().get("precision") == "bfloat16" for trial in todo
            )
            if mixed and not computes_bfloat16():
                self._say(
                    "precision: bfloat16: this processor has no instructions for it; float32 is many times faster"
                )
            workers = max(1, resources.workers or 1)
            share = Share(workers * resources.cpus, workers * resources.gpus)
            total = Share(machine_cpus(), machine_gpus() if resources.gpus else 0)
            stack.enter_context(locks.machine_share(share, total, self.folder, options.wait_s))
        return resources

    def _check(self, todo: Sequence[Trial], resources: Resources) -> None:
        """Refuse arms without effect, and a plan that the disk cannot hold; arms are looked at once
        a plan."""
        known = atomic.read_json(self.folder / CHECKED)
        if known.get("plan") != self.plan.hash:
            from ablate.planning.check_arms import check_arms

            device = (
                resources.device if machine_gpus() else "cpu"
            )  # a cluster's head need not have what its nodes have
            known = {"plan": self.plan.hash, **asdict(check_arms(self.plan, todo, device))}
            atomic.write_json(self.folder / CHECKED, known)
        _enough_room(self.folder, len(todo) * int(known.get("checkpoint_bytes", 0)))

    def _write_plan(self) -> None:
        """The ledger's entry, the plan, the study file; untouched when only the versions of
        packages are others."""
        from ablate.planning import ledger
        from ablate.reading.menus import science_menus

        path = self.folder / plan_file.NAME
        record = plan_record(self.plan, science_menus())
        head = ledger.record_plan(self.folder, self.whole, record["outcome"])
        if not atomic.is_json(path, record, but=("versions", "ledger")):
            atomic.write_json(path, record | {"ledger": head})
            atomic.write_text(self.folder / "plan.csv", plan_csv(self.plan))
            resolved = resolved_yaml(self.plan.spec)
            atomic.write_text(self.folder / "study.resolved.yaml", resolved)
            source = self.options.source
            given = source.read_text(encoding="utf-8") if source is not None else resolved
            atomic.write_text(self.folder / "study.yaml", given)

    def _prepare(self, todo: Sequence[Trial]) -> None:
        """A document for each trial to run, as the plan has it today."""
        (self.folder / STOP).unlink(missing_ok=True)
        for trial in todo:
            where = self.folder / "trials" / trial.id
            where.mkdir(parents=True, exist_ok=True)
            document = trial_file.read(where)
            anew = trial_file.to_run(trial, where, document, self.plan.hash)
            if anew != document:
                trial_file.write(where, anew)

    def _execute(self, todo: Sequence[Trial], resources: Resources) -> None:
        """Run the trials; whatever happens, what is finished is kept."""
        options = self.options
        job = Job(
            folder=self.folder,
            trials=todo,
            resources=resources,
            max_retries=options.max_retries,
            referee=Referee(options.fail_fast, options.alike_limit),
            fresh_workers=options.fresh_workers,
            trainer=options.trainer,
        )
        reused = len(self.plan.trials) - len(todo)
        metric = self.plan.spec.outcome.metric
        try:
            with (
                terminated_as_interrupted(),
                self._budget(),
                Progress(self.folder, todo, metric, reused, options.quiet),
            ):
                execute(job)
        except KeyboardInterrupt:
            self.exit_code = 130
            self._say("interrupted; finished trials are kept. To resume: " + _command())
        except Infrastructure as error:
            self.exit_code = 3
            self._say(str(error))
        except OSError as error:
            self.exit_code = 3
            self._say(f"stopped: {error}; finished trials are kept. To resume: {_command()}")
        for line in job.said:
            self._say(line)
        if job.stopped:
            self.exit_code = 3 if "the disk is full" in job.stopped else 1
            self._say(f"stopped: {job.stopped}")
        (self.folder / STOP).unlink(missing_ok=True)

    @contextmanager
    def _budget(self) -> Iterator[None]:
        """Asks the trials to stop when the command's hours are over."""
        hours = self.options.hours
        if hours is None:
            yield
            return
        timer = threading.Timer(
            hours * 3600 + self.clock - time.monotonic(), (self.folder / STOP).touch
        )
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if time.monotonic() - self.clock >= hours * 3600:
                self._say(
                    f"the {hours:g} h are over; finished trials are kept. To resume: {_command()}"
                )

    def _enter_look(self) -> None:
        """Enter in the ledger that results are looked at: by a report, or to decide whether to add
        seeds.

        Before the tables are gathered, since the newest entry is noted in plan.json, which they are
        made from.
        """
        if self.options.report or self.whole.spec.outcome.looks:
            from ablate.planning import ledger

            ledger.record_look(self.folder)

    def _report(self, anew: bool) -> None:
        """Build the report if anything is new."""
        page = self.folder / PAGE
        if (
            not anew
            and page.exists()
            and page.stat().st_mtime >= (self.folder / tables.TRIALS).stat().st_mtime
        ):
            return
        from reports import build_report, load_results

        build_report(load_results(self.folder), self.folder / "report")

    def _tracked(self, forwarding: Forwarding) -> None:
        """Let tracking catch up; the trials' documents learn their run."""
        behind = forwarding.finish()
        if behind:
            self._say(behind)
        for trial in self.plan.trials:
            where = self.folder / "trials" / trial.id
            run_id = atomic.read_json(where / "mlflow.json").get("run_id")
            document = trial_file.read(where)
            if run_id and document and document.get("mlflow_run_id") != run_id:
                trial_file.write(where, {**document, "mlflow_run_id": run_id})
        if not tables.up_to_date(self.folder):
            tables.gather(self.folder)
            if self.options.report:
                (
                    self.folder / PAGE
                ).touch()  # built a moment ago; it does not show the runs' ids, the only news

    def _result(self) -> StudyResult:
        """What is there now."""
        found = []
        for trial in self.plan.trials:
            where = self.folder / "trials" / trial.id
            found.append(trial_file.result_of(trial, where, trial_file.standing(where)))
        left = {result.status for result in found} - set(trial_file.ENDED)
        if self.exit_code == 0 and left:
            self.exit_code = 1 if "failed" in left else 130
        return StudyResult(self.folder, tuple(found), self.exit_code, tuple(self.messages))

    def _say(self, text: str) -> None:
        self.messages.append(text)
        if not self.options.quiet:
            print(text, file=sys.stderr, flush=True)


def writable(folder: Path) -> None:
    """Make the study's folder, or say in one line why that can't be."""
    try:
        (folder / "trials").mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_text("")
        probe.unlink(missing_ok=True)  # another command may look at the same time
    except OSError as error:
        raise StudyError(f"--out: {folder}: cannot be written: {error.strerror}") from None
    _enough_room(folder, 0)


def _leave_nothing(folder: Path, lock: Path, made: Sequence[Path]) -> None:
    """Take back the folders of a study that ended before its plan was fixed; whatever holds
    anything else stays."""
    if (folder / plan_file.NAME).exists():
        return
    for ours in (folder / CHECKED, lock):
        ours.unlink(missing_ok=True)
    for empty in (folder / "trials", folder, *made):
        with suppress(OSError):
            empty.rmdir()


def _enough_room(folder: Path, checkpoints: int) -> None:
    """Refuse to start what would fill the disk: so many bytes of checkpoints, and the least for the
    rest."""
    free, needed = shutil.disk_usage(folder).free, checkpoints + LEAST_ROOM
    if free < needed:
        what = (
            f"the checkpoints of the trials to run need {needed / 2**20:.0f} MB, "
            if checkpoints
            else ""
        )
        raise StudyError(f"--out: {folder}: {what}only {free / 2**20:.0f} MB are left on the disk")


def _command() -> str:
    """The command that was given, to be given again."""
    return shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]])  # noqa: PTH119
