"""A Lightning module that fits a line; a callback reports what Lightning has logged."""

from dataclasses import dataclass

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from ablate import Metric, Trainer


@dataclass(frozen=True)
class Config:
    """Options of the training run.

    Attributes:
        lr: learning rate.
        batch: points in a step.
        steps: steps of training.
        seed: the replicate.
    """

    lr: float = 0.1
    batch: int = 16
    steps: int = 40
    seed: int = 0


class Line(lightning.LightningModule):
    """A slope and an offset."""

    def __init__(self, lr):
        super().__init__()
        self.lr, self.line = lr, torch.nn.Linear(1, 1)

    def training_step(self, batch, _):
        """Return the squared error of a batch."""
        x, y = batch
        return torch.nn.functional.mse_loss(self.line(x), y)

    def configure_optimizers(self):
        """Return plain gradient descent."""
        return torch.optim.SGD(self.parameters(), self.lr)


class Reporting(lightning.Callback):
    """Reports the distance of the slope from the truth after every tenth step."""

    def __init__(self, report):
        self.report = report

    def on_train_batch_end(self, trainer, module, *_):
        """Report the state after a step."""
        if trainer.global_step % 10 == 0:
            self.report(trainer.global_step, distance=abs(module.line.weight.item() - 3))


def fit(config, report, device):
    """Fit the line; Lightning drives the loop."""
    lightning.seed_everything(config.seed, verbose=False)
    x = torch.randn(64, 1)
    points = TensorDataset(x, 3 * x + 0.1 * torch.randn(64, 1))
    trainer = lightning.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        max_steps=config.steps,
        callbacks=[Reporting(report)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Line(config.lr), DataLoader(points, config.batch, shuffle=True))


trainer = Trainer(Config, fit, {"distance": Metric("lower", "", "of the slope from the truth")})
