"""The environment of a user's program, which is the user's own whichever process starts it."""

import os
import sys
from pathlib import Path

from ablate.processes.children import users_environment


def search_path() -> str:
    """Return `PATH` with the folder of this Python at its end, so that `python` always exists."""
    python_folder = str(Path(sys.executable).parent)
    return os.pathsep.join(filter(None, (os.environ.get("PATH", ""), python_folder)))


def program_environment(device: str, threads: int) -> dict[str, str]:
    """Return the environment variables of a program.

    Args:
        device: `cpu` or `cuda`; with `cpu` the program sees no GPU.
        threads: number of CPU threads.
    """
    env = {**users_environment(), "PATH": search_path(), "OMP_NUM_THREADS": str(threads)}
    if not env.get("PYTHONPATH"):
        env.pop("PYTHONPATH", None)
    if device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    return env
