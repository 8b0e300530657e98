"""Hydra: the composed config of a job, `.hydra/config.yaml`."""

from pathlib import Path

import yaml

from ablate.judging.run_file import Content, RunFile, flat


def read_config(path: Path) -> Content:
    """Return the options of a config, which is a map."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Content(flat(values) if isinstance(values, dict) else {})


FILES = {"hydra": RunFile(".hydra/config.yaml", read_config, numbers=False)}
