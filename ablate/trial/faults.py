"""Why a trial failed: each class of fault has its own policy.

| Fault | Policy |
|---|---|
| `bug` | not retried in the same command, because the same input gives the same error |
| `data` | a file is missing or damaged; not retried in the same command |
| `gpu_memory`, `host_memory` | retried with fewer trials at a time, never with a smaller batch |
| `killed` | resumed from the last checkpoint, at most `max_retries` times |
| `device` | the GPU failed: as `killed`, in a new process; the old one can't use a GPU again |
| `disk_full` | the study stops; finished trials are kept |
| `pretraining` | the trial that it starts from has left no checkpoint; it was not started |
| `tuning` | its tries leave no value to choose; it was not started |
"""

import errno
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ablate.disk.folder import TrialFolder
from ablate.study.nouns import TrialResult

MEMORY = ("gpu_memory", "host_memory")
"""Faults that may not occur again with fewer trials at a time."""

STOPS = ("disk_full",)
"""Faults that end the whole study at once."""

NOT_ITS_OWN = ("pretraining", "tuning")
"""Faults of other trials, which say nothing about this one."""

LEAVES_PROCESS = ("device",)
"""Faults after which a process can't run another trial."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk or an exhausted quota."""
_GPU_MEMORY = re.compile(
    r"(CUDA|HIP|MPS|XPU)\b.{0,40}\bout of memory"
    r"|CU(BLAS|DNN|SOLVER|SPARSE|FFT)_STATUS_ALLOC_FAILED|hipErrorOutOfMemory"
    r"|HIPBLAS_STATUS_ALLOC_FAILED|miopenStatusAllocFailed"
    r"|device\(s\) is/are busy or unavailable"
)
"""Messages of a GPU without room: a full one also refuses a library's workspace, or a process."""
_DEVICE = re.compile(
    r"\b(CUDA|HIP) (driver )?error\b|\bNCCL error\b"
    r"|CU(BLAS|DNN|SOLVER|SPARSE|FFT)_STATUS_(EXECUTION|INTERNAL|MAPPING)_\w+"
    r"|(CUBLAS|CUDNN)_STATUS_NOT_INITIALIZED|No CUDA GPUs are available"
)
"""Messages of a GPU that failed. Most such errors end all use of it by their process."""
_HOST_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "cannot allocate memory")
_WRITE_FAILED = (
    "PytorchStreamWriter",
    "unexpected pos",
    "No space left",
    "enforce fail at inline_container",
)
"""Parts of torch's messages when it can't write a checkpoint, for whatever reason."""


def classify(error: BaseException, folder: Path) -> str:
    """Return the fault class of an error.

    Args:
        error: the error that a trial raised.
        folder: the trial's folder, whose disk may be full.
    """
    text = str(error)
    # Compared by name, because importing torch takes seconds.
    names = {kind.__name__ for kind in type(error).__mro__}

    if "OutOfMemoryError" in names or _GPU_MEMORY.search(text):
        return "gpu_memory"
    if "AcceleratorError" in names or _DEVICE.search(text):
        return "device"
    if isinstance(error, MemoryError) or any(part in text for part in _HOST_MEMORY):
        return "host_memory"
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return "host_memory"

    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return "disk_full"
    if any(part in text for part in _WRITE_FAILED) and shutil.disk_usage(folder).free < 2**20:
        return "disk_full"

    if "DataError" in names or "UnidentifiedImageError" in names:
        return "data"
    if isinstance(error, OSError) and error.filename is not None:
        return "data"
    return "bug"


@dataclass
class Referee:
    """Decides after every result whether the study must stop.

    Attributes:
        fail_fast: stop at the first failed trial.
        alike_limit: stop if the first trials, as many as this, all fail with the same error; 0
            turns this off.
    """

    fail_fast: bool = False
    alike_limit: int = 3
    _errors: list[str | None] = field(default_factory=list)

    def stop_reason(self, result: TrialResult) -> str | None:
        """Return the reason to stop after this result, or None to continue."""
        if result.fault in NOT_ITS_OWN:
            return None
        failed = result.status == "failed"
        self._errors.append(f"{result.fault}: {result.error}" if failed else None)
        if failed and result.fault in STOPS:
            return f"the disk is full ({result.folder}): {result.error}"
        if failed and self.fail_fast:
            return f"trial {result.trial.id} failed and --fail-fast is set: {result.error}"
        return self._alike(result)

    def _alike(self, result: TrialResult) -> str | None:
        """Return a reason to stop if this command's first trials all failed with one error."""
        first: Sequence[str | None] = self._errors[: self.alike_limit]
        if (
            not self.alike_limit
            or len(self._errors) != self.alike_limit
            or None in first
            or len(set(first)) > 1
        ):
            return None
        where = TrialFolder(result.folder).traceback
        return (
            f"the first {self.alike_limit} trials failed with the same error: "
            f"{result.error} (see {where})"
        )
