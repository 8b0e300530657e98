"""The commands `run` and `plan`, which turn a study file into trials."""

import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ablate.commands.output import (
    Json,
    Quiet,
    cut,
    duration,
    say,
    show,
    show_json,
    show_table,
    size,
)
from ablate.disk.folder import StudyFolder
from ablate.disk.secrets import OPTION

if TYPE_CHECKING:
    from ablate.planning.pilot import Pilot
    from ablate.planning.registration import Registered
    from ablate.study.nouns import Plan
    from reports.documents.plan import PlanDocument, PretrainingDocument

LONGEST_ADDRESS = 500
"""Limit for the characters of an address that `run` prints; `--json` has longer ones."""
MOST_ROWS = 400
"""Limit for the arms that `plan` lists; `--json` lists all trials."""

Study = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study file, or the name of a bundled study.")
]
Out = Annotated[
    Path, typer.Option("--out", help="Folder of results; the study's own folder is made in it.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the file."),
]
Seeds = Annotated[
    str | None, typer.Option("--seeds", metavar="0,1,2", help="Replicates instead of the file's.")
]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="FACTOR=LEVEL", help="Only the cells with it.")
]


def run(
    study: Study,
    out: Out = Path("runs"),
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=0, help="Trials at once; 0: one by one in this process, no Ray."
        ),
    ] = None,
    gpus_per_trial: Annotated[
        float, typer.Option("--gpus-per-trial", min=0.0, help="May be a fraction.")
    ] = 0.0,
    cpus_per_trial: Annotated[
        float | None,
        typer.Option(
            "--cpus-per-trial", min=0.01, help="CPUs a trial reserves; usually its threads."
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="RAY",
            help="A running Ray cluster: host:port, ray://host:port, or auto.",
        ),
    ] = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            OPTION, metavar="URI", help="MLflow store instead of OUT/mlflow.db; none: no tracking."
        ),
    ] = None,
    overrides: Set = None,
    seeds: Seeds = None,
    only: Only = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Do not build the report.")
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failed trial.")
    ] = False,
    max_retries: Annotated[
        int, typer.Option("--max-retries", min=0, help="For trials that were killed.")
    ] = 2,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Skip the one-step check of every arm.")
    ] = False,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="Don't serve the live page while trials run.")
    ] = False,
    no_forks: Annotated[
        bool,
        typer.Option(
            "--no-forks",
            help="Let every arm train all its steps, also those it shares with others.",
        ),
    ] = False,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0.0, help="Stop cleanly after this many hours.")
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", min=0.0, metavar="SECONDS", help="For another command to free the machine."
        ),
    ] = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Plan a study, run what is missing, and report.

    Repeat the command to resume: finished trials are reused, failed and interrupted ones run again.
    """
    from ablate.reading.study_tree import find_study
    from ablate.running.study import run_study

    planned = planned_study(study, overrides, seeds, only)
    refuse_missing(planned)
    for line in cautions(planned, study):
        say(line, quiet)
    for line in changes_since(planned, out / planned.spec.name):
        say(line, quiet)

    result = run_study(
        planned,
        out=out,
        workers=workers,
        gpus_per_trial=gpus_per_trial,
        cpus_per_trial=cpus_per_trial,
        address=address,
        tracking_uri=tracking_uri,
        fail_fast=fail_fast,
        max_retries=max_retries,
        report=not no_report,
        hours=hours,
        wait_s=wait,
        check=not no_check,
        forks=not no_forks,
        page=not (no_page or as_json),
        quiet=quiet,
        source=find_study(study),
    )

    if as_json:
        trials = dict(Counter(one.status for one in result.results))
        ended = _ending(result.folder, report=not no_report)
        show_json(
            {
                "exit_code": result.exit_code,
                "trials": trials,
                "messages": list(result.messages),
                "behind": result.behind,
                **ended,
            }
        )
    else:
        if not quiet and result.results:
            _conclude(_ending(result.folder, report=not no_report))
        if result.behind is not None:
            say(result.behind)
    return result.exit_code


def plan(
    study: Study,
    out: Out = Path("runs"),
    overrides: Set = None,
    seeds: Seeds = None,
    only: Only = None,
    with_pilot: Annotated[
        bool,
        typer.Option(
            "--pilot", help="Measure a few steps of each kind of trial; predict time, memory, disk."
        ),
    ] = False,
    gpus_per_trial: Annotated[
        float,
        typer.Option("--gpus-per-trial", min=0.0, help="With --pilot: measure on a GPU, as `run`."),
    ] = 0.0,
    with_register: Annotated[
        bool,
        typer.Option(
            "--register", help="Register plan, rule, and expected verdicts before any result."
        ),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show what a study would run; nothing is run but, with --pilot, a few steps.

    With --register the plan, its rule, and the expected verdicts are kept in registration.json and
    in the ledger; this is refused once there are results.

    Lists the arms, each with its trials that are new, run again or reused (--json: every trial with
    levels and seed); excluded and equal cells; aliases of a fractional design; what differs from
    the reference; what is missing on this machine. When the study, or fewer seeds of it, already
    ran into --out: what it can detect, and the seeds that would find what matters.
    """
    from dataclasses import asdict

    from ablate.planning.plan_file import plan_record
    from ablate.results.report import refuse_broken_sections
    from ablate.study.nouns import StudyError

    if gpus_per_trial and not with_pilot:
        raise StudyError("--gpus-per-trial: goes with --pilot, which measures on the GPU")
    refuse_broken_sections()
    planned = planned_study(study, overrides, seeds, only)
    folder = out / planned.spec.name
    registered = _registered(planned, folder) if with_register else None
    states = trial_states(planned, folder)
    changed = changes_since(planned, folder)
    predicted = _piloted(planned, states, folder, gpus_per_trial, quiet) if with_pilot else None
    power = _power(folder) if any(state == "reused" for state in states.values()) else []

    if as_json:
        record: dict[str, Any] = {**plan_record(planned)}
        if predicted is not None:
            record["pilot"] = asdict(predicted)
        record["trials"] = [
            {**trial, "state": states[trial["trial_id"]]} for trial in record["trials"]
        ]
        if registered is not None:
            record["registered"] = {"sha256": registered.sha256, "time": registered.time}
        show_json(
            {
                **record,
                "power": power,
                "changed": changed,
                "missing": list(planned.missing),
                "cautions": cautions(planned, study),
                "out": str(folder),
            }
        )
    else:
        _describe(planned, states)
        if predicted is not None:
            show(
                f"cost of the {predicted.trials} trials to run: "
                f"{duration(predicted.seconds)} of training, about {duration(predicted.wall_s)} "
                f"with {predicted.workers} at once; {size(predicted.memory_mb)} of memory, "
                f"{size(predicted.disk_mb)} of disk"
            )
        for row in power:
            show(_power_line(row, planned.spec.outcome.smallest_effect))

    for line in changed:
        say(line, quiet)
    for line in cautions(planned, study):
        say(line, quiet)

    if registered is not None:
        verb = "was registered" if registered.before else "is registered"
        say(
            f"the plan {verb} on {registered.time}: {registered.path}, sha256 {registered.sha256}",
            quiet,
        )

    # Refused last, so that the plan is shown also where its trials can't run
    refuse_missing(planned)
    return 0


def _registered(planned: "Plan", folder: Path) -> "Registered":
    """Return the plan's registration, and register the plan if it isn't registered yet.

    Raises:
        StudyError: trials can't run on this machine, so they have no ids to register; or the study
            has results already.
    """
    from ablate.planning.plan_file import plan_record
    from ablate.planning.registration import register

    refuse_missing(planned)
    return register(planned, plan_record(planned), folder)


def _power(folder: Path) -> list[dict[str, Any]]:
    """Return what the present results can detect, and the seeds that would find the margin.

    Returns:
        One row per verdict: `factor`, `seeds` so far, `detectable_effect`, and the number of seeds
        that would find the smallest effect that matters, as an estimate with its limits. `unit` is
        `network` if networks are counted instead of seeds; then `next_replicate` says whether
        another `network` or another `seed` on each is cheaper for what it gives, with its training
        steps, and `seeds_per_network` how many would be best. The list is empty if there are no
        results to analyze.
    """
    from reports import analyse, load_results
    from reports.table import ResultsError

    try:
        analysis = analyse(load_results(folder))
    except ResultsError:
        return []

    advice = ["seeds_needed", "seeds_low", "seeds_high"]
    rows = analysis.verdicts.merge(analysis.checks[["factor", *advice]], on="factor")
    steps = {
        row["factor"]: {
            "next_replicate": row["next"],
            "next_steps": row["next_steps"],
            "seeds_per_network": row["best_seeds_each"],
        }
        for row in analysis.variance.to_dict("records")
        if row["next"] == row["next"] and row["next"] is not None
    }

    # A value that differs from itself is NaN: nothing is known
    return [
        {
            "factor": row["factor"],
            "seeds": int(row["n_pairs"]),
            "unit": analysis.cells.unit,
            "detectable_effect": float(row["detectable_effect"]),
            **{name: None if row[name] != row[name] else int(row[name]) for name in advice},
            **steps.get(row["factor"], {}),
        }
        for row in rows.to_dict("records")
        if row["detectable_effect"] == row["detectable_effect"]
        and row["smallest_effect"] == row["smallest_effect"]
    ]


def _power_line(row: dict[str, Any], margin: float | None) -> str:
    """Return a row of `_power` in words.

    For example: `rate: 5 seeds so far detect 0.021; about 19 seeds (12 to 49) would show 0.01 in 8
    of 10 such studies`.
    """
    units = f"{row['unit']}s"
    start = f"{row['factor']}: {row['seeds']} {units} so far detect {row['detectable_effect']:.2g}"
    if row["seeds_low"] is None:
        return f"{start}; fewer than 4 {units} tell too little of the spread to plan with"

    wanted, high = (
        "more than 1000" if row[name] is None else row[name]
        for name in ("seeds_needed", "seeds_high")
    )
    more = ""
    if row.get("next_replicate"):
        again = {"network": "another network", "seed": "another seed on each network"}
        more = f"; the cheapest next replicate is {again[row['next_replicate']]}"
    return (
        f"{start}; about {wanted} {units} ({row['seeds_low']} to {high}) would show {margin:g} "
        f"in 8 of 10 such studies{more}"
    )


def _piloted(
    planned: "Plan", states: dict[str, str], folder: Path, gpus_per_trial: float, quiet: bool
) -> "Pilot":
    """Measure the cost of the trials to run, and write it to the study folder for the report.

    Raises:
        StudyError: a trial fails in its first steps, or the machine has too few GPUs.
    """
    from ablate.planning.pilot import pilot
    from ablate.planning.pretraining import waiting
    from ablate.running.resources import machine_cpus, resolve
    from ablate.trainers.resolve import trainer_of

    refuse_missing(planned)
    todo = [trial for trial in planned.trials if states[trial.id] != "reused"]
    todo = [*(start.trial for start in waiting(todo, folder.parent)), *todo]
    resources = resolve(todo, None, None, gpus_per_trial, None, float(machine_cpus()))

    cost = pilot(
        todo,
        resources.workers or 1,
        lambda line: say(line, quiet),
        trainer_of(planned.spec),
        resources.own_device,
    )
    if todo:
        cost.write(folder)
    return cost


def planned_study(
    study: str, overrides: list[str] | None, seeds: str | None, only: list[str] | None
) -> "Plan":
    """Return the plan for the arguments of a command.

    Args:
        study: a study file, or the name of a bundled study.
        overrides: texts of the form `path=value`.
        seeds: whole numbers with commas, which replace the seeds of the file.
        only: texts of the form `factor=level`, which narrow the arms.

    Raises:
        StudyError: the file or one of the arguments is invalid.
    """
    from ablate.planning.load import load_study
    from ablate.planning.plan import plan as plan_study
    from ablate.study.nouns import StudyError

    numbers = None
    if seeds is not None:
        try:
            numbers = [int(text) for text in seeds.split(",")]
        except ValueError:
            raise StudyError(
                f"--seeds {seeds}: must be whole numbers with commas, e.g. 0,1,2"
            ) from None

    return plan_study(load_study(study, overrides or ()), numbers, only or ())


def refuse_missing(planned: "Plan") -> None:
    """Raise StudyError if the trials need something that this machine doesn't have."""
    from ablate.study.nouns import StudyError

    if planned.missing:
        raise StudyError("\n".join(planned.missing))


def cautions(planned: "Plan", study: str) -> list[str]:
    """Return warnings about settings and images that are valid but probably not intended.

    Args:
        planned: the plan.
        study: what the user calls the study, for the command that shows all suspicious images.
    """
    from ablate.trainers.resolve import trainer_of

    lines = trainer_of(planned.spec).cautions(planned.spec)
    return [
        *lines,
        *(
            f"{line}; to see all: g2g-ablate check {shlex.quote(study)}"
            for line in planned.cautions
        ),
    ]


def trial_states(planned: "Plan", folder: Path) -> dict[str, str]:
    """Return trial id -> `new`, `reused`, or `again`.

    A trial is reused if it has finished or diverged, and runs again if it has failed or was
    interrupted.
    """
    from ablate.trial import trial_file

    states = {}
    for trial in planned.trials:
        status = trial_file.standing(StudyFolder(folder).trial(trial.id)).get("status")
        known = "reused" if status in trial_file.ENDED else "again"
        states[trial.id] = "new" if status in (None, "planned") else known
    return states


def changes_since(planned: "Plan", folder: Path) -> list[str]:
    """Return messages on what changed the ids of trials since the plan in the folder was made."""
    from ablate.planning.plan_file import changes, plan_document

    return changes(planned, plan_document(folder))


def _describe(planned: "Plan", states: dict[str, str]) -> None:
    """Print a plan for people: its size, rule, factors, arms, exclusions, and aliases."""
    from ablate.planning.plan_file import plan_record
    from ablate.study.starts import networks_of
    from ablate.trainers.resolve import trainer_of
    from reports.documents.names import ArmNames

    spec = planned.spec
    counts = {state: list(states.values()).count(state) for state in ("new", "again", "reused")}
    cells = len({trial.cell_id for trial in planned.trials})

    show(
        f"study {spec.name}, plan {planned.hash[:12]}"
        + (f": {spec.question}" if spec.question else "")
    )
    each, networks = len(planned.trials) // max(cells, 1), networks_of(spec)
    seeds = f"{networks} networks x {each // networks} seeds" if networks else f"{each} seeds"
    show(
        f"{cells} cells x {seeds} = {len(planned.trials)} trials "
        f"({', '.join(f'{number} {state}' for state, number in counts.items() if number)}), "
        f"{trainer_of(spec).work(planned.trials)}, design {spec.design['kind']}"
    )

    outcome = spec.outcome
    show(f"outcome: {outcome.metric} ({outcome.summary}), {outcome.better} is better")
    if outcome.looks:
        show(
            f"{'networks' if networks else 'seeds'} are added until every factor has its verdict: "
            f"looks after {', '.join(map(str, outcome.looks))}"
        )

    show(f"reference: {_levels(planned.reference) or 'the base config'}")
    for factor in spec.factors:
        base = planned.reference.get(factor.name, factor.reference)
        for label, patch in (
            (label, patch) for label, patch in factor.levels.items() if label != base
        ):
            changed = ", ".join(f"{path}: {_short(value)}" for path, value in patch.items())
            show(f"  {factor.name}={label}: {changed}")

    record = plan_record(planned)
    for line in (*_pretrainings(record), *_tuning(record), *_shared(record)):
        show(line)

    names = ArmNames(record)
    arms: dict[str, tuple[tuple[str, str, str], Counter[str]]] = {}
    for trial in planned.trials:
        words = names.words(trial.levels) if names.says_more(trial.levels) else ""
        own = (trial.cell_id, names.code(trial.levels), words)
        arms.setdefault(trial.cell_id, (own, Counter()))[1][states[trial.id]] += 1

    rows = [
        (*own, *(count[state] or "" for state in ("new", "again", "reused")))
        for own, count in list(arms.values())[:MOST_ROWS]
    ]
    show_table(
        ("cell", "arm", "in words", "new", "again", "reused"),
        rows,
        right=("new", "again", "reused"),
        wrapped="in words",
    )
    if len(arms) > MOST_ROWS:
        show(f"... and {len(arms) - MOST_ROWS} more arms")
    show("--json lists every trial")

    for cell in planned.excluded:
        excluded = {name: level for name, level in cell.items() if name != "reason"}
        show(f"excluded: {_levels(excluded)}: {cell['reason']}")
    for group in planned.equal_cells:
        show(f"equal, run once: {' | '.join(_levels(cell) for cell in group)}")

    # Each term of a group of aliases is a key, but the group is printed once
    printed: set[str] = set()
    for term, others in planned.aliases.items():
        if term not in printed:
            show(f"alias: {' = '.join((term, *others))}")
            printed |= {term, *others}


def _pretrainings(record: "PlanDocument") -> Iterator[str]:
    """Yield one line for each study that makes checkpoints which the trials start from."""
    studies: dict[str, list[PretrainingDocument]] = {}
    for start in record.get("pretrainings", ()):
        studies.setdefault(start["study"], []).append(start)
    for study, starts in studies.items():
        steps = sorted({start["steps"] for start in starts})
        each = f"{steps[0]} steps" if len(steps) == 1 else f"{steps[0]} to {steps[-1]} steps"
        many = f"{len(starts)} trials of {each}" if len(starts) > 1 else f"one trial of {each}"
        seeds = ", ".join(str(start["seed"]) for start in starts)
        word = "seeds" if len(starts) > 1 else "seed"
        yield f"pre-training first: {study}, {many} ({word} {seeds})"


def _tuning(record: "PlanDocument") -> Iterator[str]:
    """Yield a line about the value that every arm chooses, if there is one."""
    tuning = record.get("tuning")
    if tuning is None:
        return
    tries, values = {one["trial_id"] for one in tuning["tries"]}, tuning["values"]
    steps = record.get("steps", {}).get("tuning")
    cost = f", {steps:,} steps" if steps else ""
    word = "seed" if len(tuning["seeds"]) == 1 else "seeds"
    yield (
        f"tuning first: every arm chooses its {tuning['path']} among "
        f"{', '.join(_short(value) for value in values)} on {word} "
        f"{', '.join(map(str, tuning['seeds']))}: {tuning['study']}, {len(tries)} trials{cost}"
    )


def _shared(record: "PlanDocument") -> Iterator[str]:
    """Yield a line about the steps that arms have in common, if they have any."""
    steps = record.get("steps")
    if steps and steps["shared"]:
        share = steps["shared"] / steps["trials"]
        yield (
            f"training steps: {steps['trials'] - steps['shared']:,} instead of "
            f"{steps['trials']:,} ({share:.0%} saved), because arms train what they have in common "
            "only once"
        )


def _ending(folder: Path, report: bool) -> dict[str, Any]:
    """Return what to show at the end of a run.

    Returns:
        `folder` of the study, the `answer` in five lines, path of the `report`, and addresses of
        the `mlflow` pages. Without a report, `answer` is empty and `report` is None; without MLflow
        runs, `mlflow` is None.
    """
    from g2g_base.atomic import read_json

    answer: list[str] = []
    if report and (StudyFolder(folder).trials_table).exists():
        from reports import headline, load_results

        answer = headline(load_results(folder))
    page = StudyFolder(folder).page
    return {
        "folder": str(folder),
        "answer": answer,
        "report": str(page) if report and page.exists() else None,
        "mlflow": read_json(StudyFolder(folder).tracking).get("addresses"),
    }


def _conclude(ended: dict[str, Any]) -> None:
    """Print the end of a run for people; only the last line, a path, goes to stdout."""
    for line in ended["answer"]:
        say(line)
    if ended["mlflow"] is not None:
        for name in ("by_arm", "compare"):
            # An address that names dozens of runs fills a terminal; the page links to it too
            if 0 < len(ended["mlflow"].get(name, "")) < LONGEST_ADDRESS:
                say(f"MLflow, {name.replace('_', ' ')}: {ended['mlflow'][name]}")
        say(f"to open it: g2g-ablate ui {shlex.quote(ended['folder'])}")
    show(ended["report"] or ended["folder"])


def _levels(cell: Any) -> str:
    """Return the levels of a cell in words: `factor=level`, with spaces between them."""
    return " ".join(f"{factor}={level}" for factor, level in cell.items())


def _short(value: object) -> str:
    """Return a value on a single line of at most 60 characters."""
    return cut(" ".join(str(value).split()), 60)


COMMANDS = (run, plan)
