"""Weights & Biases: `files/config.yaml` and `files/wandb-summary.json` of a run's folder."""

import json
from pathlib import Path

import yaml

from ablate.judging.run_file import Content, Curves, RunFile, add_row, flat


def read_config(path: Path) -> Content:
    """Return the options of a config, in which each is a map with `value`."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    options = {
        key: entry["value"]
        for key, entry in (values.items() if isinstance(values, dict) else ())
        if isinstance(entry, dict) and "value" in entry and not str(key).startswith("_")
    }
    return Content(flat(options))


def read_summary(path: Path) -> Content:
    """Return the last value of each number, at the run's last step."""
    values = json.loads(path.read_text(encoding="utf-8"))
    curves: Curves = {}
    own = {k: v for k, v in values.items() if k == "_step" or not k.startswith("_")}
    add_row(curves, own, 0, ("_step",))
    return Content(curves=curves)


FILES = {
    "wandb-options": RunFile("files/config.yaml", read_config, numbers=False),
    "wandb": RunFile("files/wandb-summary.json", read_summary),
}
