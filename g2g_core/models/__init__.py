"""Models by name, with the options of their networks."""

from collections.abc import Callable

from g2g_core.config import TrialConfig
from g2g_core.models.cyclefunit import CycleFunitOptions, cyclefunit
from g2g_core.models.naive import NaiveOptions, naive
from g2g_core.models.networks import Networks, funit, funit2funit
from g2g_core.models.options import FunitOptions

__all__ = ["MODELS", "OPTIONS", "Networks"]

MODELS: dict[str, Callable[[TrialConfig, int], Networks]] = {
    f.__name__: f for f in (funit2funit, funit, cyclefunit, naive)
}
"""Name -> networks of a config and the number of training classes, float32 on the CPU, with initial
weights."""

OPTIONS: dict[str, type] = {
    "funit2funit": FunitOptions,
    "funit": FunitOptions,
    "cyclefunit": CycleFunitOptions,
    "naive": NaiveOptions,
}
"""Name -> dataclass of the model's options, the keys of `network:` in a study file."""
