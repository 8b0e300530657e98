"""The class of a fault decides whether a trial runs again, and in which process."""

from pathlib import Path

import pytest
import torch

from ablate.trial.faults import classify

MESSAGES = {
    "gpu_memory": [
        "CUDA out of memory. Tried to allocate 2.00 GiB.",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA driver error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
        "HIP out of memory. Tried to allocate 20.00 MiB",
        "HIP error: out of memory",
        "MPS backend out of memory (MPS allocated: 17.11 GB)",
    ],
    "device": [
        "CUDA error: uncorrectable ECC error encountered",
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: unspecified launch failure",
        "CUDA error: device-side assert triggered",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "HIP error: the operation cannot be performed in the present state",
        "No CUDA GPUs are available",
    ],
    "host_memory": ["DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"],
    "bug": [
        "Expected all tensors to be on the same device, but found cuda:0 and cpu",
        "Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) differ",
        "the memory of a study runs out of words",
    ],
}


@pytest.mark.parametrize(
    ("fault", "message"), [(fault, text) for fault, texts in MESSAGES.items() for text in texts]
)
def test_a_message_has_its_class(tmp_path: Path, fault: str, message: str) -> None:
    assert classify(RuntimeError(message), tmp_path) == fault


def test_torchs_own_kinds_of_errors_need_no_known_message(tmp_path: Path) -> None:
    assert classify(torch.OutOfMemoryError("?"), tmp_path) == "gpu_memory"
    assert classify(torch.AcceleratorError("?"), tmp_path) == "device"
    assert classify(torch.AcceleratorError("CUDA error: out of memory"), tmp_path) == "gpu_memory"
