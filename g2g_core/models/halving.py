"""The discriminator's halving of its maps: average of 3x3 pixels at every second one, padded by
reflection."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Halving(nn.Module):
    """Reflection padding by 1, average pooling of 3x3 at stride 2.

    Even maps are split into their even and odd lines: each result is the mean of an even line, the
    odd one after it and the odd one before it, which for the first is the one after it again.
    """

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, ceil(H / 2), ceil(W / 2))."""
        batch, channels, height, width = values.shape
        if height % 2 or width % 2:
            return functional.avg_pool2d(functional.pad(values, (1, 1, 1, 1), mode="reflect"), 3, 2)
        even, odd = values.reshape(batch, channels, height // 2, 2, width).unbind(3)
        rows = even + odd + torch.cat([odd[:, :, :1], odd[:, :, :-1]], 2)
        even, odd = rows.view(batch, channels, height // 2, width // 2, 2).unbind(4)
        return (even + odd + torch.cat([odd[..., :1], odd[..., :-1]], 3)) / 9
