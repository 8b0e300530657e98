"""Hugging Face's Trainer, which logs to trainer_state.json; a folder per run."""

import json
import sys
from pathlib import Path

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from truth import curve, runs

out = Path(sys.argv[1])


class Toy(torch.nn.Module):
    """A model with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": (self.weight - labels.float()).square().mean()}


class Log(TrainerCallback):
    """Logs the planted truth at the end of each epoch."""

    def __init__(self, points: list[tuple[int, float]]) -> None:
        self.points = points

    def on_epoch_end(self, args: object, state: object, control: object, **_: object) -> None:
        entry = {
            "val_error": self.points[round(state.epoch) - 1][1],
            "step": state.global_step,
        }  # type: ignore[attr-defined]
        state.log_history.append(entry)  # type: ignore[attr-defined]


for lr, aug, seed in runs():
    folder = out / f"lr={lr},aug={aug},seed={seed}"
    options = TrainingArguments(
        str(folder),
        num_train_epochs=4,
        learning_rate=float(lr),
        seed=seed,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        logging_strategy="no",
    )
    data = [{"labels": torch.tensor(1)}] * 4
    trainer = Trainer(Toy(), options, train_dataset=data, callbacks=[Log(curve(lr, aug, seed))])
    trainer.train()
    trainer.save_state()
    (folder / "args.json").write_text(json.dumps({"lr": lr, "aug": aug, "seed": seed}))
