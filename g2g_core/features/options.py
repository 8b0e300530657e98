"""Options that choose the networks of perceptual and identity terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from g2g_core.config import Option


@dataclass(frozen=True)
class FeatureOptions:
    """Options that choose the pre-trained networks of loss terms.

    A model's own options extend them.

    Attributes:
        perceptual: network of the perceptual terms, `vgg16` (the paper's) or `efficientnet_lite0`.
        perceptual_layer: feature map that is compared; None: relu2_2 of VGG16, stage2 of
            EfficientNet-Lite0.
        perceptual_weights: path of the weights; None: where they are after installing or fetching.
        perceptual_normalise: whether VGG16 gets images in ImageNet's range. False feeds it images
            in [-1, 1], as in the identity branch of the authors' code.
        identity: identity encoder, `resnet50_vggface2` (the paper's; 195 to 224 px) or
            `face_resnet` (any size).
        identity_weights: path of the weights; None: where they are after fetching.
        identity_trained: whether the generator's optimizer changes an identity encoder that serves
            as class encoder, as happens to the "frozen" one in the authors' code.
        identity_batch_norm: mode of the encoder's batch norm, `eval` or `train`. With `train`, its
            statistics come from the B images of a call, as in the authors' code.
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
        """Return the options of a config's `network`; options that are not set have their defaults.

        Args:
            network: of the config; keys of other options are ignored.
        """
        known = {option.name for option in fields(FeatureOptions)}
        chosen: dict[str, Option] = {key: value for key, value in network.items() if key in known}
        return FeatureOptions(**chosen)  # type: ignore[arg-type]
