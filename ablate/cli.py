"""The command line: parse, call the public API, print.

Together with `ablate.commands` the only code that does.

Exit codes: 0 every trial ended; 1 some trial failed; 2 the user's mistake, in one line, nothing
started; 3 infrastructure; 130 interrupted, everything resumable.
"""

import sys
from importlib import metadata
from typing import Annotated

import typer

from ablate.commands import faces, menus, networks, results, studies, weights
from ablate.commands.output import show

GROUPS = (studies, results, networks, menus, weights, faces)
"""The modules whose commands there are."""

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
    """Run the command line; never returns."""
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
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
    """What to tell the user about an exception, and the exit code; None: a bug, which keeps its
    traceback.

    Mistakes of the user (2) are errors of the command line itself, of the study, the data, a
    checkpoint, and of a report's input; infrastructure (3) is Ray, the disk, or the tracking store.
    """
    if hasattr(error, "format_message"):
        return " ".join(str(error.format_message()).split()), 2
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
