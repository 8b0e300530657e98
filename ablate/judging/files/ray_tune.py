"""Ray Tune: `params.json`, and `result.json` with a line per report."""

from pathlib import Path

from ablate.judging.files.plain import read_lines, read_options
from ablate.judging.run_file import Content, Curves, RunFile

OWN = ("time_", "iterations_since", "timestamp", "pid", "warmup_", "timesteps_", "should_")
"""Starts of the names of what Ray Tune adds to each report."""


def read_results(path: Path) -> Content:
    """Return the numbers that were reported, by `training_iteration`."""
    content = read_lines(path)
    curves: Curves = {
        name: points
        for name, points in content.curves.items()
        if not name.startswith(OWN) and "/" not in name
    }
    return Content(curves=curves)


FILES = {
    "ray-tune-options": RunFile("params.json", read_options, numbers=False),
    "ray-tune": RunFile("result.json", read_results),
}
