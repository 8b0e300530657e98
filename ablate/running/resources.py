"""What a run may use: workers, CPUs and GPUs per trial, checked against the machine before anything
starts."""

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


@dataclass(frozen=True)
class Resources:
    """How trials share a machine or a cluster.

    Attributes:
        workers: trials at once; 0 runs them one by one in this process; None on a cluster: as many
            as fit.
        cpus: CPUs that a trial reserves, may be a fraction.
        gpus: GPUs of a trial: a fraction up to 1, or a whole number; 0 keeps every GPU out of its
            sight.
        address: a Ray cluster to connect to; None starts one on this machine.
    """

    workers: int | None
    cpus: float = 1.0
    gpus: float = 0.0
    address: str | None = None

    @property
    def device(self) -> str:
        """Where a trial trains."""
        return "cuda" if self.gpus else "cpu"


def machine_cpus() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_gpus() -> int:
    """GPUs that this process may use, counted without starting any."""
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
    there = sum(line.startswith("GPU ") for line in listed.splitlines())
    return there if visible is None else min(there, len(visible.split(",")))


def computes_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether torch computes in bfloat16 by instructions of this processor; True where that can't
    be known.

    Without them (AVX-512 on x86, `bf16` on Arm) it goes number by number.
    """
    features = cpu_fact("flags", "Features", cpuinfo=cpuinfo).split()
    return not features or "avx512bw" in features or "bf16" in features


def cluster_answers(address: str, patience_s: float = 10.0) -> bool:
    """Whether somebody listens at a cluster's address; Ray itself would try for many minutes before
    it says so.

    Args:
        address: `host:port` or `ray://host:port`; what names no port (`auto`) is left to Ray to
            find.
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
    """The resources of a run, with the defaults filled in.

    Args:
        trials: what is to run; their threads are the default of `cpus_per_trial`.
        workers: trials at once; None: as many as `free` CPUs allow.
        cpus_per_trial: None: the most threads of any trial.
        gpus_per_trial: fraction or whole number.
        address: a cluster checks its resources itself, when connected.
        free: CPUs that no other study has claimed.

    Raises:
        StudyError: what is asked for is not there.
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
