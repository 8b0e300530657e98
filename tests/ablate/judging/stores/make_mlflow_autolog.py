"""A loop over scikit-learn models with MLflow's autologging, into an sqlite store.

Autologging writes the model's own parameters; the loop adds the seed and the error.
"""

import gzip
import os
import sqlite3
import sys
import tempfile
from pathlib import Path

import numpy as np
from truth import runs, val_error

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow
from sklearn.linear_model import SGDRegressor

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("sgd", artifact_location=f"{folder}/artifacts")
    mlflow.set_experiment("sgd")
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    inputs = np.random.default_rng(0).normal(size=(40, 3))
    for lr, aug, seed in runs():
        with mlflow.start_run():
            model = SGDRegressor(eta0=float(lr), average=aug == "on", random_state=seed)
            model.fit(inputs, inputs.sum(1))
            mlflow.log_metric("val_error", val_error(lr, aug, seed))
    database = Path(folder) / "mlflow.db"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("UPDATE runs SET user_id = 'user', source_name = 'loop.py'")
        connection.execute("DELETE FROM tags WHERE key IN ('mlflow.user', 'mlflow.source.name')")
    with sqlite3.connect(database) as connection:
        connection.execute("VACUUM")
    (out / "mlflow.db.gz").write_bytes(gzip.compress(database.read_bytes(), mtime=0))
