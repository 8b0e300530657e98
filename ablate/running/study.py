"""Run a study from its plan to its tables, MLflow runs, and report.

The same call resumes a study that was interrupted.
"""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ablate.disk import locks
from ablate.disk.folder import StudyFolder
from ablate.disk.locks import Share
from ablate.disk.room import enough_room, writable
from ablate.disk.secrets import masked_command
from ablate.live.child import Child
from ablate.planning.forks import forks, kept_forks
from ablate.planning.plan_file import plan_csv, plan_document, plan_record, resolved_yaml
from ablate.planning.pretraining import folder_of, needed, needed_plans, needs_of
from ablate.processes.signals import terminated_as_interrupted
from ablate.results import fresh, tables
from ablate.results.doubts import idle_seeds, several_devices
from ablate.results.report import refuse_broken_sections
from ablate.running import looks, tracked
from ablate.running.driver import Job, execute, settle
from ablate.running.items import Item, Need, ask_to_stop
from ablate.running.progress import Progress
from ablate.running.resources import (
    Resources,
    computes_bfloat16,
    machine_cards,
    machine_cpus,
    resolve,
)
from ablate.study.nouns import Infrastructure, Plan, StudyError, StudySpec, Trial, TrialResult
from ablate.tracking.process import Forwarding, all_sent
from ablate.tracking.store import OFF, reachable, tracking_address
from ablate.trainers.core.trainer import ENTRY
from ablate.trainers.resolve import entry_of, trainer_of
from ablate.trial import trial_file
from ablate.trial.faults import NO_SPACE, NOT_ITS_OWN, Referee
from g2g_base import atomic


@dataclass(frozen=True)
class StudyResult:
    """The result of a run of a study.

    Attributes:
        folder: the study folder, `OUT/<study>`.
        results: the result of every trial of the plan, in the order of the plan.
        exit_code: 0 if all trials finished or diverged, 1 if some failed, 3 if the disk or Ray
            failed or MLflow didn't respond at the start, and 130 if the run was interrupted or out
            of time.
        messages: what the user should know about the run.
        behind: what is wrong if MLflow has not got everything, and the command that sends the rest;
            otherwise None. The exit code doesn't depend on it: every result is in the folder.
    """

    folder: Path
    results: tuple[TrialResult, ...]
    exit_code: int
    messages: tuple[str, ...] = ()
    behind: str | None = None


@dataclass(frozen=True)
class RunOptions:
    """Options that say how to run a study, and that change none of its numbers.

    Attributes:
        out: folder for the study folders.
        workers: number of trials that train at a time. With 0, they train one by one in this
            process; with None, as many as fit on the machine.
        cpus_per_trial: CPUs that a trial reserves; None: as many as its threads.
        gpus_per_trial: GPUs per trial: a fraction up to 1, or a whole number.
        address: address of a running Ray cluster; None: this machine.
        tracking_uri: address of the MLflow store. With None, it is `MLFLOW_TRACKING_URI` or, if
            that isn't set, `out/mlflow.db`; with `none`, nothing is sent to MLflow.
        max_retries: how often a trial is started again after its process died.
        fail_fast: whether the study stops at the first failed trial.
        alike_limit: stop if this number of trials, the first ones, fail with the same error; 0:
            never.
        fresh_workers: whether every trial gets a new process.
        forks: whether first steps that several trials have in common are trained once.
        hours: stop cleanly after this number of hours; None: never.
        wait_s: seconds to wait for another command that uses the study or the machine.
        check: whether one step of every arm is compared with the reference before anything starts.
        report: whether to build the report at the end.
        page: whether to serve the live page while trials run, unless `quiet`.
        quiet: whether to show no progress and no messages.
        source: the study file, which is copied to the study folder.
        trainer: `module:function` that trains a trial, unless the study names a program.
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
    forks: bool = True
    hours: float | None = None
    wait_s: float = 0.0
    check: bool = True
    report: bool = True
    page: bool = False
    quiet: bool = False
    source: Path | None = None
    trainer: str = ENTRY


def run_study(study: Plan | StudySpec, out: Path | str = "runs", **options: object) -> StudyResult:
    """Run the trials of a study that have no outcome, and build its tables and report.

    The trials also become runs in MLflow, unless tracking is off.

    Args:
        study: the plan, or a study to plan.
        out: folder for the study folders; the study's own folder is made in it.
        options: the fields of `RunOptions`.

    Returns:
        The results of all trials, including those of earlier runs.

    Raises:
        StudyError: the study, its options, or the machine don't allow it, or another command runs
            this study. Nothing was started.
        PluginError: a section of another package can't be used. Nothing was started.
    """
    chosen = RunOptions(out=Path(out), **options)  # type: ignore[arg-type]
    if isinstance(study, StudySpec):
        from ablate.planning.plan import plan as make_plan

        study = make_plan(study)

    if not study.trials:
        raise StudyError("the study has no trials")
    if chosen.report:
        refuse_broken_sections()
    chosen = replace(chosen, trainer=entry_of(study.trials[0].config, chosen.trainer))

    clock = time.monotonic()
    if study.spec.outcome.looks:
        result = looks.until_decided(
            study,
            chosen.out.resolve() / study.spec.name,
            lambda part: _run(part, chosen, clock, study),
            chosen.quiet,
        )
    else:
        result = _run(study, chosen, clock, study)
    if result.behind is None:
        return result
    return replace(result, messages=(*result.messages, result.behind))


def _run(part: Plan, options: RunOptions, clock: float, whole: Plan) -> StudyResult:
    """Run the trials of a plan, and those of other studies that must run first.

    Args:
        part: the plan, or its part up to a look.
        options: how to run the study.
        clock: when the command began, as `time.monotonic()`.
        whole: the whole plan.
    """
    run = _Run(part, options, clock, whole)
    # The arms of those studies may differ in nothing that matters here, and nobody asked about them
    quietly = replace(options, report=False, check=False, source=None)
    asked = {one.name for one in needed(run.todo())}
    starts = [
        _Run(plan, quietly, clock, asked=asked) for plan in needed_plans(part.trials) if asked
    ]
    return run.run([start for start in starts if start.todo()])


class _Run:
    """The work of one command on a study, or on the part of its plan up to a look.

    Args:
        plan: the plan, or its part up to the look.
        options: how to run the study.
        clock: when the command began, as `time.monotonic()`.
        whole: the whole plan; None if `plan` is the whole plan.
        asked: names of the trials of this and other studies, `study/id`, that another study needs;
            only these run. None: all trials of the plan run, for their own sake.
    """

    def __init__(
        self,
        plan: Plan,
        options: RunOptions,
        clock: float,
        whole: Plan | None = None,
        asked: Collection[str] | None = None,
    ) -> None:
        self.plan, self.options, self.clock = plan, options, clock
        self.whole = whole or plan
        self.asked = asked
        self.folder = options.out.resolve() / plan.spec.name
        self.messages: list[str] = []
        self.exit_code = 0
        self.behind: str | None = None
        self._forwarding: Forwarding | None = None

    def run(self, starts: Sequence["_Run"] = ()) -> StudyResult:
        """Run the study while this command holds its lock, and return the result.

        Args:
            starts: the work on other studies that this one starts from, in running order.
        """
        refused = False
        with ExitStack() as stack:
            for one in (*starts, self):
                stack.enter_context(one.locked())
            try:
                self._work(starts)
            except Infrastructure as error:
                self._say(f"{error}; nothing was started")
                refused = True
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                self.exit_code = 3
                self._say(
                    f"the disk is full ({self.folder}); finished trials are kept. "
                    f"To resume: {_command()}"
                )
            if refused:
                return StudyResult(self.folder, (), 3, tuple(self.messages))

        return self._result()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the study's lock; at the end, leave nothing of a study that hasn't started."""
        out = self.folder.parent
        made = [out] if not out.exists() else []
        writable(self.folder)
        lock = StudyFolder(self.folder).lock
        with locks.held(lock, f"study {self.plan.spec.name}", self.options.wait_s):
            try:
                yield
            finally:
                _leave_nothing(self.folder, lock, made)

    def announce(self, purpose: str) -> None:
        """Say how many trials run first for another study, and for what purpose."""
        todo = self.todo()
        work = trainer_of(self.plan.spec).work(todo)
        many = f"{len(todo)} trials, {work}"
        if len(todo) == 1:
            many = f"one trial, {work.removesuffix(' each')}"
        self._print(f"{purpose}: {self.plan.spec.name}, {many}")

    def _work(self, starts: Sequence["_Run"]) -> None:
        """Do all steps from the plan to the report.

        Args:
            starts: the work on other studies that this one starts from.

        Raises:
            Infrastructure: MLflow or the Ray cluster doesn't respond, so nothing was started.
        """
        todo, before = self.todo(), [one.todo() for one in starts]
        every = [trial for trials in (*before, todo) for trial in trials]
        uri = tracking_address(self.options.out, self.options.tracking_uri)
        with ExitStack() as stack:
            if todo:
                enough_room(self.folder, 0)
            resources = self._resources(every, stack) if todo else Resources(0)
            if todo and uri != OFF and (problem := reachable(uri)):
                raise Infrastructure(problem)
            if todo and self.options.check and self._can_step():
                self._check(todo, resources)

            # From here on, the study counts as started, and its folder stays
            items: list[Item] = []
            for one, trials in zip((*starts, self), (*before, todo), strict=True):
                items += one.prepare(trials)
                one.forward(uri, bool(trials))
                if one is not self:
                    tune = self.plan.spec.tune
                    tries = tune is not None and one.plan.spec.name == tune.study.name
                    one.announce("tuning" if tries else "pre-training")
            if todo:
                self._execute(items, resources, len(self.plan.trials) - len(todo))
                self._tell_unstarted(todo)

        for one in (*starts, self):
            one.conclude(bool(todo))

    def prepare(self, todo: Sequence[Trial]) -> list[Item]:
        """Write the plan and `trial.json` of each trial to run, and return what is to run.

        Args:
            todo: the trials without an outcome, in running order.
        """
        study = StudyFolder(self.folder)
        self._write_plan()
        study.stop.unlink(missing_ok=True)

        trainer = trainer_of(self.plan.spec)
        going_on = (
            forks(todo, trainer, kept_forks(self.folder, self.plan.trials))
            if self.options.forks and self.asked is None
            else {}
        )
        steps: dict[str, list[int]] = {}
        for one in going_on.values():
            steps.setdefault(one.trial_id, []).append(one.step)

        items = []
        for trial in todo:
            where = study.trial(trial.id)
            where.mkdir(parents=True, exist_ok=True)
            document, fork = trial_file.read(where), going_on.get(trial.id)
            current = trial_file.to_run(
                trial, where, document, self.plan.hash, fork, steps.get(trial.id, ())
            )
            if current != document:
                trial_file.write(where, current)

            needs = [Need(folder_of(one, self.folder.parent)) for one in needs_of(trial)]
            if fork is not None:
                needs.append(Need(study.trial(fork.trial_id), fork.step))
            items.append(Item(trial, where, tuple(needs)))
        return items

    def forward(self, uri: str, some: bool) -> None:
        """Start to send the trials to MLflow, unless it has all of them.

        Args:
            uri: address of the MLflow store.
            some: whether trials are to run.
        """
        ids = [trial.id for trial in self.plan.trials]
        if uri != OFF and not (not some and all_sent(self.folder, ids, uri)):
            self._forwarding = Forwarding(self.folder, uri, self.messages.append)

    def conclude(self, some: bool) -> None:
        """Build the tables and the report, and wait for MLflow.

        Args:
            some: whether trials have run.
        """
        settle(self.folder, self.plan.trials)
        self._enter_look()
        if not tables.up_to_date(self.folder):
            tables.gather(self.folder)
        for doubt in (idle_seeds(self.folder), several_devices(self.folder)):
            if doubt and self.asked is None:
                self._say(doubt)

        if self.options.report:
            self._report(some)
        if self._forwarding is not None:
            self._tracked(self._forwarding)

    def todo(self) -> list[Trial]:
        """Return the trials that are to run and have no outcome, in running order."""
        where, name = StudyFolder(self.folder).trials, self.plan.spec.name
        return [
            t
            for t in self.plan.trials
            if (self.asked is None or f"{name}/{t.id}" in self.asked)
            and trial_file.status_of(trial_file.standing(where / t.id)) not in trial_file.ENDED
        ]

    def _resources(self, todo: Sequence[Trial], stack: ExitStack) -> Resources:
        """Return the resources to use, and claim them against other studies on this machine.

        Args:
            todo: the trials to run.
            stack: holds the claim, and returns the resources when it closes.
        """
        options = self.options
        free = float(machine_cpus()) if options.address else locks.free_cpus(machine_cpus())
        wanted = (options.workers, options.cpus_per_trial, options.gpus_per_trial, options.address)
        resources = resolve(todo, *wanted, free)
        if resources.gpus > 1 and options.trainer == ENTRY:
            raise StudyError(
                f"--gpus-per-trial {resources.gpus:g}: a trial of G2G's networks uses one GPU; "
                "use at most 1"
            )

        # A cluster shares out its own resources
        if options.address is None:
            mixed = resources.device == "cpu" and any(
                trial.config.to_dict().get("precision") == "bfloat16" for trial in todo
            )
            if mixed and not computes_bfloat16():
                self._say(
                    "precision: bfloat16: this processor has no instructions for it; "
                    "float32 is many times faster"
                )

            workers = max(1, resources.workers or 1)
            cards = machine_cards() if resources.gpus else ()
            share = Share(workers * resources.cpus, resources.cards_needed, workers=workers)
            total = Share(machine_cpus(), len(cards), tuple(card.uuid for card in cards))
            claim = locks.machine_share(share, total, self.folder, options.wait_s)
            claimed = stack.enter_context(claim)
            resources = replace(
                resources, cards=tuple(card for card in cards if card.uuid in claimed)
            )

        return resources

    def _can_step(self) -> bool:
        """Return whether the chosen trainer can train one step, to compare arms after it."""
        trainer = trainer_of(self.plan.spec)
        return trainer.first_step is not None and self.options.trainer == trainer.entry

    def _check(self, todo: Sequence[Trial], resources: Resources) -> None:
        """Refuse arms without any effect, and checkpoints that don't fit on the disk.

        The check of the arms runs once per plan, since its findings are kept in the study folder.

        Raises:
            StudyError: an arm has no effect, or the disk has too little space.
        """
        known = atomic.read_json(StudyFolder(self.folder).checked)
        if known.get("plan") != self.plan.hash:
            from ablate.planning.check_arms import check_arms

            device = resources.own_device
            checked = check_arms(self.plan, todo, device, out=self.folder.parent)
            known = {"plan": self.plan.hash, **asdict(checked)}
            atomic.write_json(StudyFolder(self.folder).checked, known)

        enough_room(self.folder, len(todo) * int(known.get("checkpoint_bytes", 0)))

    def _write_plan(self) -> None:
        """Write the ledger's entry, the plan, and the study file to the study folder.

        The files stay as they are if only the versions of packages have changed.
        """
        from ablate.planning import ledger

        path = StudyFolder(self.folder).plan
        record = plan_record(self.plan)
        if "steps" in record:
            record["steps"]["fixed"] = sum(trial.config.steps for trial in self.whole.trials)
        if self.asked is not None:
            older = plan_document(self.folder)
            if "trials" in older and not older.get("for_others"):
                return  # the study has a plan of its own, which these trials only add to
            record["for_others"] = True
        head = ledger.record_plan(self.folder, self.whole, record["outcome"])

        if not atomic.is_json(path, record, but=("versions", "ledger")):
            atomic.write_json(path, record | {"ledger": head})
            atomic.write_text(StudyFolder(self.folder).plan_table, plan_csv(self.plan))

            resolved = resolved_yaml(self.plan.spec)
            atomic.write_text(StudyFolder(self.folder).resolved, resolved)
            source = self.options.source
            given = source.read_text(encoding="utf-8") if source is not None else resolved
            atomic.write_text(StudyFolder(self.folder).study, given)

    def _tell_unstarted(self, todo: Sequence[Trial]) -> None:
        """Say which of these trials could not start, and why."""
        reasons: Counter[str] = Counter()
        for trial in todo:
            document = trial_file.read(StudyFolder(self.folder).trial(trial.id))
            if document.get("fault") in NOT_ITS_OWN:
                reasons[str(document["error"])] += 1
        for reason, number in reasons.items():
            self._say(f"{number} {'trial' if number == 1 else 'trials'} can't start: {reason}")

    def _execute(self, items: Sequence[Item], resources: Resources, reused: int) -> None:
        """Run the trials; finished trials are kept, whatever ends the run.

        Args:
            items: the trials to run.
            resources: what they run on.
            reused: number of trials that finished before this command.
        """
        options = self.options
        job = Job(
            folder=self.folder,
            items=items,
            resources=resources,
            max_retries=options.max_retries,
            referee=Referee(options.fail_fast, options.alike_limit),
            fresh_workers=options.fresh_workers,
            trainer=options.trainer,
            said=self.messages,
        )
        metric = self.plan.spec.outcome.metric

        served = options.page and not options.quiet
        try:
            with (
                Child(self.folder, self.messages.append) if served else nullcontext(),
                terminated_as_interrupted(),
                self._budget(job),
                Progress(self.folder, items, metric, reused, options.quiet, self.messages),
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

        if job.stopped:
            self.exit_code = 3 if "the disk is full" in job.stopped else 1
            self._say(f"stopped: {job.stopped}")
        for study in job.studies:
            StudyFolder(study).stop.unlink(missing_ok=True)

    @contextmanager
    def _budget(self, job: Job) -> Iterator[None]:
        """Ask the trials to stop when the hours of this command are over."""
        hours = self.options.hours
        if hours is None:
            yield
            return

        timer = threading.Timer(
            hours * 3600 + self.clock - time.monotonic(), ask_to_stop, (job.studies,)
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
        """Record in the ledger that a report or a decision about more seeds looks at the results.

        This comes before the tables are built, since they are built from plan.json, which notes the
        newest entry.
        """
        if self.options.report or self.whole.spec.outcome.looks:
            from ablate.planning import ledger

            ledger.record_look(self.folder)

    def _report(self, trials_ran: bool) -> None:
        """Build the report if trials ran, or if the study has changed since the last report."""
        page = StudyFolder(self.folder).page
        if not trials_ran and page.exists() and fresh.is_current(self.folder, "report"):
            return

        from reports import build_report, load_results

        made_from = fresh.content(self.folder, "report")
        build_report(load_results(self.folder), StudyFolder(self.folder).report)
        fresh.note(self.folder, "report", made_from)

    def _tracked(self, forwarding: Forwarding) -> None:
        """Let the tracking process finish, and write the ids of the runs to `trial.json`."""
        before = len(self.messages)
        self.behind = tracked.finished(forwarding)
        for line in self.messages[before:]:
            self._print(line)
        ids = [trial.id for trial in self.plan.trials]
        tracked.note_runs(self.folder, ids)

    def _result(self) -> StudyResult:
        """Return the results of all trials of the plan, read from their folders."""
        results = []
        for trial in self.plan.trials:
            where = StudyFolder(self.folder).trial(trial.id)
            results.append(trial_file.result_of(trial, where, trial_file.standing(where)))

        unfinished = {result.status for result in results} - set(trial_file.ENDED)
        if self.exit_code == 0 and unfinished:
            self.exit_code = 1 if "failed" in unfinished else 130

        return StudyResult(
            self.folder, tuple(results), self.exit_code, tuple(self.messages), self.behind
        )

    def _say(self, text: str) -> None:
        """Keep a message for the result, and print it on stderr unless quiet."""
        self.messages.append(text)
        self._print(text)

    def _print(self, text: str) -> None:
        """Print a message on stderr unless quiet."""
        if not self.options.quiet:
            print(text, file=sys.stderr, flush=True)


def _leave_nothing(folder: Path, lock: Path, made: Sequence[Path]) -> None:
    """Remove the folders of a study that was refused before its plan was written.

    Folders that contain anything else stay.

    Args:
        folder: the study folder.
        lock: its lock file.
        made: further folders that this command made.
    """
    if (StudyFolder(folder).plan).exists():
        return

    for file in (StudyFolder(folder).checked, lock):
        file.unlink(missing_ok=True)
    for empty in (StudyFolder(folder).trials, folder, *made):
        with suppress(OSError):
            empty.rmdir()


def _command() -> str:
    """Return the command that the user gave, for messages on how to resume."""
    return masked_command([os.path.basename(sys.argv[0]), *sys.argv[1:]])  # noqa: PTH119
