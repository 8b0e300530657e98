"""Image disentanglement by cross-training (G2G): models, losses, metrics, data and the training
loop."""

from g2g_core.config import TrialConfig
from g2g_core.record import Diverged, Record

__all__ = ["Diverged", "Record", "TrialConfig", "train"]


def __getattr__(name: str) -> object:
    """`train`, imported on first use: it brings the networks, the data sets and the metrics."""
    if name == "train":
        from g2g_core.training.loop import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
