"""Find the checkpoint files that belong together, by their names.

This module does not import torch, so that planning a study stays quick.
"""

import re
from pathlib import Path


def files_of(path: Path) -> list[Path]:
    """Return a checkpoint's file and the existing files that are read together with it.

    For a generator's file `gen_<digits>.pt` or `<name>_gen.pt`, that is the discriminator's file
    (the same name with `dis` instead of `gen`). For `gen_<digits>.pt`, it is also `optimizer.pt`.
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
    """Return the discriminator's file name: the last `gen` of the name becomes `dis`."""
    return re.sub(r"gen(?!.*gen)", "dis", name)
