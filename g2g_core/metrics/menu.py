"""The menu of metrics."""

from functools import cache

from g2g_core import plugins
from g2g_core.metrics.faces import FACES
from g2g_core.metrics.metric import Metric
from g2g_core.metrics.probes import PROBES
from g2g_core.metrics.reconstruction import RECONSTRUCTION
from g2g_core.metrics.response import RESPONSE
from g2g_core.metrics.sets import SETS
from g2g_core.metrics.translation import TRANSLATION

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (*RECONSTRUCTION, *RESPONSE, *PROBES, *TRANSLATION, *SETS, *FACES)
}
"""Name -> metric, in the order of reports."""


@cache
def all_metrics() -> dict[str, Metric]:
    """Our own metrics, then those of installed packages (group `g2g_ablate.metrics`), by name.

    Raises:
        PluginError: an installed package brings a name that is taken, or what cannot be loaded.
    """
    return plugins.with_plugins(METRICS, plugins.METRICS)


DEFAULT = frozenset(
    {
        "short_l1",
        "short_ssim",
        "long_l1",
        "long_ssim",
        "mixed_l1",
        "mixed_psnr",
        "mixed_ssim",
        "copy_content_l1",
        "copy_class_l1",
        "swap_score",
        "mixed_diversity",
        "content_effect",
        "class_effect",
        "content_distance_edges",
    }
)
"""What a run records when its config names no metrics: cheap, and needing nothing but the pairs."""
