"""A grid of Ray Tune, as its own callbacks write it: params.json and result.json per trial."""

import os
import sys
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
import ray
from ray import tune
from truth import AUGS, LRS, SEEDS, curve

OUT = Path(sys.argv[1]).resolve()


def train(config: dict[str, object]) -> None:
    """Report the planted truth."""
    for _, value in curve(str(config["lr"]), str(config["aug"]), int(str(config["seed"]))):
        tune.report({"val_error": value})


ray.init(
    address="local",
    num_cpus=1,
    include_dashboard=False,
    log_to_driver=False,
    _node_ip_address="127.0.0.1",
)
tuner = tune.Tuner(
    train,
    param_space={
        "lr": tune.grid_search([float(lr) for lr in LRS]),
        "aug": tune.grid_search(list(AUGS)),
        "seed": tune.grid_search(list(SEEDS)),
    },
    run_config=tune.RunConfig(storage_path=str(OUT), name="grid", verbose=0),
)
tuner.fit()
ray.shutdown()
