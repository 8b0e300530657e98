"""The environment in which a program of a user runs: the user's own, whoever starts it."""

import os
import sys
from pathlib import Path

USERS_PYTHONPATH = "G2G_ABLATE_USERS_PYTHONPATH"
"""In the processes of Ray, whose `PYTHONPATH` is ours: what the user had set."""


def search_path() -> str:
    """`PATH` with the folder of our own Python at its end, so that there is always a `python`."""
    ours = str(Path(sys.executable).parent)
    return os.pathsep.join(filter(None, (os.environ.get("PATH", ""), ours)))


def program_environment(device: str, threads: int) -> dict[str, str]:
    """The variables of a program on a device with so many CPU threads; with `cpu` it sees no
    GPU."""
    env = {**os.environ, "PATH": search_path(), "OMP_NUM_THREADS": str(threads)}
    if USERS_PYTHONPATH in env:
        env["PYTHONPATH"] = env.pop(USERS_PYTHONPATH)
    if not env.get("PYTHONPATH"):
        env.pop("PYTHONPATH", None)
    if device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    return env
