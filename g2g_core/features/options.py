"""The options that choose the networks of perceptual and identity terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from g2g_core.config import Option


@dataclass(frozen=True)
class FeatureOptions:
    """Which pre-trained networks the loss terms use; a model's own options extend this.

    Attributes:
        perceptual: `vgg16` (the paper's) or `efficientnet_lite0`.
        perceptual_layer: the feature map that is compared; None: relu2_2 of VGG16, stage2 of
            EfficientNet-Lite0.
        perceptual_weights: path of the weights; None: where they are when installed or fetched.
        perceptual_normalise: VGG16 gets ImageNet's range. False feeds it [-1, 1], as the authors'
            identity branch does.
        identity: `resnet50_vggface2` (the paper's; 195 to 224 px) or `face_resnet` (any size).
        identity_weights: path of the weights; None: where they are when fetched.
        identity_trained: True lets the generator's optimizer change an identity encoder that serves
            as class encoder, as happens to the "frozen" one in the authors' code.
        identity_batch_norm: `eval`, or `train`: the encoder's batch norm takes its statistics from
            the B images of a call, as in the authors' code.
    """

    perceptual: Literal["vgg16", "efficientnet_lite0"] = "vgg16"
    perceptual_layer: str | None = None
    perceptual_weights: str | None = field(default=None, metadata={"path": True})
    perceptual_normalise: bool = True
    identity: Literal["resnet50_vggface2", "face_resnet"] = "resnet50_vggface2"
    identity_weights: str | None = field(default=None, metadata={"path": True})
    identity_trained: bool = False
    identity_batch_norm: Literal["eval", "train"] = "eval"

    @classmethod
    def of(cls, network: Mapping[str, Option]) -> "FeatureOptions":
        """The options among a config's `network`; those that are not set are at their defaults."""
        known = {option.name for option in fields(FeatureOptions)}
        chosen: dict[str, Option] = {key: value for key, value in network.items() if key in known}
        return FeatureOptions(**chosen)  # type: ignore[arg-type]
