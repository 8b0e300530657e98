"""The tutorial's commands and study, run as written on a small folder of images; only sizes are cut
down."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
PROGRAM = [
    sys.executable,
    "-c",
    "import sys; from ablate.cli import main; sys.argv[0] = 'g2g-ablate'; main()",
]
SMALL = [
    "base.network={filters: 4, mlp_filters: 8, class_dim: 6, content_downs: 2, class_downs: 2}",
    "base.network.d_filters=4",
    "base.network.d_blocks=4",
    "base.image_size=16",
    "base.batch_size=2",
    "base.steps=2",
    "base.eval_every=1",
    "base.eval_pairs=3",
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[list[str]]:
    lines = "".join(blocks("sh")).splitlines()
    assert all(line.startswith("g2g-ablate ") for line in lines)
    return [line.split()[1:] for line in lines]


def pictures(folder: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("anna", "bela", "carl", "dora", "emil", "fee"):
        (folder / name).mkdir(parents=True)
        colour = random.integers(0, 255, 3)
        for number in range(1, 6):
            pixels = np.clip(colour + random.normal(0, 40, (24, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    pictures(tmp_path / "pictures")
    (study,) = blocks("yaml")
    (tmp_path / "my-study.yaml").write_text(study, encoding="utf-8")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    *finite, page = commands()
    assert [words[0] for words in finite] == [
        "train",
        "translate",
        "plan",
        "run",
        "status",
        "report",
    ]
    for words in finite:
        small = (
            [word for value in SMALL for word in ("--set", value)]
            if words[0] in ("train", "plan", "run")
            else []
        )
        seeds = ["--seeds", "0,1"] if words[0] == "run" else []
        done = subprocess.run(
            [*PROGRAM, *words, *small, *seeds],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (words, done.stderr)
    assert (tmp_path / "figure" / "figure.png").is_file()
    assert (tmp_path / "runs" / "my-study" / "report" / "report.pdf").is_file()
    assert list((tmp_path / "paper" / "tables").glob("*.tex"))
    assert page[0] == "ui"
    served = subprocess.Popen(
        [*PROGRAM, *page, "--port", "0"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert served.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", served.stdout.readline())
        assert address
        for _ in range(120):
            try:
                with urllib.request.urlopen(address[0], timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail("the page never came up")
    finally:
        children = psutil.Process(served.pid).children(recursive=True)
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 0
        assert not [child for child in children if child.is_running()]
        served.stdout.close()
