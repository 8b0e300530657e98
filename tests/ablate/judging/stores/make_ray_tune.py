"""A grid of Ray Tune, as its own callback writes it: params.json and result.json per trial.

The callback is given trials and results here, so that no Ray has to start.
"""

import sys
import tempfile
from pathlib import Path

from ray.train._internal import storage as storages
from ray.tune.experiment import Trial
from ray.tune.logger import JsonLoggerCallback
from truth import curve, runs

out = Path(sys.argv[1]).resolve()
session = tempfile.mkdtemp()
storages._get_ray_train_session_dir = lambda: session
callback = JsonLoggerCallback()
for number, (lr, aug, seed) in enumerate(runs()):
    storage = storages.StorageContext(str(out), "grid", trial_dir_name=f"train_{number:05d}")
    config = {"lr": float(lr), "aug": aug, "seed": seed}
    trial = Trial("train", config=config, trial_id=f"{number:05d}", storage=storage, stub=True)
    trial.init_local_path()
    callback.log_trial_start(trial)
    for iteration, (_, value) in enumerate(curve(lr, aug, seed), start=1):
        result = {"val_error": value, "training_iteration": iteration, "time_total_s": 0.1}
        callback.log_trial_result(iteration, trial, result)
    callback.log_trial_end(trial)
    # The callback writes where the driver syncs from, not to the storage
    target = out / "grid" / trial.storage.trial_dir_name
    target.mkdir(parents=True, exist_ok=True)
    for file in Path(trial.local_path).iterdir():
        if file.is_file():
            (target / file.name).write_bytes(file.read_bytes())
