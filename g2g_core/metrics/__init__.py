"""Metrics of a generator on fixed evaluation pairs, by name."""

from g2g_core.metrics.evaluator import Evaluator, default_metrics, evaluate
from g2g_core.metrics.menu import METRICS, all_metrics
from g2g_core.metrics.metric import Metric, MetricError, missing

__all__ = [
    "METRICS",
    "Evaluator",
    "Metric",
    "MetricError",
    "all_metrics",
    "default_metrics",
    "evaluate",
    "missing",
]
