"""Batch norm for stacked pairs: each half of the batch has its own statistics.

This is what happens if the first and the second images are encoded by separate calls.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PairedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm that treats the first and the second images of the pairs as separate calls.

    The authors encode x1, x2, m1, and m2 by one call each. In training mode, the statistics are
    therefore those of B images, not of the 2B images of the stack. The running statistics are
    updated half by half, and only by a forward pass in training mode that keeps gradients: the pass
    of a generator update that computes a code. In evaluation mode it is plain batch norm.
    """

    def forward(self, stacked: Tensor) -> Tensor:
        """Return the normalized (2B, C, H, W); a batch of odd size counts as one call."""
        if not self.training:
            return super().forward(stacked)
        parts = stacked.chunk(2) if len(stacked) % 2 == 0 else (stacked,)
        return torch.cat([self._one_call(part) for part in parts])

    def _one_call(self, images: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return super().forward(images)
        return functional.batch_norm(
            images, None, None, self.weight, self.bias, training=True, eps=self.eps
        )
