"""LORD's generator: content into the dense layers, class into AdaIN (arXiv 1906.11796)."""

from math import prod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Output = Literal["tanh", "sigmoid"]
OUTPUTS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def check_sizes(
    image_size: tuple[int, int], adain_layers: int, adain_dim: int, output: str
) -> None:
    """Check that `LordGenerator` can be made with these sizes.

    Raises:
        ValueError: sizes that do not divide, or an unknown output.
    """
    factor = 2**adain_layers
    if any(side % factor for side in image_size):
        sides = " x ".join(map(str, image_size))
        raise ValueError(
            f"network.adain_layers: {adain_layers} does not go with image_size {sides}"
        )
    if adain_dim % 8:
        raise ValueError(f"network.adain_dim: {adain_dim} is not a multiple of 8")
    if output not in OUTPUTS:
        raise ValueError(f"network.output: {output!r} is not one of {', '.join(OUTPUTS)}")


class LordModulation(nn.Module):
    """The AdaIN parameters of a class code: one linear layer per AdaIN layer.

    Args:
        class_dim: size of the class code.
        adain_layers: number of AdaIN layers of the generator.
        adain_dim: channels of each AdaIN layer.
    """

    def __init__(self, class_dim: int, adain_layers: int, adain_dim: int) -> None:
        super().__init__()
        self.adain_dim = adain_dim
        self.adain_per_layer = nn.ModuleList(
            nn.Linear(class_dim, 2 * adain_dim) for _ in range(adain_layers)
        )

    def forward(self, class_code: Tensor) -> Tensor:
        """Return parameters (B, layers, adain_dim, 2) for class codes (B, class_dim).

        The last axis holds the bias and the scale of each channel.
        """
        parameters = torch.stack([layer(class_code) for layer in self.adain_per_layer], dim=1)
        return parameters.view(len(class_code), len(self.adain_per_layer), self.adain_dim, 2)


class LordGenerator(nn.Module):
    """An image from a content code and AdaIN parameters; 78,823,683 parameters at the defaults.

    In each stage the activation comes before AdaIN. The statistics of AdaIN are those of one image
    and channel (biased variance, eps 1e-5), and its scale is used as it is.

    Args:
        content_dim: size of the content code.
        image_size: height and width of the image, pixels; each a multiple of 2 ** adain_layers.
        adain_layers: number of up-sampling stages.
        adain_dim: channels of the stages; a multiple of 8.
        output: `tanh` covers the range of the images, [-1, 1]; `sigmoid`, as in the authors' code,
            covers [0, 1], so it can't reproduce pixels below mid-gray.

    Raises:
        ValueError: sizes that do not divide, or an unknown output.
    """

    def __init__(
        self,
        content_dim: int = 256,
        image_size: tuple[int, int] = (128, 128),
        adain_layers: int = 4,
        adain_dim: int = 256,
        output: str = "tanh",
    ) -> None:
        super().__init__()
        check_sizes(image_size, adain_layers, adain_dim, output)
        factor = 2**adain_layers
        self.start = (adain_dim, image_size[0] // factor, image_size[1] // factor)
        width = prod(self.start)
        self.fc_layers = nn.Sequential(
            nn.Linear(content_dim, width // 8),
            nn.LeakyReLU(),
            nn.Linear(width // 8, width // 4),
            nn.LeakyReLU(),
            nn.Linear(width // 4, width),
            nn.LeakyReLU(),
        )

        # AdaIN is a module of its own, so that the numbering is that of the authors' state dict.
        stages: list[nn.Module] = []
        for _ in range(adain_layers):
            stages += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(adain_dim, adain_dim, 3, 1, 1),
                nn.LeakyReLU(),
                _Adain(),
            ]
        self.adain_conv_layers = nn.ModuleList(stages)

        self.last_conv_layers = nn.Sequential(
            nn.Conv2d(adain_dim, 64, 5, 1, 2),
            nn.LeakyReLU(),
            nn.Conv2d(64, 3, 7, 1, 3),
            OUTPUTS[output](),
        )

    def forward(self, content: Tensor, adain: Tensor) -> Tensor:
        """Return images (B, 3, H, W).

        Args:
            content: content codes (B, content_dim).
            adain: AdaIN parameters (B, layers, adain_dim, 2).
        """
        maps = self.fc_layers(content).view(-1, *self.start)
        for index, layer in enumerate(self.adain_conv_layers):
            # A stage has four layers, so index // 4 is the number of the stage.
            maps = layer(maps, adain[:, index // 4]) if isinstance(layer, _Adain) else layer(maps)
        images: Tensor = self.last_conv_layers(maps)
        return images


class _Adain(nn.Module):
    """Instance norm with bias and scale as arguments, without parameters or running statistics."""

    def forward(self, maps: Tensor, parameters: Tensor) -> Tensor:
        bias, scale = parameters[..., 0, None, None], parameters[..., 1, None, None]
        return functional.instance_norm(maps) * scale + bias
