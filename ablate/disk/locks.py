"""Locks: one command per study, one process per trial, and no core or GPU promised twice.

A lock is an open file with an exclusive `flock`, which the operating system frees when its owner
dies. Commands of one user share a machine through claims, each a locked file in one folder.
"""

import json
import math
import os
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ablate.disk.secrets import masked_words
from ablate.study.nouns import StudyError
from g2g_base.locks import try_lock

_REMEDY = "name another one in G2G_ABLATE_REGISTRY"


class Locked(StudyError):
    """Refusal of something that another process holds; the message names the holder."""


@contextmanager
def held(path: Path, what: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file for the time of the block.

    The operating system frees the lock when this process dies.

    Args:
        path: lock file; holds pid, host, start, and command of its owner as JSON.
        what: what is locked, for the message.
        wait_s: how long to wait for another owner, in seconds; `inf` waits forever.

    Raises:
        Locked: someone else still holds the lock after `wait_s`.
    """
    deadline = time.monotonic() + wait_s
    with _locked(path, what, deadline) as file:
        file.seek(0)
        file.truncate()
        json.dump(_this_process(), file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _locked(path: Path, what: str, deadline: float) -> IO[str]:
    """Open and lock the file, and create it again if its last owner has just removed it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                file = stack.enter_context(open(path, "a+", opener=_no_link))
            except FileNotFoundError:  # The last owner has just removed the folder.
                continue
            except OSError as error:
                raise StudyError(f"{path}: cannot be locked: {error.strerror}") from None

            while not try_lock(file):
                if time.monotonic() >= deadline:
                    raise Locked(
                        f"{what} is in use by {_owner(path)}; wait for it to end, or use --wait"
                    )
                time.sleep(0.1)

            # A lock on a file without a name excludes nobody: the next process makes a new file.
            if os.fstat(file.fileno()).st_nlink:
                stack.pop_all()
                return file


def is_held(path: Path) -> bool:
    """Return whether a living process holds this lock file, which may be another user's."""
    try:
        with path.open() as file:
            return not try_lock(file, shared=True)
    except (FileNotFoundError, NotADirectoryError):
        return False


@dataclass(frozen=True)
class Share:
    """Part of a machine that one command takes, or a whole machine.

    Attributes:
        cpus: CPUs; may be a fraction.
        gpus: GPUs: a fraction of one, or a number of whole ones.
        cards: names of the GPUs, of a whole machine.
        workers: how many workers have it together.
    """

    cpus: float
    gpus: float = 0.0
    cards: tuple[str, ...] = ()
    workers: int = 1


@contextmanager
def machine_share(
    share: Share, total: Share, study: Path, wait_s: float = 0.0
) -> Iterator[tuple[str, ...]]:
    """Claim cores and GPUs of this machine for the time of the block.

    Only commands of the same user take account of each other's claims.

    Args:
        share: what to claim.
        total: what the machine has.
        study: the study's folder, for messages of other commands.
        wait_s: how long to wait until enough is free, in seconds.

    Yields:
        The names of the claimed GPUs, which no other command has claimed beyond what is free.

    Raises:
        Locked: less than `share` is free after `wait_s`; the message names the holders.
    """
    deadline = time.monotonic() + wait_s
    claim = _claim(share, total, study)
    while isinstance(claim, str):
        if time.monotonic() >= deadline:
            raise Locked(claim)
        time.sleep(0.2)
        claim = _claim(share, total, study)

    file, cards = claim
    try:
        yield tuple(cards)
    finally:
        Path(file.name).unlink(missing_ok=True)
        file.close()


def _claim(share: Share, total: Share, study: Path) -> tuple[IO[str], dict[str, float]] | str:
    """Return the locked file of a new claim with its GPUs, or the message that refuses it."""
    folder = _registry()
    with held(folder / "registry.lock", "the list of running studies", wait_s=30):
        others = _claims(folder)

        cards = _cards(share.gpus, total.cards, others)
        for kind, wanted, have, fits in (
            ("CPUs", share.cpus, total.cpus, True),
            ("GPUs", share.gpus, total.gpus, cards is not None),
        ):
            taken = sum(claim[kind] for claim in others)
            fewer = share.workers > 1 and have - taken + 1e-9 >= wanted / share.workers
            # Fractions add up with rounding errors.
            if wanted and (taken + wanted > have + 1e-9 or not fits):
                names = "; ".join(
                    f"{claim['study']} (pid {claim['pid']}, {claim[kind]:g} {kind})"
                    for claim in others
                )
                return (
                    f"{wanted:g} {kind} asked for, "
                    f"{have - taken:g} of {have:g} free on this machine; "
                    f"running: {names}. Wait for it to end, "
                    + ("use --wait, or fewer --workers" if fewer else "or use --wait")
                )

        # Locked as long as the claim holds: an unlocked claim counts as one of a dead process.
        file = (folder / f"{os.getpid()}-{time.monotonic_ns()}.claim").open("a+")
        try_lock(file)
        claim = {"study": str(study), "CPUs": share.cpus, "GPUs": share.gpus, "cards": cards}
        json.dump({**_this_process(), **claim}, file)
        file.flush()
        return file, cards or {}


def _cards(
    wanted: float, cards: Sequence[str], others: Sequence[Mapping[str, Any]]
) -> dict[str, float] | None:
    """Return name -> share of the GPUs to claim, the freest first; None if they aren't free.

    Args:
        wanted: a fraction of one GPU, or a number of whole ones.
        cards: names of the machine's GPUs, in their order.
        others: the claims of other commands.
    """
    taken = {
        card: sum((claim.get("cards") or {}).get(card, 0.0) for claim in others) for card in cards
    }
    each = min(wanted, 1.0)
    free = [card for card in sorted(cards, key=taken.__getitem__) if taken[card] + each <= 1 + 1e-9]
    number = math.ceil(wanted)
    return dict.fromkeys(free[:number], each) if len(free) >= number else None


def free_cpus(total: float) -> float:
    """Return how many CPUs of this machine no running study of this user has claimed."""
    folder = _registry()
    with held(folder / "registry.lock", "the list of running studies", wait_s=30):
        return total - sum(float(claim["CPUs"]) for claim in _claims(folder))


def _claims(folder: Path) -> list[dict[str, Any]]:
    """Return the claims of living processes, and remove those of dead ones."""
    claims = []
    for path in sorted(folder.glob("*.claim")):
        with suppress(FileNotFoundError):  # Its owner has just ended.
            if is_held(path):
                claims.append(json.loads(path.read_text()))
            else:
                path.unlink()
    return claims


def _registry() -> Path:
    """Return the folder of the claims on this machine; `G2G_ABLATE_REGISTRY` can name another."""
    named = os.environ.get("G2G_ABLATE_REGISTRY")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"g2g-ablate-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError as error:
        raise StudyError(f"{folder}: cannot be made: {error.strerror}; {_REMEDY}") from None

    # In a shared folder for temporary files, anybody can make a folder of this name first.
    if stat.S_ISLNK(facts.st_mode) or facts.st_uid != os.getuid():
        raise StudyError(f"{folder}: belongs to somebody else, or is a link; {_REMEDY}")
    return folder


def _no_link(path: str, flags: int) -> int:
    """Open a file as `open` does, but never the file that a symbolic link leads to."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def _this_process() -> dict[str, Any]:
    """Return what a lock file says about its owner."""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": since,
        "command": " ".join(masked_words(sys.argv)[:4]),
    }


def _owner(path: Path) -> str:
    """Return the holder of a lock in words."""
    try:
        owner = json.loads(path.read_text())
        return f"pid {owner['pid']} on {owner['host']} since {owner['since']} ({owner['command']})"
    except (OSError, ValueError, KeyError):
        return "another process"
