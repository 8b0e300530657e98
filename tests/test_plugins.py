"""A package of somebody else's brings a loss and a metric: installed beside ours, they are used
like ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.tiny import TWO_STEPS, words_of

ROOT = Path(__file__).resolve().parents[1]
MODULE = '''
from g2g_core.metrics import Metric


def darkness(cross):
    """Mean brightness of the mixed images, to be made small."""
    return cross.mixed.mean()


def _brightness(evaluation):
    return float(evaluation.mixed.mean())


mixed_brightness = Metric(
    "mixed_brightness", _brightness, "lower", "image range is 2", "mean of mixed images", "ours"
)
'''


@pytest.fixture
def program(tmp_path: Path):
    """Runs a command with the sample package installed in a folder of its own, in the version asked
    for."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sample_plugin.py").write_text(MODULE, encoding="utf-8")

    def run(
        *words: str, version: str = "1.0", entries: str = "darkness = sample_plugin:darkness"
    ) -> str:
        info = site / "sample_plugin-1.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: sample-plugin\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(
            f"[g2g_ablate.losses]\n{entries}\n[g2g_ablate.metrics]\nmixed_brightness = "
            f"sample_plugin:mixed_brightness\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", "from ablate.cli import main; main()", *words],
            env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, 2), done.stderr
        return done.stdout if done.returncode == 0 else done.stderr

    return run


def test_a_loss_and_a_metric_of_another_package_work_in_a_study(program, tmp_path: Path) -> None:
    assert "darkness" in program("list", "losses")
    assert "mixed_brightness" in program("list", "metrics")
    own = ("base.losses.darkness=0.5", "base.metrics=[mixed_l1, mixed_brightness]")
    chosen = [
        "quickstart",
        "--seeds",
        "0",
        "--only",
        "long_recon=without",
        "--out",
        str(tmp_path / "runs"),
        *words_of((*TWO_STEPS, *own)),
    ]
    found = json.loads(
        program("run", *chosen, "--workers", "0", "--tracking-uri", "none", "--no-report", "--json")
    )
    assert found["trials"] == {"finished": 1}
    history = pd.read_parquet(tmp_path / "runs" / "quickstart" / "history.parquet").astype(
        {"name": str}
    )
    assert {"loss/darkness", "metric/mixed_brightness"} <= set(history["name"])

    # What it does counts, not the number of its version.
    newer = json.loads(program("plan", *chosen, "--json", version="1.1"))
    assert [trial["state"] for trial in newer["trials"]] == ["reused"]
    source = tmp_path / "site" / "sample_plugin.py"
    source.write_text(MODULE.replace("cross.mixed.mean()", "cross.mixed.mean() ** 2"))
    edited = json.loads(program("plan", *chosen, "--json"))
    assert edited["changed"] == ["code changed (sample_plugin): 1 trials run anew"]


def test_what_cannot_be_used_is_refused_in_one_line(program) -> None:
    said = program("list", "losses", entries="long_recon = sample_plugin:darkness")
    assert (
        said
        == "g2g-ablate: g2g_ablate.losses: sample_plugin:darkness: the name long_recon is taken\n"
    )
    said = program("list", "losses", entries="gone = sample_plugin:gone")
    assert said == (
        "g2g-ablate: g2g_ablate.losses: sample_plugin:gone: module 'sample_plugin' has no "
        "attribute 'gone'\n"
    )
