"""The face networks on photographs of faces."""

import numpy as np
import pytest
import torch

from g2g_core.features.face_landmarks import REGIONS, FaceLandmarks
from g2g_core.features.face_resnet import FaceResNet
from g2g_core.features.identity import IdentityEncoder, identity_encoder
from g2g_core.features.options import FeatureOptions
from g2g_core.features.weights import FACE_LANDMARKS, FACE_RESNET, MissingWeights, find_weights

BOX = (16, 20, 112, 116)
"""The face in the 128 px photographs of the Caltech set."""

PEOPLE = {"id01": (1, 6, 11, 16), "id02": (22, 27, 32, 37), "id03": (42, 44)}
NAMES = [
    f"caltech_faces/{person}/image_{n:04d}.jpg"
    for person, numbers in PEOPLE.items()
    for n in numbers
]
WHO = np.array([person for person, numbers in PEOPLE.items() for _ in numbers])


def weights_of(wanted):
    try:
        return find_weights(wanted)
    except MissingWeights as missing:
        pytest.skip(str(missing))


def test_codes_of_one_person_are_close_and_of_two_are_not(photographs):
    net = FaceResNet.load(weights_of(FACE_RESNET))
    codes = net(photographs(NAMES, BOX))
    distance = torch.cdist(codes, codes).numpy()
    other = ~np.eye(len(WHO), dtype=bool)
    same = WHO[:, None] == WHO[None]
    assert distance[same & other].max() < 0.5 < distance[~same].min()
    assert sum(p.numel() for p in net.parameters()) == 5_614_592


def test_points_of_the_face_are_where_they_should_be(photographs):
    net = FaceLandmarks.load(weights_of(FACE_LANDMARKS))
    points = net(photographs(NAMES, BOX))
    assert points.shape == (len(NAMES), 68, 2)
    left, right, nose, mouth = (
        points[:, REGIONS[name]].mean(1) for name in ("left_eye", "right_eye", "nose", "mouth")
    )
    assert (left[:, 0] + 0.2 < right[:, 0]).all()
    assert (left[:, 1] < nose[:, 1]).all()
    assert (nose[:, 1] < mouth[:, 1]).all()
    # Moving the photograph by a tenth moves the points by a tenth.
    x0, y0, x1, y1 = BOX
    moved = net(photographs(NAMES, (x0 - 9, y0, x1 - 9, y1)))
    shift = (moved - points)[..., 0].mean().item()
    assert shift == pytest.approx(9 / 96, abs=0.03)


def test_gradients_reach_the_image_and_not_the_frozen_weights(photographs):
    weights_of(FACE_RESNET)
    encoder = identity_encoder(FeatureOptions(identity="face_resnet"))
    x = photographs(NAMES[:2]).requires_grad_()
    encoder(x).pow(2).sum().backward()
    assert x.grad.abs().max() > 0
    assert all(p.grad is None for p in encoder.parameters())
    assert encoder.dim == 128


class Normed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3)

    def forward(self, images):
        return self.norm(images).flatten(1)


def test_batch_norm_in_training_mode_sees_each_half_alone():
    torch.manual_seed(0)
    x = torch.randn(4, 3, 2, 2)
    frozen = IdentityEncoder(Normed(), 12)
    assert not frozen.network.training
    assert torch.equal(frozen(x)[:1], frozen(x[:1]))
    drifting = IdentityEncoder(Normed(), 12, batch_norm="train")
    assert drifting.network.training
    halves = [
        (h - h.mean((0, 2, 3), True)) / (h.var((0, 2, 3), False, True) + 1e-5).sqrt()
        for h in (x[:2], x[2:])
    ]
    expected = torch.cat(halves).flatten(1)
    torch.testing.assert_close(drifting(x), expected)
    assert not drifting.eval().network.training


def test_an_unknown_encoder_is_refused():
    with pytest.raises(ValueError, match="resnet50_vggface2, face_resnet"):
        identity_encoder(FeatureOptions(identity="arcface"))
    with pytest.raises(ValueError, match="identity_batch_norm"):
        IdentityEncoder(Normed(), 12, batch_norm="off")
