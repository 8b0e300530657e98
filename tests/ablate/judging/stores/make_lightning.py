"""Lightning runs with its CSVLogger, whose options are in hparams.yaml."""

import logging
import sys
import warnings
from pathlib import Path

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from truth import curve, runs

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Toy(lightning.LightningModule):
    """A module whose error follows the planted truth."""

    def __init__(self, lr: float, aug: str, seed: int) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.points = [value for _, value in curve(str(lr), aug, seed)]

    def training_step(self, _batch: torch.Tensor, _index: int) -> torch.Tensor:
        return (self.weight - 1).square().sum()

    def validation_step(self, _batch: torch.Tensor, _index: int) -> None:
        self.log("val_error", self.points[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.hparams["lr"])


out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
loader = torch.utils.data.DataLoader(torch.zeros(1, 1))
for lr, aug, seed in runs():
    trainer = lightning.Trainer(
        max_epochs=4,
        accelerator="cpu",
        logger=CSVLogger(out),
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )
    trainer.fit(Toy(float(lr), aug, seed), loader, loader)
