"""Hugging Face's Trainer: the log in `trainer_state.json`, the newest of its checkpoints."""

import json
from pathlib import Path

from ablate.judging.run_file import Content, Curves, RunFile, add_row


def read_state(path: Path) -> Content:
    """Return the numbers of the log by step."""
    state = json.loads(path.read_text(encoding="utf-8"))
    curves: Curves = {}
    history = state.get("log_history") if isinstance(state, dict) else None
    for place, row in enumerate(history if isinstance(history, list) else ()):
        if isinstance(row, dict):
            add_row(curves, {k: v for k, v in row.items() if k != "epoch"}, place, ("step",))
    return Content(curves=curves)


FILES = {"hugging-face": RunFile("trainer_state.json", read_state)}
