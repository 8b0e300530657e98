"""Where and with what a trial ran: code, packages, machine, memory."""

import contextlib
import functools
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


@functools.cache
def environment() -> dict[str, Any]:
    """Facts that hold for every trial of this process: git commit, packages, Python, machine."""
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
    """Commit of the code and whether files differ from it; empty outside a repository (an installed
    wheel)."""
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
    """The processor's name."""
    return cpu_fact("model name") or platform.processor() or platform.machine()


def cpu_fact(*names: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What Linux says of the first processor under one of these names; empty where it says
    nothing."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    facts = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in facts if name.strip() in names), "")


def determinism(device: str) -> dict[str, Any]:
    """What decides whether the same trial gives the same bits again."""
    import torch

    facts: dict[str, Any] = {
        "device": device,
        "threads": torch.get_num_threads(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "bit_equal": device == "cpu",
    }
    if _usable(device):
        facts["gpu"] = torch.cuda.get_device_name(device)
        facts["tf32"] = torch.backends.cuda.matmul.allow_tf32
        facts["cudnn_deterministic"] = torch.backends.cudnn.deterministic
    return facts


class PeakMemory:
    """Peak memory between the making of this object and `megabytes`, for this process and its
    GPU."""

    def __init__(self, device: str) -> None:
        self._device = device
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text(
                "5"
            )  # Linux: start the peak anew, for warm workers
        if _usable(device):
            import torch

            torch.cuda.reset_peak_memory_stats(device)

    def megabytes(self) -> dict[str, float]:
        """Peak resident memory, and with a GPU its peak allocation, in MB (2**20 bytes)."""
        peaks = {"host": round(_peak_resident() / 2**20, 1)}
        if _usable(self._device):
            import torch

            peaks["gpu"] = round(torch.cuda.max_memory_allocated(self._device) / 2**20, 1)
        return peaks


def _usable(device: str) -> bool:
    """Whether the device is a GPU that torch can use; one that Ray announces but torch lacks fails
    in training."""
    if not device.startswith("cuda"):
        return False
    import torch

    return torch.cuda.is_available()


def _peak_resident() -> int:
    """Bytes of the largest resident set."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ("git", "-C", str(root), *arguments), capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
