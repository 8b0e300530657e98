import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports import open_study
from reports.page.blocks import ImageGrid
from reports.sections.images import _shown, images, pairs_of
from reports.view.images import (
    LARGEST_TILE,
    MOST_ERROR,
    NO_ERROR,
    Case,
    Shot,
    error,
    error_map,
    picture,
    shots,
    spread,
    tiles,
)


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


@pytest.mark.parametrize(("pair", "side"), [(0, 0), (2, 1)])
def test_a_case_takes_its_class_and_its_content_from_the_two_columns_of_a_pair(
    tmp_path, pair, side
):
    rows = tiles(figure(tmp_path / "f.png", 8, 3))
    case = Case(pair, side)
    assert rows["mixed"].shape == (6, 8, 8, 3)
    assert rows["real"][case.own, 0, 0, 0] == 2 * pair + side
    assert rows["real"][case.partner, 0, 0, 0] == 2 * pair + 1 - side
    assert rows["mixed"][case.own, 0, 0, 0] == 20 + 2 * pair + side


def test_large_tiles_are_made_smaller_and_compressed():
    made = picture([np.zeros((128, 128, 3), np.uint8)] * 3, "alt")
    assert (made.width, made.height) == (3 * LARGEST_TILE, LARGEST_TILE)
    assert made.media == "image/jpeg"
    assert picture([np.zeros((32, 32, 3), np.uint8)], "alt").media == "image/png"


def test_a_broken_file_gives_no_tiles(tmp_path):
    shot = figure(tmp_path / "f.png", 8, 1)
    shot.path.write_bytes(b"no picture")
    assert tiles(shot) == {}


def test_an_error_map_is_light_where_tiles_agree_and_black_where_they_differ_much():
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert (error_map(black, black) == NO_ERROR).all()
    assert (error_map(black, white) == MOST_ERROR).all()
    assert error(black, white) == 2.0


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


def test_a_tile_after_a_divergence_says_so(make_study, tmp_path):
    view = open_study(make_study(tmp_path, factors=1, seeds=1, status={(1, 0): "diverged"}))
    grid = next(block for block in images(view).blocks if isinstance(block, ImageGrid))
    mixed = grid.cells[0]
    assert mixed[0].under == ("gives content",)
    assert mixed[1].under == ()
    assert mixed[2].under[-1] == "diverged"


def test_pairs_are_chosen_by_the_error_of_the_reference(make_study, tmp_path):
    view = open_study(make_study(tmp_path, factors=1, seeds=1))
    shown = _shown(view, view.arms)
    roles = dict(pairs_of(shown))
    rows = shown.last(shown.base)
    sizes = {c: error(rows["full_recon"][c.own], rows["real"][c.own]) for c in roles.values()}
    worst = next(case for role, case in roles.items() if "orst pair" in role)
    best = next(case for role, case in roles.items() if "est pair" in role.replace("orst", ""))
    assert sizes[worst] == max(sizes.values())
    assert sizes[best] == min(sizes.values())
