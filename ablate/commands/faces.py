"""The command `crop-faces`, which cuts FUNIT's animal faces out of ImageNet images."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ablate.commands.output import say, show

SHOWN = 5
"""Limit for the problems that the command prints one by one."""


def crop_faces(
    coordinates: Annotated[
        Path, typer.Argument(help="File of `class/image left top right bottom` lines.")
    ],
    images: Annotated[Path, typer.Argument(help="ImageNet's training images, in class folders.")],
    out: Annotated[Path, typer.Argument(help="Where the faces and their lists go.")],
    workers: Annotated[int, typer.Option(min=1, help="Threads.")] = 4,
) -> int:
    """Cut animal faces from ImageNet by coordinates, with the lists of training and test
    classes."""
    from g2g_core.data.crop_faces import crop_faces as cut

    done = cut(str(coordinates), str(images), str(out), workers)
    for problem in done.problems[:SHOWN]:
        say(problem)
    if len(done.problems) > SHOWN:
        say(f"and {len(done.problems) - SHOWN} more")
    for name, lines in done.lists.items():
        show(f"{out / name}: {lines} faces")
    say(f"{done.cut} cut, {done.kept} there already, {len(done.problems)} not possible")
    return 1 if done.problems else 0


COMMANDS: tuple[Callable[..., Any], ...] = (crop_faces,)
