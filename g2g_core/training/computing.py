"""How torch computes: its threads, and on a GPU its rounding and the order of its sums."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from g2g_core.config import TrialConfig

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""Environment variable that cuBLAS reads once, at its first product in a process."""


@contextmanager
def computing(config: TrialConfig, device: str, lenient: bool = False) -> Iterator[None]:
    """Set how torch computes in this process, and restore what concerns the GPU at the end.

    The next run in a worker may have another config, and the process may be a user's own.

    Args:
        config: its `threads`, `tf32`, and `deterministic`.
        device: `cpu`, `cuda`, or `cuda:<n>`. On a CPU, only the threads are set.
        lenient: whether operations that have no deterministic form on a GPU are used all the same.
            Otherwise torch raises RuntimeError with their name.
    """
    torch.set_num_threads(config.threads)
    if torch.device(device).type == "cpu":
        yield
        return

    # Also for runs that aren't deterministic: a later one in this process may be, and by then
    # cuBLAS has read it.
    os.environ.setdefault(WORKSPACE, ":4096:8")

    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = (
        products.allow_tf32,
        convolutions.allow_tf32,
        convolutions.benchmark,
        convolutions.deterministic,
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    products.allow_tf32 = convolutions.allow_tf32 = config.tf32
    if config.deterministic:
        convolutions.benchmark, convolutions.deterministic = False, True
        torch.use_deterministic_algorithms(True, warn_only=lenient)
    try:
        with warnings.catch_warnings():
            if lenient:
                warnings.filterwarnings("ignore", ".* does not have a deterministic implementation")
            yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before[:2]
        convolutions.benchmark, convolutions.deterministic = before[2:4]
        torch.use_deterministic_algorithms(before[4], warn_only=before[5])
