"""Which checkpoint files belong together, by their names; needs no torch, so that planning a study
stays quick."""

import re
from pathlib import Path


def files_of(path: Path) -> list[Path]:
    """A checkpoint's file and those that are read with it where they are there.

    Beside a generator file `gen_<digits>.pt` or `<name>_gen.pt` that is the discriminator's file
    (`dis` in the place of `gen`), beside the former also `optimizer.pt`.
    """
    names = [counterpart(path.name)]
    if re.search(r"gen_\d{8}\.pt$", path.name):
        names.append("optimizer.pt")
    return [
        path,
        *(
            path.with_name(name)
            for name in names
            if name != path.name and path.with_name(name).is_file()
        ),
    ]


def counterpart(name: str) -> str:
    """The discriminator's file name: the last `gen` becomes `dis`."""
    return re.sub(r"gen(?!.*gen)", "dis", name)
