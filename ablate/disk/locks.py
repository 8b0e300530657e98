"""Who works where: one command per study, one process per trial, and no core or GPU promised twice
on a machine."""

import fcntl
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ablate.study.nouns import StudyError


class Locked(StudyError):
    """Someone else holds it; the message says who."""


@contextmanager
def held(path: Path, what: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock file `path` for the time of the block; the operating system frees it when this
    process dies.

    Args:
        path: lock file; holds pid, host, start and command of its owner as JSON.
        what: what is locked, for the message.
        wait_s: how long to wait for another owner, seconds; `inf` waits for ever.

    Raises:
        Locked: someone else still holds it after `wait_s`.
    """
    deadline = time.monotonic() + wait_s
    with _locked(path, what, deadline) as file:
        file.seek(0)
        file.truncate()
        json.dump(_me(), file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _locked(path: Path, what: str, deadline: float) -> IO[str]:
    """The lock file, open and locked; one that its last owner removed meanwhile is made anew."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                file = stack.enter_context(path.open("a+"))
            except FileNotFoundError:  # its last owner has just removed the folder
                continue
            while not _try(file):
                if time.monotonic() >= deadline:
                    raise Locked(
                        f"{what} is in use by {_owner(path)}; wait for it to end, or use --wait"
                    )
                time.sleep(0.1)
            if os.fstat(file.fileno()).st_nlink:
                stack.pop_all()
                return file


def is_held(path: Path) -> bool:
    """Whether a living process holds this lock file, which may be another user's."""
    try:
        with path.open() as file:
            return not _try(file, fcntl.LOCK_SH)
    except (FileNotFoundError, NotADirectoryError):
        return False


@dataclass(frozen=True)
class Share:
    """What one command takes of this machine."""

    cpus: float
    gpus: float = 0.0


@contextmanager
def machine_share(share: Share, total: Share, study: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Claim cores and GPUs of this machine for the time of the block, beside other commands of this
    user.

    Raises:
        Locked: what is left after `wait_s` seconds is less than `share`; the message names the
            holders.
    """
    deadline = time.monotonic() + wait_s
    claim = _claim(share, total, study)
    while isinstance(claim, str):
        if time.monotonic() >= deadline:
            raise Locked(claim)
        time.sleep(0.2)
        claim = _claim(share, total, study)
    try:
        yield
    finally:
        Path(claim.name).unlink(missing_ok=True)
        claim.close()


def _claim(share: Share, total: Share, study: Path) -> IO[str] | str:
    """The locked file of a new claim, or the words that refuse it."""
    folder = _registry()
    with held(folder / "registry.lock", "the list of running studies", wait_s=30):
        others = _claims(folder)
        for kind, wanted, have in (
            ("CPUs", share.cpus, total.cpus),
            ("GPUs", share.gpus, total.gpus),
        ):
            taken = sum(claim[kind] for claim in others)
            if wanted and taken + wanted > have + 1e-9:
                names = "; ".join(
                    f"{claim['study']} (pid {claim['pid']}, {claim[kind]:g} {kind})"
                    for claim in others
                )
                return (
                    f"{wanted:g} {kind} asked for, {have - taken:g} of {have:g} free on this machine; "
                    f"running: {names}. Wait for it to end, use --wait, or fewer --workers"
                )
        file = (folder / f"{os.getpid()}-{time.monotonic_ns()}.claim").open("a+")
        _try(file)
        json.dump({**_me(), "study": str(study), "CPUs": share.cpus, "GPUs": share.gpus}, file)
        file.flush()
        return file


def free_cpus(total: float) -> float:
    """CPUs of this machine that no running study of this user has claimed."""
    folder = _registry()
    with held(folder / "registry.lock", "the list of running studies", wait_s=30):
        return total - sum(float(claim["CPUs"]) for claim in _claims(folder))


def _claims(folder: Path) -> list[dict[str, Any]]:
    """The claims of living processes; those of dead ones are removed."""
    claims = []
    for path in sorted(folder.glob("*.claim")):
        with suppress(FileNotFoundError):  # its owner has just ended
            if is_held(path):
                claims.append(json.loads(path.read_text()))
            else:
                path.unlink()
    return claims


def _registry() -> Path:
    """Folder of the claims on this machine; `G2G_ABLATE_REGISTRY` moves it."""
    named = os.environ.get("G2G_ABLATE_REGISTRY")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"g2g-ablate-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _try(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _me() -> dict[str, Any]:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": since,
        "command": " ".join(sys.argv[:4]),
    }


def _owner(path: Path) -> str:
    """The holder of a lock in words."""
    try:
        owner = json.loads(path.read_text())
        return f"pid {owner['pid']} on {owner['host']} since {owner['since']} ({owner['command']})"
    except (OSError, ValueError, KeyError):
        return "another process"
