"""A small transformer that learns to continue a text, character by character."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ablate import Metric, Trainer

LENGTH = 32


@dataclass(frozen=True)
class Config:
    """Options of the training run.

    Attributes:
        text: file to learn; its last tenth is kept for evaluation.
        width: size of the code of a character.
        heads: attention heads.
        positions: whether the network is given the place of each character.
        lr: learning rate.
        steps: steps of training.
        seed: the replicate.
    """

    text: Path
    width: int = 32
    heads: int = 4
    positions: bool = True
    lr: float = 3e-3
    steps: int = 100
    seed: int = 0


class Network(nn.Module):
    """One block of causal self-attention."""

    def __init__(self, config, characters):
        super().__init__()
        self.code = nn.Embedding(characters, config.width)
        self.place = nn.Parameter(0.02 * torch.randn(LENGTH, config.width))
        self.place.requires_grad_(config.positions).data.mul_(config.positions)
        self.block = nn.TransformerEncoderLayer(
            config.width, config.heads, 4 * config.width, dropout=0.0, batch_first=True
        )
        self.next = nn.Linear(config.width, characters)

    def forward(self, text):
        """Return the logits of the next character, (B, LENGTH, characters)."""
        mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)
        return self.next(self.block(self.code(text) + self.place, src_mask=mask, is_causal=True))


def train(config):
    """Train, and yield bits per character of the text that was kept apart."""
    torch.manual_seed(config.seed)
    text = config.text.read_text(encoding="utf-8")
    known = {character: number for number, character in enumerate(sorted(set(text)))}
    codes = torch.tensor([known[character] for character in text])
    learned, kept = codes.tensor_split([len(codes) * 9 // 10])
    net = Network(config, len(known))
    optimizer = torch.optim.Adam(net.parameters(), config.lr)

    def windows(source, starts):
        return torch.stack([source[start : start + LENGTH + 1] for start in starts])

    def loss(batch):
        logits = net(batch[:, :-1])
        return nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())

    tests = windows(kept, range(0, len(kept) - LENGTH, LENGTH))
    for step in range(config.steps + 1):
        if step % 25 == 0:
            with torch.no_grad():
                yield {"step": step, "bits": loss(tests) / torch.log(torch.tensor(2.0))}
        starts = torch.randint(len(learned) - LENGTH, (16,))
        value = loss(windows(learned, starts))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()


trainer = Trainer(Config, train, {"bits": Metric("lower", "bits", "of the kept text, a character")})
