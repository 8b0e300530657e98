"""Measure the cost of evaluations: all metrics on 100 pairs at 64 pixels, and the share of a trial.

    python benchmarks/evaluation.py [--pairs 100] [--size 64] [--threads 2] [--steps 50]

The share is that of all evaluations of a trial at the usual interval.
"""

import argparse
import time
from dataclasses import replace

import torch

from ablate.planning.load import load_study
from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS
from g2g_core.metrics import METRICS, Evaluator, default_metrics, missing
from g2g_core.models import MODELS
from g2g_core.training.loop import train

LIMIT_S = 10.0
LIMIT_SHARE = 0.25


def seconds_of_all_metrics(base: TrialConfig, pairs: int, size: int) -> None:
    """Print the seconds of an evaluation with the usual metrics, and with other choices.

    The other choices are all metrics that run without downloaded weights, and all metrics.

    Args:
        base: config of the trial.
        pairs: number of evaluated pairs.
        size: width and height of the images, pixels.
    """
    config = replace(base, image_size=size, checkpoint=None, eval_pairs=pairs, evaluate=("raw",))
    data = DATASETS[config.dataset](config)
    fixed = data.evaluation_pairs(pairs)
    networks = MODELS[config.model](config, data.n_classes)
    names = tuple(name for name, metric in METRICS.items() if missing(metric, fixed) is None)
    usual = default_metrics(fixed)

    weightless = tuple(
        name
        for name in names
        if METRICS[name].needs <= {"truth", "factors", "classifier", "reference"}
    )

    for label, chosen in (
        ("usual", usual),
        ("without outside networks", weightless),
        ("all", names),
    ):
        evaluator = Evaluator(fixed, data, replace(config, metrics=chosen))

        # The first evaluation includes preparations, which later ones reuse.
        start = time.perf_counter()
        _ = evaluator.facts
        evaluator(networks)
        first = time.perf_counter() - start

        start = time.perf_counter()
        evaluator(networks)
        again = time.perf_counter() - start

        print(
            f"{label:25} {len(chosen):3} metrics, {pairs} pairs at {size} px: "
            f"{again:6.2f} s an evaluation "
            f"(limit {LIMIT_S:.0f}), the first one with preparations {first:6.2f} s"
        )


def share_of_a_trial(base: TrialConfig, steps: int) -> None:
    """Print the share of a trial's time that evaluations take."""
    records = list(train(replace(base, checkpoint=None, steps=steps)))

    evaluating = sum(record.values.get("time/eval_s", 0.0) for record in records)
    training = sum(record.values.get("time/step_s", 0.0) for record in records)
    n = sum(record.kind == "eval" for record in records)
    share = evaluating / (evaluating + training)
    print(
        f"{base.model} at {base.image_size} px, {steps} steps, "
        f"{n} evaluations of {base.eval_pairs} pairs "
        f"({', '.join(base.evaluate)}): {training:.2f} s training, {evaluating:.2f} s evaluating, "
        f"share {share:.0%} (limit {LIMIT_SHARE:.0%})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", default="funit2funit")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    base = load_study(options.study).base
    share_of_a_trial(base, options.steps)
    torch.set_num_threads(options.threads)
    seconds_of_all_metrics(base, options.pairs, options.size)


if __name__ == "__main__":
    main()
