"""Measure what batches cost compared with a training step, for every kind of dataset.

    python benchmarks/data.py [--folder CLASS_FOLDERS] [--size 128] [--batch 4] [--steps 40]

Batches are measured in the first epoch and later, with and without the cache. Without `--folder`,
the benchmark makes a set of 300 random JPEG images of 256 × 256 pixels.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS
from g2g_core.training.loop import train

LIMIT = 0.02
"""Largest share of a training step that a batch may take once images are decoded."""
LOSSES = {
    "adversarial": 1.0,
    "short_recon": 0.1,
    "self_fm": 1.0,
    "short_fm": 1.0,
    "d_hinge": 1.0,
    "d_r1": 10.0,
}


def made_folder(root: Path) -> Path:
    """Fill a folder with ten classes of 30 random images, and return it."""
    rng = np.random.default_rng(0)
    for c in range(10):
        (root / f"class{c}").mkdir(parents=True)
        for i in range(30):
            small = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
            small.resize((256, 256), Image.Resampling.BICUBIC).save(root / f"class{c}" / f"{i}.jpg")
    return root


def per_step(work: Callable[[int], object], steps: range) -> float:
    """Return the median seconds per step."""
    times = []
    for step in steps:
        start = time.perf_counter()
        work(step)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def seconds_of_training(config: TrialConfig) -> float:
    """Return the median seconds of a training step."""
    records = [record for record in train(config) if "time/step_s" in record.values]
    return float(np.median([record.values["time/step_s"] for record in records]))


def measure(label: str, config: TrialConfig, steps: int, step_s: float) -> None:
    """Print what the batches of a dataset cost.

    Args:
        label: name of the row.
        config: the dataset and its options.
        steps: number of measured batches.
        step_s: seconds of a training step, for comparison.
    """
    start = time.perf_counter()
    data = DATASETS[config.dataset](config)
    _ = data.digest
    ready = time.perf_counter() - start

    first = time.perf_counter()
    data.batch(0)
    first = time.perf_counter() - first

    # The same batches again show what the cache saves.
    cost = per_step(data.batch, range(1, steps + 1))
    again = per_step(data.batch, range(1, steps + 1))

    pairs = time.perf_counter()
    data.evaluation_pairs(32)
    pairs = time.perf_counter() - pairs

    print(
        f"{label:34} ready {ready * 1e3:7.1f} ms, first batch {first * 1e3:7.1f} ms, "
        f"then {cost * 1e3:6.2f} ms ({cost / step_s:6.2%} of a step), "
        f"seen before {again * 1e3:6.2f} ms, 32 pairs {pairs * 1e3:6.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["G2G_CACHE"] = str(Path(place) / "cache")
        folder = options.folder or made_folder(Path(place) / "set")
        small = TrialConfig(
            network={
                "filters": 8, "content_downs": 2, "class_downs": 3, "d_filters": 8, "d_blocks": 4,
            },
            losses=LOSSES, batch_size=8, steps=6, eval_pairs=2, checkpoint_every=0,
        )  # fmt: skip
        step_s = seconds_of_training(small)
        print(f"a training step of a small FUNIT2FUNIT at 32 px, batch 8: {step_s * 1e3:.0f} ms")
        measure("synthetic, 32 px", small, options.steps, step_s)

        large = TrialConfig(
            dataset="image_folder", image_size=options.size, batch_size=options.batch,
            network={"filters": 16}, losses=LOSSES, steps=3, eval_pairs=2, checkpoint_every=0,
            data={"root": str(folder)},
        )  # fmt: skip
        step_s = seconds_of_training(large)
        print(
            f"a step with 16 base filters at {options.size} px, "
            f"batch {options.batch}: {step_s * 1e3:.0f} ms"
        )

        # The disk cache comes twice: the first time fills it.
        for cache, workers in (("disk", 0), ("disk", 0), ("memory", 0), ("off", 0), ("off", 1)):
            data = {"root": str(folder), "cache": cache, "workers": workers}
            config = TrialConfig(
                dataset="image_folder", image_size=options.size, batch_size=options.batch, data=data
            )  # fmt: skip
            measure(
                f"{folder.name}, cache {cache}, workers {workers}", config, options.steps, step_s
            )
    print(f"limit: {LIMIT:.0%} of a step, once decoded")


if __name__ == "__main__":
    main()
