"""What the child processes of a command inherit: their environment, and where they find code.

The user's environment may hold settings that were meant for other programs. Those of Python, Ray,
and MLflow reach the processes of G2G-Ablate only if they are on a list. Programs of the user get
the user's environment back.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

USERS_VARIABLES = "G2G_ABLATE_USERS_VARIABLES"
"""Variable with the user's variables of the families below, as JSON."""

FAMILIES = ("PYTHON", "RAY_", "TUNE_", "MLFLOW_", "_MLFLOW_")
"""What the names of variables start with that only those on a list are inherited of."""

OF_PYTHON = (
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONUSERBASE",
    "PYTHONUTF8",
    "PYTHONHASHSEED",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
)
"""Variables that say where Python is installed or what it writes, and that leave behavior alone."""

OF_MLFLOW = (
    "MLFLOW_TRACKING_",
    "MLFLOW_HTTP_",
    "MLFLOW_ARTIFACT_",
    "MLFLOW_S3_",
    "MLFLOW_BOTO_",
    "MLFLOW_GCS_",
    "MLFLOW_KERBEROS_",
    "MLFLOW_MYSQL_",
)
"""What the names of MLflow's variables about the way to a server and its storage start with."""


def environment(own: Mapping[str, str], kept: Iterable[str] = ()) -> dict[str, str]:
    """Return the environment of a child process of G2G-Ablate.

    Args:
        own: variables to set.
        kept: what the names of variables of Ray, Tune, and MLflow start with that the child
            inherits.
    """
    prefixes = (*OF_PYTHON, *kept)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FAMILIES) or name.startswith(prefixes)
    }
    env = inherited | {
        "PYTHONPATH": os.pathsep.join(_search_path()),
        # Python would search the current folder, or that of the script, before all others
        "PYTHONSAFEPATH": "1",
        "PYTHONWARNINGS": "ignore",
        **own,
    }

    theirs = {name: value for name, value in os.environ.items() if name.startswith(FAMILIES)}
    return env | {USERS_VARIABLES: json.dumps(theirs)}


def users_environment() -> dict[str, str]:
    """Return the environment of a program of the user, in whichever process this is called."""
    env = dict(os.environ)
    theirs = env.pop(USERS_VARIABLES, None)
    if theirs is None:
        return env
    users: dict[str, str] = json.loads(theirs)
    return {name: env[name] for name in env if not name.startswith(FAMILIES)} | users


def give_back(prefix: str) -> None:
    """Set the user's variables whose names start so in this process, for code of the user."""
    theirs: dict[str, str] = json.loads(os.environ.get(USERS_VARIABLES, "{}"))
    os.environ.update({name: theirs[name] for name in theirs if name.startswith(prefix)})


def code_folders() -> list[str]:
    """Return the folders in which only the user's own program made Python search for modules.

    This is the folder of the script that the user started, or the current folder if the user
    started a module in it with `python -m`. Child processes must search them last, since a file
    there may have the name of a library.
    """
    implicit = _implicit_folder()
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if implicit is None or main is None:
        return []
    return [implicit] if Path(main).resolve().is_relative_to(Path(implicit).resolve()) else []


def search_last(folders: Iterable[str]) -> None:
    """Let this process search for modules in these folders, after all others."""
    sys.path.extend(folder for folder in folders if folder not in sys.path)


def _search_path() -> list[str]:
    """Return where this process finds modules, without what Python added on its own at its start.

    An empty entry of `PYTHONPATH` means the current folder to Python. It is usually an accident,
    from `PYTHONPATH=$PYTHONPATH:/folder` without a former value.
    """
    accidents = [_implicit_folder()]
    given = os.environ.get("PYTHONPATH")
    if given and "" in given.split(os.pathsep):
        accidents.append(str(Path.cwd()))

    # Hooks of editable installs aren't folders, but a relative name would become one
    folders = [str(Path(p).absolute()) for p in sys.path if p and not p.startswith("__editable__")]
    for accident in accidents:
        if accident in folders:
            folders.remove(accident)
    return folders


def _implicit_folder() -> str | None:
    """Return the folder that Python put first on the search path at its start, or None."""
    main = sys.modules.get("__main__")
    if sys.flags.safe_path or main is None:
        return None
    if getattr(main, "__spec__", None) is not None:
        return str(Path.cwd())  # python -m
    file = getattr(main, "__file__", None)
    return None if file is None else str(Path(file).resolve().parent)
