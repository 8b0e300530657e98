"""Where and with what a trial ran: code, packages, machine, and memory."""

import contextlib
import functools
import gc
import os
import platform
import resource
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "g2g-ablate",
    "torch",
    "torchvision",
    "numpy",
    "ray",
    "mlflow",
    "pandas",
    "pyarrow",
    "pillow",
    "scipy",
)
"""Packages whose versions are recorded with every trial."""


@functools.cache
def environment() -> dict[str, Any]:
    """Return facts about all trials of this process: commit, packages, Python, and machine."""
    return {
        "git": git(),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "host": socket.gethostname(),
    }


@functools.cache
def git() -> dict[str, Any]:
    """Return the commit of the code, and whether any tracked files differ from it.

    The result is empty outside a repository, as in an installed wheel.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return {}
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return {
            "commit": commit,
            "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return {}


def processor() -> str:
    """Return the name of the processor."""
    return cpu_fact("model name") or platform.processor() or platform.machine()


def cpu_fact(*names: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the first value that Linux lists under one of these names, or an empty string.

    Args:
        names: names of fields, which differ between processor families.
        cpuinfo: file with lines of the form `name: value`.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    facts = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in facts if name.strip() in names), "")


def determinism(device: str) -> dict[str, Any]:
    """Return the settings that decide whether a repeated trial is bit-identical."""
    import torch

    facts: dict[str, Any] = {
        "device": device,
        "threads": torch.get_num_threads(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "bit_equal": device == "cpu" or torch.are_deterministic_algorithms_enabled(),
    }
    if device != "cpu":
        # Convolutions and products have a switch each, and torch's defaults differ.
        facts["tf32"] = {
            "convolutions": torch.backends.cudnn.allow_tf32,
            "products": torch.backends.cuda.matmul.allow_tf32,
        }
        facts["cudnn_deterministic"] = torch.backends.cudnn.deterministic
    if _usable(device):
        facts["gpu"] = torch.cuda.get_device_name(device)
        facts["cuda"] = torch.version.cuda or torch.version.hip
        facts["cudnn"] = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return facts


class PeakMemory:
    """Peak memory of this process and its GPU since this object was created.

    Args:
        device: `cpu` or `cuda`.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        # On Linux, 5 resets the peak, because a reused worker still has that of its last trial.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        if _usable(device):
            import torch

            torch.cuda.reset_peak_memory_stats(device)

    def megabytes(self) -> dict[str, float]:
        """Return peak resident memory, and what a GPU gave at most, in MB (2**20 bytes).

        Of a GPU, `gpu` is what torch reserved, which no other process can use, and `gpu_tensors`
        the part that tensors filled.
        """
        peaks = {"host": round(_peak_resident() / 2**20, 1)}
        if _usable(self._device):
            import torch

            peaks["gpu"] = round(torch.cuda.max_memory_reserved(self._device) / 2**20, 1)
            peaks["gpu_tensors"] = round(torch.cuda.max_memory_allocated(self._device) / 2**20, 1)
        return peaks


def limit_memory(share: float) -> None:
    """Let torch use at most a share of the GPU in this process, so that a trial stays in its own.

    A trial that needs more fails for itself, instead of making others on the card fail.

    Args:
        share: part of the card's memory; from 1 on there is no limit.
    """
    # A program or another library isn't torch's to limit, and importing torch takes seconds.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(min(1.0, share))


def free_memory() -> None:
    """Return the GPU memory that torch keeps in this process for later, but doesn't use now.

    Call this between trials, since a worker that waits would hold it from the others of its card.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


def _usable(device: str) -> bool:
    """Return whether the device is a GPU that torch can use.

    A GPU that Ray offers but torch can't use is an error in training, not here.
    """
    if not device.startswith("cuda"):
        return False
    import torch

    return torch.cuda.is_available()


def _peak_resident() -> int:
    """Return the peak resident memory of this process in bytes."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass

    # Unlike VmHWM, this peak can't be reset. macOS gives it in bytes, other systems in kilobytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _git(root: Path, *arguments: str) -> str:
    """Return the output of a git command."""
    done = subprocess.run(
        ("git", "-C", str(root), *arguments), capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def _version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
