"""A grid of Optuna, as its own table of trials."""

import sys
from pathlib import Path

import optuna
from truth import AUGS, LRS, SEEDS, val_error

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
optuna.logging.set_verbosity(optuna.logging.WARNING)
grid = {"lr": [float(lr) for lr in LRS], "aug": list(AUGS), "seed": list(SEEDS)}


def objective(trial: optuna.Trial) -> float:
    """Return the planted truth."""
    lr = trial.suggest_float("lr", 0.001, 1)
    aug = trial.suggest_categorical("aug", AUGS)
    return val_error(str(lr), aug, trial.suggest_int("seed", 0, 10))


study = optuna.create_study(sampler=optuna.samplers.GridSampler(grid, seed=0))
study.optimize(objective)
study.trials_dataframe().to_csv(out / "trials.csv")
