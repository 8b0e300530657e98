"""The commands for a study folder that exists, such as `status`, `report`, and `watch`."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ablate.commands.output import Json, Quiet, cut, say, show, show_json, show_table
from ablate.disk.folder import StudyFolder
from ablate.disk.secrets import OPTION

Study = Annotated[Path, typer.Argument(metavar="OUT", help="A study's folder, OUT/<study name>.")]


def status(folder: Study, as_json: Json = False) -> None:
    """One row per trial: status, steps, primary metric, seconds, error; age of the last sign of
    life if running."""
    from dataclasses import asdict

    from ablate.planning.plan_file import read_plan
    from ablate.results.status import pretraining_status, study_status, tuning_status
    from reports.documents.names import ArmNames

    rows = study_status(folder)
    if as_json:
        show_json([asdict(row) for row in rows])
        return

    counts = Counter(row.status for row in rows)
    show(f"{len(rows)} trials: {', '.join(f'{number} {name}' for name, number in counts.items())}")

    for line in pretraining_status(folder):
        show(f"pre-training {line}")
    if tuning := tuning_status(folder):
        show(f"tuning {tuning}")

    cells: list[tuple[object, ...]] = []
    for row in rows:
        step = row.progress if row.steps or row.step else ""
        cells.append(
            (
                *(row.trial_id, row.arm_code, row.seed, row.status, step),
                *(row.metric, row.seconds, row.heartbeat_s),
            )
        )
    header = ("trial", "arm", "seed", "status", "step", "outcome", "seconds", "heard s ago")
    show_table(
        header, cells, right=("seed", *header[4:]), spare=("heard s ago", "seconds"), wrapped="arm"
    )
    if key := ArmNames(read_plan(folder)).key_words:
        show(f"arms: {key}")
    for (state, error), number in Counter(
        (row.status, row.error) for row in rows if row.error
    ).items():
        show(f"{number} {state}: {error}")


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="OUT", help="Folders of studies; several: one comparison."),
    ],
    formats: Annotated[
        str, typer.Option("--format", help="Of html, pdf, text, latex, csv.")
    ] = "html,pdf,text,latex,csv",
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder to write to.  [default: OUT/report]")
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option("--leave-out", metavar="SECTION", help="A section to leave out."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build the report from the trials' folders alone: no MLflow, no Ray, no GPU, no study file."""
    from ablate.results.report import write_reports

    written = write_reports(
        folders, to, [name.strip() for name in formats.split(",")], leave_out or ()
    )
    if as_json:
        show_json({"files": [str(path) for path in written.files], "answer": list(written.answer)})
        return
    for line in written.answer:
        say(line, quiet)
    for path in written.files[:2]:
        show(str(path))


def verify(
    folder: Study,
    trial: Annotated[
        str, typer.Argument(metavar="TRIAL", help="The trial's id, or the first digits of it.")
    ],
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Run a trial again and compare: identical to the bit on a CPU, and on a GPU with
    `deterministic: true`. Without it, only the first step is judged, within a printed tolerance."""
    from ablate.trial.verify import verify_trial

    comparison = verify_trial(folder, one_trial(folder, trial), lambda line: say(line, quiet))
    if as_json:
        show_json(comparison.to_dict())
    else:
        show(comparison.sentence)
    return 0 if comparison.equal else 1


def sync(
    folder: Study,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            OPTION, metavar="URI", help="MLflow store.  [default: where the study was tracked]"
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", min=0.0, metavar="SECONDS", help="For another command to free the study."
        ),
    ] = 0.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Bring MLflow up to date with a study folder; nothing is trained.

    Whatever was renamed, moved, or deleted, in the folder or in MLflow: afterwards every trial has
    its run with the folder's names and numbers. Exits with 3 if something could not be sent.
    """
    from ablate.running.tracked import sync as bring
    from g2g_base.atomic import read_json

    behind = bring(folder, tracking_uri, wait)
    facts = read_json(StudyFolder(folder).tracking)
    if as_json:
        show_json({"behind": behind, "uri": facts["uri"], "mlflow": facts.get("addresses")})
    elif behind is not None:
        say(behind)
    elif not quiet:
        show(f"MLflow has everything: {facts['uri']}")
    return 0 if behind is None else 3


def ui(
    folder: Study,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free port.")] = 5000,
) -> int:
    """Start the MLflow page of a study on this machine's loopback, and print the address of the
    comparison."""
    from ablate.tracking.server import serve

    return serve(folder, port, show)


def watch(
    folder: Study,
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="0: the first free one from 8050 on."),
    ] = 0,
) -> int:
    """Serve the live page of a study that runs elsewhere, on this machine's loopback.

    It is the report, built again while you look at it and trials end, below a strip that shows what
    the trials do at the moment. Ctrl-C ends it; the study continues.
    """
    from ablate.live.server import watch as serve

    return serve(folder, port, show)


def one_trial(folder: Path, start: str) -> Path:
    """Return the folder of the only trial whose id begins with `start`.

    Raises:
        StudyError: no trial or several trials do, or the folder isn't a study folder.
    """
    from ablate.planning.plan_file import read_plan
    from ablate.study.nouns import StudyError

    read_plan(folder)
    trials = StudyFolder(folder).trials
    matches = (
        sorted(path for path in trials.iterdir() if path.name.startswith(start))
        if trials.is_dir()
        else []
    )
    if len(matches) != 1 or not start:
        many = (
            f"{len(matches)} trials start so: {', '.join(path.name for path in matches[:5])}"
            if matches
            else "no such trial"
        )
        raise StudyError(f"{trials}: {cut(start, 40)}: {many}")

    return matches[0]


COMMANDS = (status, report, watch, verify, sync, ui)
