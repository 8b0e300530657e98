"""Which random choices the seed of a run moves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from g2g_core.config import SOURCES, TrialConfig, canonical
from g2g_core.data import all_datasets
from g2g_core.training.first_step import first_step

TINY = TrialConfig(
    network={"filters": 4, "mlp_filters": 8, "class_dim": 6, "class_downs": 2, "content_downs": 2}
    | {"d_filters": 4, "d_blocks": 4},
    data={"classes": 4, "test_classes": 3, "contents": 8},
    image_size=16,
    batch_size=2,
    steps=4,
    eval_pairs=2,
    losses={"short_recon": 1.0},
    metrics=("mixed_l1",),
)
DIGESTS = {"init": "initial_weights", "order": "data_order", "pairs": "eval_pairs"}


@pytest.mark.parametrize("source", DIGESTS)
def test_the_seed_moves_only_what_varies(source: str) -> None:
    one, other = (first_step(replace(TINY, seed=seed, vary=(source,))).before for seed in (1, 2))
    assert {name for name in DIGESTS.values() if one[name] != other[name]} == {DIGESTS[source]}


def test_by_default_it_moves_everything() -> None:
    one, other = (first_step(replace(TINY, seed=seed)).before for seed in (1, 2))
    assert all(one[name] != other[name] for name in DIGESTS.values())
    assert canonical("vary", TINY.to_dict()) == list(SOURCES)


def test_augmentation_varies_alone(tmp_path: Path) -> None:
    for name in "ab":
        for number in range(4):
            path = tmp_path / name / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((40, 40, 3), 40 * number, np.uint8)).save(path)
    options = {"root": str(tmp_path), "test_classes": 0, "test_images": 0.25}

    def batches(seed: int, *vary: str) -> tuple[str, list[str]]:
        config = replace(TINY, dataset="image_folder", data=options, seed=seed, vary=vary)
        data = all_datasets()["image_folder"](config)
        return data.order_digest(3), data.names_of(0)

    digests, names = zip(*(batches(seed, "augmentation") for seed in (1, 2)), strict=True)
    assert digests[0] != digests[1]
    assert names[0] == names[1]
    assert batches(1, "pairs") == batches(2, "pairs")
