"""The command line: it parses arguments, calls the public API, and prints.

Only this module and `ablate.commands` read arguments or print results. Exit codes:

    0    every trial finished or diverged, even if MLflow hasn't got everything yet
    1    some trials failed
    2    the user made a mistake; a single line says which, and nothing was started
    3    Ray or the disk failed, or the tracking store failed at the start or during `sync`
    10   `gate`: drop the candidate
    11   `gate`: more seeds are needed
    130  the command was interrupted; the same command resumes it
    141  the reader of the output closed the pipe
"""

import os
import sys
from importlib import metadata
from typing import Annotated

import typer

from ablate.commands import (
    check,
    faces,
    folders,
    judging,
    menus,
    networks,
    results,
    studies,
    weights,
)
from ablate.commands.output import Messages, ReaderGone, show

GROUPS = (studies, check, results, judging, folders, networks, menus, weights, faces)
"""The modules whose commands the command line offers, in the order of its help."""

app = typer.Typer(
    name="g2g-ablate",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Ablation studies for image disentanglement by cross-training: from a study file to an answer
    with evidence."""
    if version:
        show(metadata.version("g2g-ablate"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        show(context.get_help())


for group in GROUPS:
    for command in group.COMMANDS:
        app.command()(command)


def main() -> None:
    """Run the command line and exit with its code.

    An exception that is a bug of this package keeps its traceback.

    Raises:
        SystemExit: with one of the codes that are listed at the top of this module.
    """
    sys.stderr = Messages(sys.stderr)
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except ReaderGone:
        # Python flushes stdout once more when it exits, and would complain about the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        outcome = told(error)
        if outcome is None:
            raise
        message, code = outcome
        print(f"g2g-ablate: {message}", file=sys.stderr)
        sys.exit(code)
    sys.exit(code if isinstance(code, int) else 0)


def told(error: Exception) -> tuple[str, int] | None:
    """Return the message and the exit code for an exception, or None for a bug.

    A bug keeps its traceback. Mistakes of the user (2) are errors of the command line itself, of
    the study, the data, a checkpoint, or a report's input. Infrastructure (3) is Ray, the disk, or
    the tracking store.
    """
    # Click's own errors, such as an unknown option
    if hasattr(error, "format_message"):
        # Typer leaves pydantic's name for the kind of an error in its messages
        return " ".join(str(error.format_message()).replace("Value error, ", "").split()), 2

    # Compared by name, because importing the classes would import torch before every command
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {
        "StudyError",
        "DataError",
        "CheckpointError",
        "MetricError",
        "PluginError",
        "ReportError",
        "ResultsError",
        "MissingWeights",
    }:
        return str(error), 2

    return (str(error), 3) if "Infrastructure" in names else None
