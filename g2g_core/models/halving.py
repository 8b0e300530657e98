"""The halving of maps in FUNIT's discriminator.

Each result is the average of 3 × 3 pixels around every second pixel, padded by reflection.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from g2g_core.models.padding import reflect


class Halving(nn.Module):
    """Reflection padding by 1, then average pooling of 3 × 3 at stride 2.

    Maps of even size are split into their even and odd lines, which is faster. Each result is the
    mean of an even line, the odd line after it, and the odd line before it. For the first line,
    reflection makes the odd line before it the one after it.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Return (B, C, ceil(H / 2), ceil(W / 2)) for (B, C, H, W)."""
        batch, channels, height, width = values.shape
        if height % 2 or width % 2:
            return functional.avg_pool2d(reflect(values, 1), 3, 2)

        even, odd = values.reshape(batch, channels, height // 2, 2, width).unbind(3)
        rows = even + odd + torch.cat([odd[:, :, :1], odd[:, :, :-1]], 2)
        even, odd = rows.view(batch, channels, height // 2, width // 2, 2).unbind(4)
        return (even + odd + torch.cat([odd[..., :1], odd[..., :-1]], 3)) / 9
