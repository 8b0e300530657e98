"""A network with one hidden layer that reads drawn digits. It resumes from its checkpoint."""

from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw
from torch import nn
from torchvision.transforms.functional import pil_to_tensor

from ablate import Metric, Trainer


@dataclass(frozen=True)
class Config:
    """Options of the training run.

    Attributes:
        width: units of the hidden layer.
        lr: learning rate.
        dropout: share of the hidden units that are left out of a step.
        steps: steps of training.
        seed: the replicate.
    """

    width: int = 32
    lr: float = 0.01
    dropout: float = 0.0
    steps: int = 200
    seed: int = 0


def drawn(count, generator):
    """Return so many noisy digits at random places, (count, 144) in [0, 1], and which they are."""
    labels = torch.randint(10, (count,), generator=generator)
    pages = []
    for label, (x, y) in zip(labels, torch.randint(5, (count, 2), generator=generator), strict=True):
        page = Image.new("L", (12, 12))
        ImageDraw.Draw(page).text((int(x), int(y) - 2), str(int(label)), fill=255)
        pages.append(pil_to_tensor(page).flatten() / 255)
    return torch.stack(pages) + 0.3 * torch.randn(count, 144, generator=generator), labels


def train(config, checkpoints):
    """Train, and yield loss and error on every twentieth step."""
    torch.manual_seed(config.seed)
    hidden = nn.Sequential(nn.Linear(144, config.width), nn.ReLU(), nn.Dropout(config.dropout))
    net = nn.Sequential(hidden, nn.Linear(config.width, 10))
    optimizer, done = torch.optim.Adam(net.parameters(), config.lr), 0
    images, labels = drawn(500, torch.Generator().manual_seed(10_000 + config.seed))
    if (last := checkpoints / "last.pt").exists():
        done, weights, moments = torch.load(last, weights_only=True)
        net.load_state_dict(weights), optimizer.load_state_dict(moments)
    for step in range(done, config.steps + 1):
        if step % 20 == 0 and (step > done or step == 0):
            missed = net.eval()(images).argmax(1) != labels
            yield {"step": step, "error": missed.float().mean()}
            torch.save((step, net.state_dict(), optimizer.state_dict()), last)
        torch.manual_seed(config.seed * 1000 + step)
        batch, truth = drawn(32, torch.default_generator)
        loss = nn.functional.cross_entropy(net.train()(batch), truth)
        optimizer.zero_grad(), loss.backward(), optimizer.step()


trainer = Trainer(Config, train, {"error": Metric("lower", "", "share of digits read wrongly")})
