"""Leakage probes: what a linear reader finds in each of the two codes, and DCI scores of both.

Each metric takes an evaluation and returns a score.
"""

import hashlib
from collections.abc import Mapping
from math import log2

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from g2g_core.metrics.metric import Metric
from g2g_core.metrics.ridge import probe
from g2g_core.passes.evaluation import Evaluation

PROBE_SIDE = 8
PROBE = "ridge on standardised codes, 5 fixed folds, distinct images only"


def class_from_content(evaluation: Evaluation) -> float:
    """Return how well content codes predict the class. A high score is a leak."""
    return scores(evaluation, "content")["class"]


def class_from_class(evaluation: Evaluation) -> float:
    """Return how well class codes predict the class. A high score is desired."""
    return scores(evaluation, "class_code")["class"]


def content_from_class(evaluation: Evaluation) -> float:
    """Return how well class codes predict the labeled content factors, as a mean over factors.

    A high score is a leak.
    """
    return _mean_of_factors(scores(evaluation, "class_code"))


def content_from_content(evaluation: Evaluation) -> float:
    """Return how well content codes predict the labeled content factors, as a mean over factors.

    A high score is desired.
    """
    return _mean_of_factors(scores(evaluation, "content"))


def dci_disentanglement(evaluation: Evaluation) -> float:
    """Return 1 - entropy of what each code predicts, class or content.

    Codes are weighted by how much they predict.
    """
    return purity(information(evaluation))


def dci_completeness(evaluation: Evaluation) -> float:
    """Return 1 - entropy of which code predicts class and content.

    Class and content are weighted by how well they are predicted.
    """
    return purity(information(evaluation).T)


def dci_informativeness(evaluation: Evaluation) -> float:
    """Return the score of the better code, as a mean over class and content."""
    return float(information(evaluation).max(dim=0).values.mean())


def information(evaluation: Evaluation) -> Tensor:
    """Return the (2, 2) probe scores, cut to [0, 1].

    Rows are the content code and the class code; columns are content and class.
    """
    rows = [
        [content_from_content(evaluation), class_from_content(evaluation)],
        [content_from_class(evaluation), class_from_class(evaluation)],
    ]
    return torch.tensor(rows, dtype=torch.float64).clamp(0, 1)


def purity(table: Tensor) -> float:
    """Return 1 - binary entropy of the shares in each row of a (2, 2) table.

    The result is the mean over rows, weighted by their sums, and nan for an empty table.
    """
    total = float(table.sum())
    rows = [(float(row.sum()), float(row[0])) for row in table if float(row.sum()) > 0]
    if not total:
        return float("nan")
    return sum(size * (1 - _entropy(first / size)) for size, first in rows) / total


def _entropy(share: float) -> float:
    """Return the binary entropy in bits."""
    return -sum(p * log2(p) for p in (share, 1 - share) if p > 0)


def scores(evaluation: Evaluation, codes: str) -> dict[str, float]:
    """Return the probe's score for the class and for each labeled factor.

    Integers are categories, floats are quantities.

    Args:
        evaluation: the evaluation with the codes.
        codes: `content` or `class_code`.

    Returns:
        `class` and `factor/<name>` -> score.
    """
    return evaluation.once(
        f"probes/{codes}", lambda: _scores(evaluation, flat(getattr(evaluation, codes)))
    )


def _scores(evaluation: Evaluation, codes: Tensor) -> dict[str, float]:
    keep = distinct(evaluation.real).cpu()
    factors = {f"factor/{name}": values[keep] for name, values in evaluation.pairs.factors.items()}
    return probe(codes.cpu()[keep], {"class": evaluation.labels.cpu()[keep], **factors}, "class")


def _mean_of_factors(all_scores: Mapping[str, float]) -> float:
    """Return the mean score of the factors that vary in these pairs."""
    # A score is nan, and so differs from itself, if the factor never varies.
    varying = [
        score for name, score in all_scores.items() if name.startswith("factor/") and score == score
    ]
    return sum(varying) / len(varying) if varying else float("nan")


def flat(codes: Tensor) -> Tensor:
    """Return codes as (n, d); maps larger than 8 × 8 are averaged down to that size."""
    if codes.dim() == 4 and max(codes.shape[-2:]) > PROBE_SIDE:
        codes = adaptive_avg_pool2d(codes, PROBE_SIDE)
    return codes.float().flatten(1)


def distinct(images: Tensor) -> Tensor:
    """Return the indices of the first image of each group of identical images.

    Copies in two folds would give the answer away.
    """
    first: dict[bytes, int] = {}
    for index, image in enumerate(images.cpu()):
        first.setdefault(hashlib.blake2b(image.numpy().tobytes()).digest(), index)
    return torch.tensor(list(first.values()), device=images.device)


ABOVE_CHANCE = "1 is always right, 0 is chance"

PROBES = (
    Metric(
        "class_from_content",
        class_from_content,
        "lower",
        f"{ABOVE_CHANCE} (the commonest class)",
        f"accuracy above chance of the class told from content codes; probe: {PROBE}",
        "leaks that no linear reader finds; a natural tie of class and content (background, pose) "
        "looks like a leak",
    ),
    Metric(
        "class_from_class",
        class_from_class,
        "higher",
        f"{ABOVE_CHANCE} (the commonest class)",
        f"accuracy above chance of the class told from class codes; probe: {PROBE}",
        "what else is in the class code",
    ),
    Metric(
        "content_from_class",
        content_from_class,
        "lower",
        f"{ABOVE_CHANCE} (category: the commonest; quantity: the mean)",
        f"mean score of the labelled content factors told from class codes; probe: {PROBE}",
        "content that nobody labelled; leaks that no linear reader finds",
        needs=frozenset({"factors"}),
    ),
    Metric(
        "content_from_content",
        content_from_content,
        "higher",
        f"{ABOVE_CHANCE} (category: the commonest; quantity: the mean)",
        f"mean score of the labelled content factors told from content codes; probe: {PROBE}",
        "content that is there in a form that no linear reader finds",
        needs=frozenset({"factors"}),
    ),
    Metric(
        "dci_disentanglement",
        dci_disentanglement,
        "higher",
        "0 to 1",
        "each code tells of one thing only: 1 - entropy of its (content, class) probe scores, "
        "weighted by their sum",
        "which code is impure: see the four probes",
        "DCI (Eastwood and Williams 2018) with the two codes as blocks and probe scores as "
        "importances",
        frozenset({"factors"}),
    ),
    Metric(
        "dci_completeness",
        dci_completeness,
        "higher",
        "0 to 1",
        "each thing is told by one code only: 1 - entropy of its scores over the two codes, "
        "weighted by their sum",
        "which thing is told twice: see the four probes",
        "as dci_disentanglement",
        frozenset({"factors"}),
    ),
    Metric(
        "dci_informativeness",
        dci_informativeness,
        "higher",
        "0 to 1",
        "mean over content and class of the better code's probe score",
        "whether it is told by the right code",
        "as dci_disentanglement",
        frozenset({"factors"}),
    ),
)
