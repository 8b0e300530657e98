"""The commands `prune` and `pack`, which make a study's folder smaller, or fit to hand in."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.commands.output import Json, Quiet, say, show, show_json
from ablate.commands.results import Study


def prune(
    folder: Study,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also the newest checkpoints of finished trials, from which translate and export "
            "work, and what other trainers saved.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Delete checkpoints that nothing needs any more, and say how much that frees. No result is
    lost."""
    from ablate.results.prune import prune

    pruned = prune(folder, everything, dry_run)
    if as_json:
        show_json(
            {
                "deleted": not dry_run,
                "files": [str(path) for path in pruned.files],
                "freed_bytes": pruned.freed,
                "left_bytes": pruned.left,
                "named": [str(path) for path in pruned.named],
            }
        )
        return
    verb = "would free" if dry_run else "freed"
    show(f"{verb} {_megabytes(pruned.freed)}: {_checkpoints(len(pruned.files))}")
    for path in pruned.named:
        say(f"{path} is kept, because a study in {folder.resolve().parent} starts from it", quiet)
    if pruned.left and not everything:
        say(f"--all would free {_megabytes(pruned.left)} more", quiet)


def pack(
    folder: Study,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="The archive.  [default: OUT.zip]"),
    ] = None,
    images: Annotated[
        bool,
        typer.Option("--images", help="Take pictures along, which may be photographs of people."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write one ZIP archive to hand in: study file, plan, ledger, trials with their environment,
    tables, and report."""
    from ablate.results.pack import pack

    packed = pack(folder, to, images)
    if as_json:
        show_json({"path": str(packed.path), "files": packed.files, "bytes": packed.size})
        return
    show(f"{packed.path}: {packed.files} files, {_megabytes(packed.size)}")


def _megabytes(size: int) -> str:
    """Return a size for people."""
    return f"{size / 2**20:,.1f} MB"


def _checkpoints(count: int) -> str:
    """Return how many checkpoints, in words."""
    return f"{count} checkpoint" if count == 1 else f"{count} checkpoints"


COMMANDS = (prune, pack)
