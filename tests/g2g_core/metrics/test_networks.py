import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS
from g2g_core.metrics import METRICS, Evaluator, MetricError, evaluate
from g2g_core.metrics.faces import points_distance
from g2g_core.metrics.networks import Lite0, absent
from g2g_core.seeding import generator

SHARED = Path(os.environ.get("G2G_SHARED", Path(__file__).resolve().parents[4] / "shared"))
FACES = SHARED / "data" / "caltech_faces"
OF_FACES = tuple(
    name for name, metric in METRICS.items() if metric.needs & {"face_resnet", "face_landmarks"}
)
OF_LITE0 = tuple(name for name, metric in METRICS.items() if "lite0" in metric.needs)

faces_there = pytest.mark.skipif(
    not FACES.is_dir() or absent("face_resnet") is not None or absent("face_landmarks") is not None,
    reason="face images or weights are not there",
)
lite0_there = pytest.mark.skipif(
    absent("lite0") is not None, reason="EfficientNet-Lite0's weights are not there"
)


class Copies(nn.Module):
    """Gives back one of the two images."""

    def __init__(self, content: bool) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.content = content

    def content_code(self, images: Tensor) -> Tensor:
        return images

    def class_code(self, images: Tensor) -> Tensor:
        return images

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        return content if self.content else class_code


def measured(content: bool, config: TrialConfig, n: int) -> dict[str, float]:
    data = DATASETS[config.dataset](config)
    model = SimpleNamespace(generator=Copies(content), average=None, discriminator=None)
    values, _ = evaluate(model, data.evaluation_pairs(n), data, config)
    return {name.removeprefix("metric/"): value for name, value in values.items()}


@faces_there
def test_faces_tell_whose_face_and_whose_pose() -> None:
    data = {"root": str(FACES), "cache": "memory"}
    config = TrialConfig(
        dataset="image_folder", data=data, image_size=64, metrics=OF_FACES, evaluate=("raw",)
    )
    of_content, of_class = measured(True, config, 6), measured(False, config, 6)
    assert of_content["identity_swapped"] == 0
    assert of_class["identity_swapped"] == 1
    assert of_content["identity_distance_content"] == of_class["identity_distance_class"] == 0
    assert of_content["identity_distance_class"] == of_content["identity_distance_pairs"] > 0.3
    assert of_content["landmark_distance"] == 0
    assert of_class["landmark_distance"] == of_class["landmark_distance_pairs"] > 0.02


def test_points_are_measured_in_eye_distances() -> None:
    face = torch.rand(2, 68, 2, generator=generator(0, "test/points"))
    face[:, 36:42] = torch.tensor([0.3, 0.4])
    face[:, 42:48] = torch.tensor([0.7, 0.4])
    assert points_distance(face + torch.tensor([0.04, 0.0]), face) == pytest.approx(0.1, rel=1e-4)


@lite0_there
def test_lite0_metrics() -> None:
    config = TrialConfig(image_size=32, metrics=OF_LITE0, evaluate=("raw",))
    of_content, of_class = measured(True, config, 20), measured(False, config, 20)
    assert of_content["content_distance_lite0"] == 0
    assert of_class["content_distance_lite0"] == pytest.approx(1)
    assert of_content["short_perceptual_lite0"] == 0
    assert of_content["mixed_perceptual_lite0"] > 0.1
    assert of_class["classwise_kid_lite0"] < of_content["classwise_kid_lite0"]


@lite0_there
def test_lite0_says_how_images_are_resized() -> None:
    assert (Lite0(32).input_px, Lite0(32).resize) == (128, "bilinear, anti-aliased, to 128 px")
    assert (Lite0(128).input_px, Lite0(128).resize) == (128, "none")
    assert Lite0(500).input_px == 224
    looked = Lite0(32).look(torch.zeros(2, 3, 32, 32))
    assert [tuple(one.shape[:2]) for one in looked] == [
        (2, 24),
        (2, 40),
        (2, 112),
        (2, 320),
        (2, 1280),
    ]


def test_weights_that_are_not_there_are_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("G2G_WEIGHTS", str(tmp_path))
    config = TrialConfig(metrics=("identity_swapped",))
    data = DATASETS["synthetic"](config)
    with pytest.raises(
        MetricError,
        match=r"identity_swapped: the weights of face_resnet are not there .* fetch faces",
    ):
        Evaluator(data.evaluation_pairs(4), data, config)


@faces_there
def test_an_encoder_that_a_loss_uses_is_refused_as_a_judge() -> None:
    config = TrialConfig(
        metrics=("identity_swapped",),
        losses={"identity_mixed": 1.0},
        network={"identity": "face_resnet"},
    )
    data = DATASETS["synthetic"](config)
    pairs = data.evaluation_pairs(4)
    with pytest.raises(
        MetricError, match="identity_swapped: its encoder, face_resnet, is trained against"
    ):
        Evaluator(pairs, data, config)
    Evaluator(pairs, data, replace(config, losses={"identity_mixed": 0.0}))
    Evaluator(pairs, data, replace(config, network={}))
