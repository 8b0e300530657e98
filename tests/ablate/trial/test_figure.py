import numpy as np
import pytest
import torch
from PIL import Image

from ablate.trial import figure


def evaluation(pairs: int, side: int = 5) -> dict[str, torch.Tensor]:
    """Images of one gray value each; names that no row has are left out of the figure."""
    rows = ("full_recon", "other", "real", "mixed")
    grays = torch.arange(len(rows) * 2 * pairs).view(len(rows), 2 * pairs, 1, 1, 1) / 127.5 - 1
    return dict(zip(rows, grays.expand(-1, -1, 3, side, side), strict=True))


@pytest.mark.parametrize("pairs", [1, 3, figure.MAX_PAIRS + 2])
def test_rows_are_kinds_and_columns_are_the_images_of_pair_after_pair(tmp_path, pairs):
    images = evaluation(pairs)
    figure.save(images, tmp_path / "a.png")
    facts = figure.layout(images)
    assert facts == {
        "rows": ["real", "mixed", "full_recon"],
        "columns": 2 * min(pairs, figure.MAX_PAIRS),
        "tile_px": 5,
    }
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    assert pixels.shape == (3 * 5, facts["columns"] * 5, 3)
    firsts = {"real": 4 * pairs, "mixed": 6 * pairs, "full_recon": 0}
    for row, name in enumerate(facts["rows"]):
        for column in range(facts["columns"]):
            tile = pixels[row * 5 : row * 5 + 5, column * 5 : column * 5 + 5]
            assert (tile == firsts[name] + column % 2 * pairs + column // 2).all()


def test_one_image_is_rounded_and_limited(tmp_path):
    values = torch.tensor([-2.0, -1.0, 0.4 / 127.5 - 1, 0.6 / 127.5 - 1, 1.0, 3.0])
    figure.save_image(values.expand(3, 2, 6), tmp_path / "a.png")
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    assert pixels.shape == (2, 6, 3)
    assert (pixels == np.array([0, 0, 0, 1, 255, 255])[:, None]).all()
