from copy import deepcopy

import pytest
import torch
from torch import nn

from g2g_core.features.face_landmarks import REGIONS
from g2g_core.features.weights import MissingWeights
from g2g_core.models.narrow_content import (
    ContentOptions,
    ErasedBoxes,
    ErasedLandmarks,
    NarrowContent,
)


class Inner(nn.Module):
    """Content is the image at half size in 6 channels, class its mean colour."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 6, 2, 2), nn.Conv2d(6, 3, 1)

    def content_code(self, images):
        return self.down(images)

    def class_code(self, images):
        return images.mean((2, 3), keepdim=True)

    def decode(self, content, class_code):
        return nn.functional.interpolate(self.up(content), scale_factor=2) + class_code


def narrow(**options):
    torch.manual_seed(0)
    return NarrowContent(Inner(), 6, ContentOptions(**options), seed=0)


@pytest.mark.parametrize(("options", "size"), [
    ({}, (6, 8, 12)),
    ({"content_channels": 2}, (2, 8, 12)),
    ({"content_channels": 2, "content_kernel": 3}, (2, 8, 12)),
    ({"content_stride": 2, "content_kernel": 4}, (6, 4, 6)),
    ({"content_stride": 2, "content_kernel": 5, "content_channels": 1}, (1, 4, 6)),
    ({"content_stride": 4, "content_kernel": 7}, (6, 2, 3)),
])  # fmt: skip
def test_the_code_is_as_small_as_asked_and_decodes_to_the_whole_image(options, size):
    net, images = narrow(**options), torch.randn(4, 3, 16, 24)
    code = net.content_code(images)
    assert code.shape[1:] == size
    image = net.decode(code, net.class_code(images))
    assert image.shape == images.shape
    image.sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_defaults_change_nothing():
    assert not ContentOptions().narrows()
    assert ContentOptions(content_channels=3).narrows()
    net, images = narrow(), torch.randn(2, 3, 8, 8)
    assert torch.equal(net.content_code(images), net.inner.content_code(images))


def test_noise_is_for_training_only_and_goes_on_where_a_checkpoint_left_it():
    net, images = narrow(content_noise=0.5), torch.randn(64, 3, 16, 16)
    plain = net.eval().content_code(images)
    assert torch.equal(plain, net.inner.content_code(images))
    net.train()
    first, saved = net.content_code(images), deepcopy(net.state_dict())
    second = net.content_code(images)
    assert not torch.equal(first, second)
    assert (first - plain).std().item() == pytest.approx(0.5, rel=0.02)
    resumed = narrow(content_noise=0.5).train()
    resumed.load_state_dict(saved)
    assert torch.equal(resumed.content_code(images), second)


def test_fixed_boxes_are_grey_and_the_rest_is_untouched():
    images = torch.rand(2, 3, 8, 16) + 0.1
    erased = ErasedBoxes((0.25, 0.5, 0.5, 1.0, 0.0, 0.0, 0.1, 0.2))(images)
    expected = images.clone()
    expected[:, :, 4:, 4:8] = 0
    expected[:, :, :2, :2] = 0
    assert torch.equal(erased, expected)


def test_erased_content_is_blind_to_the_boxes_and_the_class_is_not():
    net = narrow(content_erase="fixed", content_boxes=(0.0, 0.0, 1.0, 0.5))
    images = torch.randn(2, 3, 16, 16)
    other = images.clone()
    other[:, :, :8] += 1
    assert torch.equal(net.content_code(images), net.content_code(other))
    assert not torch.equal(net.class_code(images), net.class_code(other))


def test_landmarks_are_erased_where_they_are(photographs):
    try:
        eraser = ErasedLandmarks()
    except MissingWeights as missing:
        pytest.skip(str(missing))
    images = photographs(
        ["caltech_faces/id01/image_0001.jpg", "caltech_faces/id02/image_0022.jpg"],
        (16, 20, 112, 116),
    )
    erased = eraser(images)
    grey = (erased == 0).all(1)
    points = eraser.network[0](images)
    for region in REGIONS.values():
        for image, (x, y) in enumerate(points[:, region].mean(1).tolist()):
            assert grey[image, int(y * 96), int(x * 96)]
    assert 0.1 < grey.double().mean() < 0.5
    assert torch.equal(
        erased[~grey.unsqueeze(1).expand_as(images)], images[~grey.unsqueeze(1).expand_as(images)]
    )
    assert not list(eraser.parameters())


@pytest.mark.parametrize(
    "options",
    [
        {"content_erase": "hair"},
        {"content_erase": "fixed", "content_boxes": (0.0, 1.0)},
        {"content_kernel": 2},
        {"content_stride": 4, "content_kernel": 3},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"network\.content_"):
        narrow(**options)
