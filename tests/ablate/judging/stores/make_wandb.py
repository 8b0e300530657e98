"""Runs of Weights & Biases in offline mode, without the network."""

import os
import sys
from pathlib import Path

os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}
import wandb
from truth import curve, runs

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
for lr, aug, seed in runs():
    config = {"lr": float(lr), "aug": aug, "seed": seed}
    settings = wandb.Settings(
        disable_git=True, x_disable_meta=True, x_disable_stats=True, host="host", program="loop.py"
    )
    run = wandb.init(
        project="toy", dir=str(out), config=config, settings=settings, reinit="finish_previous"
    )
    for step, value in curve(lr, aug, seed):
        run.log({"val_error": value}, step=step)
    run.finish()
