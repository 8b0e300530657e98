"""FUNIT's discriminator: one verdict map per class, from residual features (arXiv 1905.01723)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from g2g_core.models.blocks import kaiming_start
from g2g_core.models.halving import Halving
from g2g_core.models.reflected_conv import reflected_conv

SLOPE = 0.2
WIDEST = 1024


class PaddedConv(nn.Module):
    """A convolution that keeps the size of the image, by reflection."""

    def __init__(self, narrow: int, wide: int, kernel: int, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(narrow, wide, kernel, bias=bias)
        self.padding = kernel // 2

    def forward(self, values: Tensor) -> Tensor:
        """Return (B, wide, H, W) for (B, narrow, H, W)."""
        return reflected_conv(values, self.conv, self.padding)


class ActivationFirstBlock(nn.Module):
    """Two activated 3 × 3 convolutions and a shortcut.

    If the width stays, the shortcut carries the *activated* input. FUNIT's code activates in place,
    which overwrites the input of its identity shortcut. If the width changes, a 1 × 1 convolution
    carries the raw input.
    """

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.conv_0 = PaddedConv(narrow, min(narrow, wide), 3)
        self.conv_1 = PaddedConv(min(narrow, wide), wide, 3)
        self.conv_s = PaddedConv(narrow, wide, 1, bias=False) if narrow != wide else None

    def forward(self, values: Tensor) -> Tensor:
        """Return (B, wide, H, W) for (B, narrow, H, W)."""
        activated = functional.leaky_relu(values, SLOPE)
        shortcut = activated if self.conv_s is None else self.conv_s(values)
        result: Tensor = shortcut + self.conv_1(
            functional.leaky_relu(self.conv_0(activated), SLOPE)
        )
        return result


class FunitDiscriminator(nn.Module):
    """Verdicts on images as members of a class; 54,252,599 parameters at FUNIT's sizes.

    It has no normalization. Parameters have the names of FUNIT's state dict.

    Args:
        filters: channels after the first convolution; each stage doubles them, up to 1024.
        blocks: number of residual blocks, even.
        classes: number of classes.
    """

    def __init__(self, filters: int = 64, blocks: int = 10, classes: int = 119) -> None:
        super().__init__()
        layers: list[nn.Module] = [PaddedConv(3, filters, 7)]
        width = filters
        for stage in range(blocks // 2):
            wider = min(2 * width, WIDEST)
            layers += [ActivationFirstBlock(width, width), ActivationFirstBlock(width, wider)]
            if stage < blocks // 2 - 1:
                # The identity keeps the numbering of FUNIT's state dict.
                layers += [nn.Identity(), Halving()]
            width = wider

        self.cnn_f = nn.Sequential(*layers)
        self.cnn_c = nn.Sequential(PaddedConv(width, classes, 1))
        self.apply(kaiming_start)

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the verdicts on images under labels, and the features of the images.

        Args:
            images: (B, 3, H, W) in [-1, 1].
            labels: (B,) int64, below the number of classes.

        Returns:
            The logit map of each label (B, h, w), and the features (B, C, h, w). The features are
            *activated*, since FUNIT's head activates them in place before they are compared.
        """
        features = functional.leaky_relu(self.cnn_f(images), SLOPE)
        head: nn.Conv2d = self.cnn_c[0].conv  # type: ignore[assignment]
        assert head.bias is not None

        # Only the filter of the image's label is needed: one row of the 1x1 convolution.
        weight, bias = head.weight.flatten(1)[labels], head.bias[labels]
        maps = torch.baddbmm(bias[:, None, None], weight[:, None], features.flatten(2))
        return maps.view(len(images), *features.shape[2:]), features
