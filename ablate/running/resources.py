"""The resources of a run: workers, and CPUs and GPUs per trial.

They are checked against the machine before anything starts.
"""

import contextlib
import math
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.running.cluster import cluster_address
from ablate.study.nouns import StudyError, Trial
from ablate.trial.environment import cpu_fact

CONTAINER_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""Files with the memory limit of a container and with what it uses, in two versions of Linux."""


@dataclass(frozen=True)
class Card:
    """A GPU, or a part of one that acts as a GPU (MIG).

    Attributes:
        entry: what `CUDA_VISIBLE_DEVICES` calls it.
        uuid: what all commands on this machine call it.
    """

    entry: str
    uuid: str


@dataclass(frozen=True)
class Resources:
    """The share of a machine or a cluster that each trial gets.

    Attributes:
        workers: number of trials that train at a time. With 0, they train one by one in this
            process. None means as many as fit, and is only possible on a cluster.
        cpus: CPUs that a trial reserves; can be a fraction.
        gpus: GPUs of a trial: a fraction up to 1, or a whole number. With 0, a trial sees no GPU.
        address: the Ray cluster to connect to; None starts Ray on this machine.
        cards: the GPUs of this machine that the trials may use.
    """

    workers: int | None
    cpus: float = 1.0
    gpus: float = 0.0
    address: str | None = None
    cards: tuple[Card, ...] = ()

    @property
    def cards_needed(self) -> float:
        """How much of GPUs all workers take: a fraction of a single one, or a number of whole ones.

        Several cards are whole, because Ray doesn't know which of them has only a fraction left.
        """
        workers = max(1, self.workers or 1)
        if not self.gpus or self.gpus * workers <= 1:
            return self.gpus * workers
        return (
            math.ceil(workers / trials_at_once(1, self.gpus))
            if self.gpus <= 1
            else (workers * self.gpus)
        )

    @property
    def own_device(self) -> str:
        """The torch device for work in the command's own process, which sees all cards.

        The nodes of a cluster may have GPUs that this machine doesn't have.
        """
        cards = machine_cards() if self.gpus else ()
        if not cards:
            return "cpu"
        number = cards.index(self.cards[0]) if self.cards else 0
        return f"cuda:{number}" if number else "cuda"

    @property
    def device(self) -> str:
        """The torch device that a trial trains on."""
        return "cuda" if self.gpus else "cpu"


def machine_cpus() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int:
    """Return the bytes of memory that this process can still get, also inside a container."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, used in CONTAINER_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # no container, or no limit
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(free, 0)


def machine_cards() -> tuple[Card, ...]:
    """Return the GPUs that this process may use, in their order.

    `nvidia-smi` lists them, because torch would be slow to import and would claim GPU memory.
    """
    program = shutil.which("nvidia-smi")
    if program is None or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return ()
    try:
        listed = subprocess.run(
            (program, "-L"), capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return visible_cards(listed, os.environ.get("CUDA_VISIBLE_DEVICES"))


def visible_cards(listed: str, visible: str | None) -> tuple[Card, ...]:
    """Return the GPUs that a process may use.

    Args:
        listed: what `nvidia-smi -L` prints: a line per GPU, each followed by its MIG parts.
        visible: the value of `CUDA_VISIBLE_DEVICES`; None if it isn't set.
    """
    # CUDA uses the parts of a card that is divided, and not the card itself.
    groups: list[list[str]] = []
    for line in listed.splitlines():
        name, _, uuid = line.rstrip(") ").rpartition("(UUID: ")
        if name.startswith("GPU "):
            groups.append([uuid])
        elif name.strip().startswith("MIG ") and groups:
            groups[-1].append(uuid)
    usable = [uuid for group in groups for uuid in (group[1:] or group)]
    if visible is None:
        return tuple(Card(uuid, uuid) for uuid in usable)

    cards: list[Card] = []
    for entry in (part.strip() for part in visible.split(",")):
        if entry.isdigit():
            group = groups[int(entry)] if int(entry) < len(groups) else []
            matches = group[1:2] or group
        else:
            matches = [uuid for uuid in usable if entry and uuid.startswith(entry)]
        # As CUDA does: what follows a name that is none, such as -1 or NoDevFiles, is hidden.
        if len(matches) != 1 or matches[0] in [card.uuid for card in cards]:
            break
        cards.append(Card(entry, matches[0]))
    return tuple(cards)


def machine_gpus() -> int:
    """Return the number of GPUs that this process may use."""
    return len(machine_cards())


def trials_at_once(gpus: int, per_trial: float) -> int:
    """Return how many trials fit on this number of GPUs; a trial isn't spread over a fraction."""
    if per_trial > 1:
        return int(gpus // per_trial)
    return gpus * math.floor(1 / per_trial + 1e-9)


def computes_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Return whether this processor has instructions for bfloat16.

    These are AVX-512 on x86 and `bf16` on Arm. Without them, torch computes one number at a time.

    Args:
        cpuinfo: the file with the facts about the processor.

    Returns:
        True also where the processor is unknown.
    """
    features = cpu_fact("flags", "Features", cpuinfo=cpuinfo).split()
    return not features or "avx512bw" in features or "bf16" in features


def resolve(
    trials: Sequence[Trial],
    workers: int | None,
    cpus_per_trial: float | None,
    gpus_per_trial: float,
    address: str | None,
    free: float,
) -> Resources:
    """Return the resources of a run, with the defaults filled in.

    Args:
        trials: the trials to run.
        workers: number of trials that train at a time; None: as many as `free` CPUs and the GPUs
            allow.
        cpus_per_trial: CPUs that a trial reserves; None: the largest number of threads of a trial.
        gpus_per_trial: a fraction up to 1, or a whole number.
        address: address of a Ray cluster, whose resources are checked only once Ray has connected;
            None: this machine.
        free: number of CPUs that no other study has claimed.

    Raises:
        StudyError: the machine doesn't have the resources, or the address has a wrong form.
        Infrastructure: no Ray cluster answers at the address.
    """
    threads = max((trial.config.threads for trial in trials), default=1)
    cpus = float(threads) if cpus_per_trial is None else cpus_per_trial
    if cpus <= 0 or gpus_per_trial < 0 or (workers is not None and workers < 0):
        raise StudyError("workers, CPUs and GPUs per trial must be positive")
    if gpus_per_trial > 1 and gpus_per_trial != int(gpus_per_trial):
        raise StudyError(
            f"--gpus-per-trial {gpus_per_trial:g}: must be at most 1, or a whole number"
        )

    if address is not None:
        return Resources(workers, cpus, gpus_per_trial, cluster_address(address))

    have = machine_cpus()
    if cpus > have:
        raise StudyError(f"--cpus-per-trial {cpus:g}: this machine has {have} CPUs")
    gpus = machine_gpus() if gpus_per_trial else 0
    if gpus_per_trial > gpus:
        raise StudyError(
            f"--gpus-per-trial {gpus_per_trial:g}: this machine has {gpus or 'no'} GPUs"
        )

    if workers is None:
        workers = max(1, math.floor(max(free, 1.0) / cpus))
        if gpus_per_trial:
            workers = min(workers, trials_at_once(gpus, gpus_per_trial))
        workers = min(workers, max(len(trials), 1))
    elif workers * cpus > have:
        raise StudyError(
            f"{workers} workers with {cpus:g} CPUs each: this machine has {have} CPUs; "
            f"use --workers {max(1, int(have / cpus))} or --cpus-per-trial {have / workers:.2g}"
        )
    elif gpus_per_trial and max(1, workers) > trials_at_once(gpus, gpus_per_trial):
        raise StudyError(
            f"{workers} workers with {gpus_per_trial:g} GPUs each: this machine has {gpus} GPUs; "
            f"use --workers {trials_at_once(gpus, gpus_per_trial)}"
        )

    return Resources(workers, cpus, gpus_per_trial, None)
