"""The resources of a run: workers, and CPUs and GPUs per trial.

They are checked against the machine before anything starts.
"""

import contextlib
import math
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
class Resources:
    """The share of a machine or a cluster that each trial gets.

    Attributes:
        workers: number of trials that train at a time. With 0, they train one by one in this
            process. None means as many as fit, and is only possible on a cluster.
        cpus: CPUs that a trial reserves; can be a fraction.
        gpus: GPUs of a trial: a fraction up to 1, or a whole number. With 0, a trial sees no GPU.
        address: the Ray cluster to connect to; None starts Ray on this machine.
    """

    workers: int | None
    cpus: float = 1.0
    gpus: float = 0.0
    address: str | None = None

    @property
    def device(self) -> str:
        """The torch device that a trial trains on."""
        return "cuda" if self.gpus else "cpu"


def machine_cpus() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int:
    """Return the bytes of memory that this process can still get, also inside a container."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, used in CONTAINER_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # no container, or no limit
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(free, 0)


def machine_gpus() -> int:
    """Return the number of GPUs that this process may use.

    `nvidia-smi` counts them, because torch would be slow to import and would claim GPU memory.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    program = shutil.which("nvidia-smi")
    if program is None or visible == "":
        return 0

    try:
        listed = subprocess.run(
            (program, "-L"), capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0

    installed = sum(line.startswith("GPU ") for line in listed.splitlines())
    return installed if visible is None else min(installed, len(visible.split(",")))


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


def cluster_answers(address: str, patience_s: float = 10.0) -> bool:
    """Return whether a server accepts connections at a cluster's address.

    Ray itself would try for many minutes before it reports a failure.

    Args:
        address: `host:port` or `ray://host:port`. An address without a port, such as `auto`, isn't
            tried and counts as an answer.
        patience_s: how long to wait, in seconds.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return True

    try:
        with socket.create_connection((host, int(port)), timeout=patience_s):
            return True
    except (OSError, OverflowError):
        return False


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
        StudyError: the machine doesn't have the resources, or no cluster answers at the address.
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
        if not address.strip() or not cluster_answers(address):
            raise StudyError(f"--address {address}: no Ray cluster answers there")
        return Resources(workers, cpus, gpus_per_trial, address)

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
            workers = min(workers, math.floor(gpus / gpus_per_trial))
        workers = min(workers, max(len(trials), 1))
    elif workers * cpus > have:
        raise StudyError(
            f"{workers} workers with {cpus:g} CPUs each: this machine has {have} CPUs; "
            f"use --workers {max(1, int(have / cpus))} or --cpus-per-trial {have / workers:.2g}"
        )
    elif workers * gpus_per_trial > gpus:
        raise StudyError(
            f"{workers} workers with {gpus_per_trial:g} GPUs each: this machine has {gpus} GPUs"
        )

    return Resources(workers, cpus, gpus_per_trial, None)
