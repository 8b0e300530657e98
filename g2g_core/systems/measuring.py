"""Metrics of a system on evaluation pairs, those of G2G, where they apply."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from g2g_core.data.pairs import Data, EvaluationPairs
from g2g_core.metrics.evaluator import Evaluator, default_metrics, figure
from g2g_core.metrics.metric import Metric, MetricError
from g2g_core.metrics.references import References
from g2g_core.models.networks import Networks
from g2g_core.passes.evaluation import Evaluation
from g2g_core.systems.config import SystemConfig

Evaluate = Callable[[Networks, EvaluationPairs, References], Evaluation]
"""Makes the images of a system for pairs."""


def plain(networks: Networks, pairs: EvaluationPairs, references: References) -> Evaluation:
    """Return the evaluation of a generator whose codes all come from images."""
    return Evaluation(networks, "raw", pairs, references)


class PairMeasure:
    """The metrics of a system, and its figure, on fixed pairs that training never sees.

    Args:
        config: names the metrics and the pairs.
        data: the dataset.
        networks: holds the generator that is evaluated.
        evaluate: makes its images.
        not_applicable: metric -> why this system can't have it. Such a metric isn't recorded.
        own: metrics that only this system has, which are always recorded.

    Attributes:
        pairs: the evaluation pairs.
        names: the metrics that are recorded.
        not_applicable: metric -> why it isn't, for those that the config or the dataset asks for.

    Raises:
        MetricError: the config names a metric that the system can't have.
    """

    def __init__(
        self,
        config: SystemConfig,
        data: Data,
        networks: Networks,
        evaluate: Evaluate = plain,
        not_applicable: Mapping[str, str] | None = None,
        own: Sequence[Metric] = (),
    ) -> None:
        self.networks, self.evaluate = networks, evaluate
        self.pairs = data.evaluation_pairs(config.eval_pairs, config.eval_split, config.eval_shots)
        excluded = not_applicable or {}
        for name in config.metrics:
            if name in excluded:
                raise MetricError(f"metrics: {name} does not apply: {excluded[name]}")
        wanted = config.metrics or default_metrics(self.pairs)
        self.not_applicable = {name: excluded[name] for name in wanted if name in excluded}
        chosen = tuple(name for name in wanted if name not in excluded)
        self.evaluator = Evaluator(self.pairs, data, replace(config.trial(), metrics=chosen))
        self.metrics = (*self.evaluator.metrics, *own)
        self.names = tuple(metric.name for metric in self.metrics)

    def __call__(self) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Return the metrics under the current weights, and the images of the figure."""
        evaluation = self.evaluate(self.networks, self.pairs, self.evaluator.references)
        values = {f"metric/{metric.name}": metric.function(evaluation) for metric in self.metrics}
        images = figure(evaluation)
        if hasattr(evaluation, "mask_row"):
            images |= {"mask": figure(evaluation, ("mask_row",))["mask_row"]}
        return values, images
