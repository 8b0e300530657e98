import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports import open_study
from reports.sections.images import picture_grid
from reports.view.images import LARGEST_TILE, Shot, cut, shots, spread


def figure(path, tile, pairs):
    """A figure whose tile (row, column) has the grey 20 * row + column."""
    rows = [
        np.concatenate(
            [np.full((tile, tile, 3), 20 * r + c, np.uint8) for c in range(2 * pairs)], 1
        )
        for r in range(3)
    ]
    Image.fromarray(np.concatenate(rows, 0)).save(path)
    return Shot(path, ("real", "mixed", "full_recon"), 2 * pairs, tile)


@pytest.mark.parametrize("pair", [0, 2])
def test_cut_takes_both_columns_of_a_pair(tmp_path, pair):
    picture = cut(figure(tmp_path / "f.png", 8, 3), pair, "alt")
    pixels = np.asarray(Image.open(io.BytesIO(picture.data)))
    assert picture.media == "image/png"
    assert pixels.shape == (24, 16, 3)
    assert [[pixels[8 * r, 8 * c, 0] for c in range(2)] for r in range(3)] == [
        [20 * r + 2 * pair, 20 * r + 2 * pair + 1] for r in range(3)
    ]


def test_large_tiles_are_made_smaller_and_compressed(tmp_path):
    picture = cut(figure(tmp_path / "f.png", 128, 1), 0, "alt")
    assert (picture.width, picture.height, picture.media) == (
        2 * LARGEST_TILE,
        3 * LARGEST_TILE,
        "image/jpeg",
    )


def test_a_missing_pair_or_a_broken_file_gives_no_picture(tmp_path):
    shot = figure(tmp_path / "f.png", 8, 1)
    assert cut(shot, 1, "alt") is None
    shot.path.write_bytes(b"no picture")
    assert cut(shot, 0, "alt") is None


def test_only_pictures_that_are_there_count(tmp_path):
    shot = figure(tmp_path / "f.png", 8, 1)
    frame = pd.DataFrame(
        [
            ("t", 0, str(shot.path), shot.rows, 2, 8),
            ("t", 5, str(tmp_path / "gone.png"), "a,b", 2, 8),
        ],
        columns=["trial_id", "step", "path", "rows", "columns", "tile_px"],
    )
    assert shots(frame) == {("t", 0): shot}


@pytest.mark.parametrize(
    ("keep", "most", "expected"),
    [
        ([0, 50, 100], 3, (0, 50, 100)),
        ([0, 100], 4, (0, 10, 90, 100)),
        ([0, 35, 100], 20, tuple(range(0, 101, 10))),
    ],
)
def test_spread_keeps_what_must_be_and_fills_evenly(keep, most, expected):
    assert spread(tuple(range(0, 101, 10)), keep, most) == expected


def test_a_frame_after_a_divergence_says_so(make_study, tmp_path):
    view = open_study(make_study(tmp_path, factors=1, seeds=1, status={(1, 0): "diverged"}))
    grid = picture_grid(view, 0)
    assert [frame.under for frame in grid.frames[grid.steps.index(400)]] == [
        "kid 0.030",
        "diverged",
    ]
