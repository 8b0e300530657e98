"""A network with one hidden layer that reads noisy digits. It resumes from its checkpoint."""

from dataclasses import dataclass

import torch

from ablate import Metric, Trainer

DIGITS = (75557, 26227, 71747, 71717, 55711, 74717, 74757, 71111, 75757, 75717)
FONT = torch.tensor([[int(r) >> b & 1 for r in str(d) for b in (2, 1, 0)] for d in DIGITS])
"""The digits 0 to 9 on 5 x 3 pixels, (10, 15); a row of three pixels is one octal number."""


@dataclass(frozen=True)
class Config:
    """Options of the training run.

    Attributes:
        width: units of the hidden layer.
        decay: weight decay.
        steps: steps of training.
        seed: the replicate.
    """

    width: int = 32
    decay: float = 0.0
    steps: int = 200
    seed: int = 0


def drawn(count, seed):
    """Return so many noisy digits, (count, 15), and which they are, (count,)."""
    labels = torch.randint(10, (count,), generator=torch.manual_seed(seed))
    return FONT[labels] + 0.4 * torch.randn(count, 15), labels


def train(config, checkpoints):
    """Train, and yield the error before every step."""
    torch.manual_seed(config.seed)
    layers = (torch.nn.Linear(15, config.width), torch.nn.ReLU(), torch.nn.Linear(config.width, 10))
    net, done, new = torch.nn.Sequential(*layers), -1, checkpoints / "new.pt"
    optimizer = torch.optim.Adam(net.parameters(), 0.01, weight_decay=config.decay)
    if (last := checkpoints / "last.pt").exists():
        done, *states = torch.load(last, weights_only=True)
        net.load_state_dict(states[0]), optimizer.load_state_dict(states[1])
    for step in range(done + 1, config.steps + 1):
        images, labels = drawn(2000, 2**31 + config.seed)
        yield {"step": step, "error": (net(images).argmax(1) != labels).float().mean()}
        images, labels = drawn(32, 1000 * config.seed + step)
        loss = torch.nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad(), loss.backward(), optimizer.step()
        # Renamed when it is whole: a kill in the middle of the write leaves the older file.
        torch.save((step, net.state_dict(), optimizer.state_dict()), new), new.replace(last)


trainer = Trainer(Config, train, {"error": Metric("lower", "", "share of digits read wrongly")})
