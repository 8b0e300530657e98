"""A tiny FUNIT2FUNIT on the embedded set, and a network that counts its calls."""

from collections import Counter

import torch
from torch import nn

from g2g_core.config import TrialConfig
from g2g_core.data.pairs import Batch

NETWORK = {
    "filters": 4,
    "residual_blocks": 1,
    "mlp_filters": 8,
    "class_dim": 6,
    "content_downs": 2,
    "class_downs": 2,
    "d_filters": 4,
    "d_blocks": 4,
}
FUNIT = {
    "adversarial": 1.0,
    "short_recon": 0.1,
    "self_fm": 1.0,
    "short_fm": 1.0,
    "d_hinge": 1.0,
    "d_r1": 10.0,
}
NEW = {"long_recon": 0.1, "long_fm": 0.1, "reassembly_fm": 0.1}


def config(**changes):
    settings = {
        "network": NETWORK,
        "losses": FUNIT | NEW,
        "image_size": 16,
        "batch_size": 2,
        "steps": 4,
        "eval_every": 2,
        "eval_pairs": 3,
        "checkpoint_every": 2,
        "data": {"classes": 4, "contents": 8, "test_classes": 3},
        "metrics": ("short_l1", "mixed_l1"),
    }
    return TrialConfig(**(settings | changes))


def batch(size=16, pairs=2, classes=4, seed=0):
    random = torch.Generator().manual_seed(seed)
    images = torch.rand(2, pairs, 3, size, size, generator=random) * 2 - 1
    labels = torch.randint(classes, (2, pairs), generator=random)
    return Batch(images[0], labels[0], images[1], labels[1])


class CountingGenerator(nn.Module):
    """Content is the image, class its mean; every call is counted."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.calls = Counter()

    def content_code(self, images):
        self.calls["content_code"] += 1
        return images * self.scale

    def class_code(self, images):
        self.calls["class_code"] += 1
        return images.mean((2, 3), keepdim=True)

    def decode(self, content, class_code):
        self.calls["decode"] += 1
        return content + class_code


class CountingDiscriminator(nn.Module):
    """The verdict is the mean over channels; features are the image."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.calls = 0
        self.images = 0

    def forward(self, images, labels):
        self.calls += 1
        self.images += len(images)
        return (images * self.scale).mean(1) + labels[:, None, None], images * self.scale
