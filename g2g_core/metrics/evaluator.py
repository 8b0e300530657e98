"""Evaluation of a model during training: the metrics by name, and the images of the figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from g2g_core.config import TrialConfig, prefixes
from g2g_core.data.pairs import Data, EvaluationPairs
from g2g_core.features.options import FeatureOptions
from g2g_core.metrics.menu import DEFAULT, METRICS, all_metrics
from g2g_core.metrics.metric import Metric, MetricError, missing
from g2g_core.metrics.references import References
from g2g_core.passes.evaluation import Evaluation, Which

if TYPE_CHECKING:
    from g2g_core.models.networks import Networks

FIGURE_PAIRS = 8
FIGURE_ROWS = ("real", "mixed", "full_recon")


class Evaluator:
    """The evaluation of one training run, repeated on the same pairs.

    Call it with the networks as often as needed: `evaluator(networks)`.

    Args:
        pairs: the fixed evaluation pairs.
        data: the dataset of the run.
        config: its `metrics` and `evaluate` are used; empty `metrics` means `default_metrics`.

    Raises:
        MetricError: an unknown metric, or one that this dataset does not support.
    """

    def __init__(self, pairs: EvaluationPairs, data: Data, config: TrialConfig) -> None:
        self.pairs = pairs
        self.data = data
        self.config = config
        self.metrics = chosen(config.metrics or default_metrics(pairs), pairs)
        refuse_partial_judges(self.metrics, config)
        self.references = References(pairs, data, config)

    @property
    def facts(self) -> dict[str, Any]:
        """JSON-ready facts that the values depend on: see `References.facts`.

        Reading them trains the classifier if a metric needs it.
        """
        return self.references.facts(frozenset().union(*(metric.needs for metric in self.metrics)))

    def recorded(self, networks: "Networks") -> tuple[str, ...]:
        """Return the names of the metrics that a call records.

        Raises:
            MetricError: no weights are evaluated, or `stop_beyond` names a metric that is not
                recorded.
        """
        names = [
            f"{prefix}{metric.name}"
            for prefix in evaluated(self.config, networks).values()
            for metric in self.metrics
        ]
        for name in self.config.stop_beyond:
            if name not in names:
                raise MetricError(f"stop_beyond: {name} is not recorded by this run")
        return tuple(names)

    def __call__(self, networks: "Networks") -> tuple[dict[str, float], dict[str, Tensor]]:
        """Return the values and images under the current weights; see `evaluate`."""
        values: dict[str, float] = {}
        images: dict[str, Tensor] = {}
        for which, prefix in evaluated(self.config, networks).items():
            evaluation = Evaluation(networks, which, self.pairs, self.references)
            values |= {
                f"metric/{prefix}{metric.name}": metric.function(evaluation)
                for metric in self.metrics
            }
            images = images or figure(evaluation)
        return values, images


def evaluate(
    networks: "Networks", pairs: EvaluationPairs, data: Data, config: TrialConfig
) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Return the metrics and the figure of a model on fixed pairs.

    Args:
        networks: the model under its current weights, which stay as they are.
        pairs: P fixed pairs.
        data: the dataset that the pairs come from.
        config: its `metrics` (empty: `default_metrics`) and `evaluate`; an average that the model
            does not keep is left out.

    Returns:
        First the values: `metric/<name>` of the first evaluated weights and
        `metric/<raw|average>_<name>` of the others. Then the images of the first weights: `real`,
        `mixed`, `full_recon`, and `truth` if it is known -> (2Q, 3, H, W) in [-1, 1] on the CPU,
        of the first Q = min(P, 8) pairs.

    Raises:
        MetricError: see `Evaluator`.
    """
    return Evaluator(pairs, data, config)(networks)


def default_metrics(pairs: EvaluationPairs) -> tuple[str, ...]:
    """Return the names of the cheap metrics that these pairs allow, in the order of `METRICS`."""
    return tuple(
        name for name in METRICS if name in DEFAULT and missing(METRICS[name], pairs) is None
    )


def chosen(names: Sequence[str], pairs: EvaluationPairs) -> tuple[Metric, ...]:
    """Return the metrics with these names.

    Raises:
        MetricError: an unknown name, or a metric that the pairs do not allow.
    """
    known = all_metrics()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise MetricError(f"metrics: no such metric: {', '.join(unknown)}")
    reasons = [f"{name}: {reason}" for name in names if (reason := missing(known[name], pairs))]
    if reasons:
        raise MetricError(f"metrics: {'; '.join(reasons)}")
    return tuple(known[name] for name in names)


def refuse_partial_judges(metrics: Sequence[Metric], config: TrialConfig) -> None:
    """Check that no metric uses an identity encoder that the run trains against.

    Raises:
        MetricError: a metric uses the encoder of an active identity loss.
    """
    used = any(weight and term.startswith("identity") for term, weight in config.losses.items())
    encoder = FeatureOptions.of(config.network).identity
    partial = [metric.name for metric in metrics if encoder in metric.needs]
    if used and partial:
        raise MetricError(
            f"metrics: {', '.join(partial)}: its encoder, {encoder}, is trained against by an "
            "identity loss, so it is no judge; leave the metric out or give the loss another "
            "encoder (network.identity)"
        )


def evaluated(config: TrialConfig, networks: "Networks") -> dict[Which, str]:
    """Return the weights to evaluate, each with the prefix of its metric names.

    An average that the model does not keep is left out.

    Raises:
        MetricError: `evaluate` names no weights of this model.
    """
    names = prefixes(config.evaluate, networks.average is not None)
    if not names or not set(names) <= {"raw", "average"}:
        raise MetricError(
            f"evaluate: {list(config.evaluate)} names no weights of this model; "
            "raw and average are known"
        )
    return cast("dict[Which, str]", names)


def figure(evaluation: Evaluation, rows: Sequence[str] = FIGURE_ROWS) -> dict[str, Tensor]:
    """Return the images of the paper's figure for at most 8 pairs.

    Args:
        evaluation: has the images.
        rows: names of the images.

    Returns:
        Row name -> (2Q, 3, H, W) in [-1, 1] on the CPU; first halves of the pairs first. `truth`,
            the exact mixed images, is a row if the dataset knows them.
    """
    total = len(evaluation.pairs.first)
    shown = min(FIGURE_PAIRS, total)
    index = torch.cat([torch.arange(shown), total + torch.arange(shown)])
    rows = rows if evaluation.pairs.truth is None else (*rows, "truth")
    return {row: getattr(evaluation, row)[index].cpu() for row in rows}
