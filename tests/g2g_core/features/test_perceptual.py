import subprocess
import sys

import pytest
import torch

from g2g_core.features.efficientnet_lite0 import EfficientNetLite0
from g2g_core.features.options import FeatureOptions
from g2g_core.features.perceptual import perceptual_network
from g2g_core.features.vgg16 import Vgg16
from g2g_core.features.weights import EFFICIENTNET_LITE0, MissingWeights, find_weights, load_state


def lite0():
    try:
        path = find_weights(EFFICIENTNET_LITE0)
    except MissingWeights as missing:
        pytest.skip(str(missing))
    net = EfficientNetLite0()
    net.load_state_dict(load_state(path))
    return net


def test_lite0_knows_cats_from_dogs(photographs):
    cats = [f"afhq_samples/cat/flickr_cat_000{n}.jpg" for n in (253, 495, 557)]
    dogs = [f"afhq_samples/dog/pixabay_dog_000{n}.jpg" for n in (121, 321, 322, 357)]
    images = torch.nn.functional.interpolate(
        photographs(cats + dogs), (224, 224), mode="bilinear", antialias=True
    )
    with torch.no_grad():
        chances = lite0().logits(images).softmax(1)
    is_cat, is_dog = chances[:, 281:286].sum(1), chances[:, 151:269].sum(1)
    assert (is_cat[:3] > is_dog[:3]).all()
    assert (is_dog[3:] > is_cat[3:]).all()


def test_lite0_layers_have_the_sizes_that_are_told_and_stay_in_evaluation_mode():
    net = EfficientNetLite0()
    sizes = {
        "stage1": (16, 2),
        "stage2": (24, 4),
        "stage3": (40, 8),
        "stage5": (112, 16),
        "stage7": (320, 32),
    }
    for layer, (channels, factor) in sizes.items():
        assert net(torch.zeros(1, 3, 64, 96), layer).shape == (
            1,
            channels,
            64 // factor,
            96 // factor,
        )
    assert not net.train().training


def test_perceptual_distance_grows_with_the_damage_and_is_differentiable():
    lite0()
    network = perceptual_network(FeatureOptions(perceptual="efficientnet_lite0"))
    torch.manual_seed(0)
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    noise = torch.randn_like(x)
    distances = [
        (network(x + s * noise) - network(x)).abs().mean().item() for s in (0.0, 0.05, 0.2)
    ]
    assert distances[0] == 0 < distances[1] < distances[2]
    x.requires_grad_()
    network(x).sum().backward()
    assert x.grad.abs().max() > 0
    assert all(p.grad is None for p in network.parameters())


def test_vgg16_is_read_from_a_file_of_torchvisions_layout(tmp_path, monkeypatch):
    torch.manual_seed(0)
    theirs = Vgg16()
    state = {**theirs.state_dict(), "classifier.0.bias": torch.zeros(3)}
    torch.save(state, tmp_path / "vgg.pth")
    options = FeatureOptions(perceptual_weights=str(tmp_path / "vgg.pth"))
    with pytest.raises(MissingWeights, match=r"is not the file of vgg16: sha256 .*, not 397923af"):
        perceptual_network(options)
    monkeypatch.setattr("g2g_core.features.weights.sha256", lambda path: "397923af" + 56 * "0")
    x = torch.rand(1, 3, 16, 16)
    assert torch.equal(perceptual_network(options)(x), theirs(x))
    raw = perceptual_network(
        FeatureOptions(perceptual_weights=options.perceptual_weights, perceptual_normalise=False)
    )
    assert not torch.equal(raw(x), theirs(x))


def test_missing_weights_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("G2G_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingWeights, match=r"vgg16 are not there .*; to get them: python -c"):
        perceptual_network(FeatureOptions())
    with pytest.raises(ValueError, match="not one of vgg16, efficientnet_lite0"):
        perceptual_network(FeatureOptions(perceptual="alexnet"))


def test_torchvision_waits_until_vgg16_is_used():
    code = "import sys, g2g_core.training.loop; print('torchvision' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
