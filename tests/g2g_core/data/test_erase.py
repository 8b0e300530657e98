import numpy as np
import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.erase import ERASURES, USUAL_POINTS, face_mask, fixed_points, read_landmarks

POINTS = fixed_points(USUAL_POINTS)


def make(folder, **data):
    data = {"root": str(folder), **data}
    return DATASETS["image_folder"](
        TrialConfig(dataset="image_folder", data=data, image_size=32, batch_size=4)
    )


def at(mask, point):
    height, width = mask.shape[:2]
    return mask[int(point[1] * height), int(point[0] * width), 0]


def test_regions_hold_their_points_and_no_others():
    masks = {name: face_mask(128, 100, POINTS, name) for name in ERASURES}
    assert not masks["none"].any()
    inside = {name: [bool(at(mask, point)) for point in POINTS] for name, mask in masks.items()}
    assert inside["eyes"] == [True, True, False, False, False]
    assert inside["eyes_nose"] == [True, True, True, False, False]
    assert inside["eyes_nose_mouth"] == [True] * 5
    shares = [float(masks[name].mean()) for name in ERASURES]
    assert shares == sorted(shares)
    assert 0.15 < shares[-1] < 0.4


def test_a_mask_scales_with_the_image():
    small, large = face_mask(32, 32, POINTS, "eyes"), face_mask(128, 128, POINTS, "eyes")
    assert np.abs(small.mean() - large.mean()) < 0.03


def test_points_at_the_border_do_no_harm():
    points = fixed_points((0, 0, 1, 0, 0.5, 1, 0, 1, 1, 1))
    assert face_mask(16, 16, points, "eyes_nose_mouth").shape == (16, 16, 1)


def test_masks_move_with_crop_and_flip(make_folder):
    """Where the mask is 1 in the crop, the erased part of the whole image is: shown by painting
    that part."""
    folder = make_folder(size=(50, 50))
    data = make(
        folder,
        erase="eyes",
        cache="memory",
        face_points=(0.2, 0.3, 0.5, 0.3, 0.5, 0.6, 0.4, 0.8, 0.6, 0.8),
    )
    for i in range(len(data.images)):
        image = data.images[i]
        mask = face_mask(*image.shape[:2], data._usual_points, "eyes")
        data.images[i][:] = np.where(mask, 255, 0).astype(np.uint8)
    for step in range(5):
        batch = data.batch(step)
        assert torch.equal((batch.content_images[:, :1] + 1) / 2, batch.content_erase)
        assert torch.equal((batch.class_images[:, :1] + 1) / 2, batch.class_erase)
        assert 0 < float(batch.content_erase.mean()) < 0.5
    pairs = data.evaluation_pairs(3)
    assert torch.equal((torch.cat([pairs.first, pairs.second])[:, :1] + 1) / 2, pairs.erase)


def test_erasing_changes_no_image(make_folder):
    folder = make_folder()
    plain, hidden = make(folder), make(folder, erase="eyes_nose_mouth")
    assert plain.batch(2).content_erase is None
    assert torch.equal(plain.batch(2).content_images, hidden.batch(2).content_images)
    assert plain.digest == hidden.digest
    assert plain.order_digest(3) == hidden.order_digest(3)


def test_landmarks_file(tmp_path):
    path = tmp_path / "landmarks.txt"
    path.write_text("1\nlefteye_x lefteye_y ...\n000001.jpg  41 65 63 65 51 79 42 90 62 91\n\n")
    assert read_landmarks(path)["000001.jpg"].tolist() == [
        [41, 65],
        [63, 65],
        [51, 79],
        [42, 90],
        [62, 91],
    ]
    path.write_text("1\nnames\na.jpg 1 2 3\n")
    with pytest.raises(
        DataError, match=r"landmarks.txt:3: 'a.jpg 1 2 3' is not a file name and ten numbers"
    ):
        read_landmarks(path)
    with pytest.raises(DataError, match="not readable"):
        read_landmarks(tmp_path / "missing.txt")


def test_bad_options(make_folder):
    folder = make_folder()
    with pytest.raises(DataError, match=r"data.erase is 'ears'; it must be one of none, eyes"):
        make(folder, erase="ears")
    with pytest.raises(DataError, match="ten shares"):
        make(folder, face_points=(0.1, 0.2))
