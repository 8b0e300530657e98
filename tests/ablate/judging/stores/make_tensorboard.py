"""TensorBoard event files with `add_hparams`, a folder per run."""

import sys
from pathlib import Path

from tensorboardX import SummaryWriter
from truth import curve, runs

out = Path(sys.argv[1])
for number, (lr, aug, seed) in enumerate(runs()):
    points = curve(lr, aug, seed)
    with SummaryWriter(str(out / f"run{number:02d}")) as writer:
        for step, value in points:
            writer.add_scalar("val_error", value, step)
        options = {"lr": float(lr), "aug": aug, "seed": seed}
        writer.add_hparams(options, {"hparam/val_error": points[-1][1]}, global_step=points[-1][0])
