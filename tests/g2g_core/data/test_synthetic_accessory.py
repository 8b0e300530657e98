"""The embedded dataset with an accessory: exact images and masks, and what training never shows."""

import numpy as np
import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.pairs import Rows, attribute_of
from g2g_core.data.rendering import content
from g2g_core.data.synthetic_accessory import COLORS, KINDS, accessory, coverage


def make(seed=0, batch_size=4, **data):
    data = {"images": 6, "contents": 5, "accessories": 6, **data}
    return DATASETS["synthetic_accessory"](
        TrialConfig(
            dataset="synthetic_accessory",
            data=data,
            image_size=32,
            batch_size=batch_size,
            seed=seed,
        )
    )


def test_mixed_images_differ_from_their_content_image_in_the_mask_alone():
    pairs = make().evaluation_pairs(8)
    assert pairs.truth is not None
    assert pairs.mask is not None
    own = torch.cat([pairs.first, pairs.second])
    partner = own.roll(8, 0)
    changed = (pairs.truth - partner).abs().amax(1, keepdim=True)
    assert changed[pairs.mask == 0].max() == 0
    # A pixel that is wholly covered may have the color of the accessory already, but not all do.
    assert (changed[pairs.mask == 1] > 0).float().mean() > 0.8
    assert pairs.mask.amax((1, 2, 3)).min() == 1


def test_each_pair_has_an_image_with_and_one_without_and_moves_this_accessory():
    pairs = make().evaluation_pairs(16)
    assert (pairs.first_labels + pairs.second_labels == 1).all()
    assert pairs.first_labels.float().mean() not in (0, 1)
    labels = torch.cat([pairs.first_labels, pairs.second_labels])
    assert torch.equal(pairs.attributes["kind"] > 0, labels == 1)
    # The truth of an image with an accessory shows its color on the partner.
    index = int((labels == 1).nonzero()[0])
    color = tuple(COLORS.values())[int(pairs.attributes["color"][index]) - 1]
    covered = pairs.truth[index][:, pairs.mask[index, 0] == 1].mean(1)
    assert torch.allclose(covered, 2 * torch.tensor(color) - 1, atol=0.02)


def test_removal_gives_the_image_without():
    pairs = make().evaluation_pairs(8)
    labels = torch.cat([pairs.first_labels, pairs.second_labels])
    without = labels == 0
    back = pairs.truth[without].clone()
    partner = torch.cat([pairs.first, pairs.second]).roll(8, 0)[without]
    keep = (pairs.mask[without] == 0).expand_as(back)
    assert torch.equal(back[keep], partner[keep])


def test_images_have_fixed_numbers_classes_and_attributes():
    data = make()
    assert isinstance(data, Rows)
    assert data.image_labels.tolist() == [0] * 6 + [1] * 6
    assert attribute_of(data, "class").values == ("without", "with")
    kinds = attribute_of(data, "kind")
    assert kinds.values == ("none", *KINDS)
    assert np.array_equal(kinds.numbers > 0, data.image_labels == 1)
    everything = data.images_at(np.arange(12))
    assert torch.equal(make(seed=5).images_at(np.arange(12)), everything)
    assert torch.equal(data.images_at(np.array([11, 2])), everything[[11, 2]])
    batch = data.batch(0)
    assert batch.content_images.shape == (4, 3, 32, 32)
    with pytest.raises(DataError, match="no attribute 'kinds'; did you mean kind"):
        attribute_of(data, "kinds")


def test_evaluation_shows_contents_and_accessories_that_training_never_has():
    data, pairs = make(), make().evaluation_pairs(8, shots=3)
    trained = {image.numpy().tobytes() for image in data.images_at(np.arange(12))}
    assert not trained & {image.numpy().tobytes() for image in pairs.first}
    assert pairs.shots.shape == (16, 2, 3, 32, 32)
    assert make(seed=1).evaluation_pairs(8).digest != make().evaluation_pairs(8).digest
    assert make(world=1).digest != data.digest


@pytest.mark.parametrize("number", range(6))
def test_every_kind_covers_some_of_the_image(number):
    share = coverage(accessory(number), content(number), 64)
    assert 0.01 < share.mean() < 0.5
    assert 0.07 <= accessory(number).thickness <= 0.14


def test_bad_options_are_named():
    with pytest.raises(DataError, match="synthetic_accessory: images is 0; at least 1 is needed"):
        make(images=0)
    with pytest.raises(DataError, match="too few images: 12 for training, but a batch takes 13"):
        make(batch_size=13)
