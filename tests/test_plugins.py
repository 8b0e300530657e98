"""A package of somebody else's brings one of everything: installed beside ours, they are used like
ours, and what cannot be used is refused in one line."""

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pandas as pd
import pytest

from tests.tiny import TWO_STEPS, words_of

ROOT = Path(__file__).resolve().parents[1]
MODULE = '''
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import nn

from ablate.study.design import Design, full_factorial, options_of
from g2g_core.data import DATASETS, Dataset
from g2g_core.metrics import Metric
from g2g_core.models import Model, Networks
from g2g_core.seeding import seeded_init
from reports.page.blocks import Section, Text, rich


def darkness(cross):
    """Mean brightness of the mixed images, to be made small."""
    return cross.mixed.mean()


def _brightness(evaluation):
    return float(evaluation.mixed.mean())


mixed_brightness = Metric(
    "mixed_brightness", _brightness, "lower", "image range is 2", "mean of mixed images", "ours"
)


@dataclass(frozen=True)
class PaletteOptions:
    """Options of `palette`.

    Attributes:
        width: channels of the content code.
    """

    width: int = 4


class Palette(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.content, self.colors = nn.Conv2d(3, width, 3, 1, 1), nn.Linear(3, width)
        self.image = nn.Conv2d(width, 3, 3, 1, 1)

    def content_code(self, images):
        return self.content(images)

    def class_code(self, images):
        return self.colors(images.mean((2, 3)))

    def decode(self, content, class_code):
        return torch.tanh(self.image(content * class_code[:, :, None, None]))


def _palette(config, n_classes):
    """Two convolutions and a palette."""
    with seeded_init(config.seed, "init/generator"):
        generator = Palette(PaletteOptions(**config.network).width)
    return Networks(generator, None, None)


palette = Model(_palette, PaletteOptions)


@dataclass(frozen=True)
class WorldOptions:
    """Options of `small_world`.

    Attributes:
        looks: number of training classes.
    """

    looks: int = 4


def _small_world(config):
    """Few shapes in few colors."""
    shapes = {"classes": WorldOptions(**config.data).looks, "test_classes": 3, "contents": 8}
    return DATASETS["synthetic"](replace(config, dataset="synthetic", data=shapes))


small_world = Dataset(_small_world, WorldOptions)


@dataclass(frozen=True)
class EverySecondOptions:
    """Options of `every_second`.

    Attributes:
        step: distance between two cells that are kept.
    """

    step: int = 2

    def __post_init__(self):
        if self.step < 2:
            raise ValueError(f"step {self.step} keeps every cell")


def _every_second(spec):
    """Cells in which an even number of factors is on."""
    step = options_of(EverySecondOptions, spec).step
    levels = [list(factor.levels) for factor in spec.factors]
    places = [range(len(labels)) for labels in levels]
    kept = {places for places in product(*places) if sum(places) % step == 0}
    return [
        cell
        for cell, places in zip(full_factorial(spec), product(*places))
        if places in kept
    ]


every_second = Design(_every_second, options=EverySecondOptions, balanced=True)


def greeting(study):
    """A word to the reader."""
    return Section("greeting", "Who is there?", "Hello", (Text(rich("Hello from outside.")),))
'''
EVERYTHING = {
    "losses": "darkness",
    "metrics": "mixed_brightness",
    "models": "palette",
    "datasets": "small_world",
    "designs": "every_second",
    "sections": "greeting",
}
STUDY = """
name: foreign
question: Does everything of somebody else work together?
base:
  model: palette
  dataset: small_world
  network: {width: 4}
  data: {looks: 4}
  image_size: 16
  batch_size: 2
  steps: 2
  eval_every: 1
  eval_pairs: 2
  losses: {long_recon: 1.0}
  metrics: [mixed_l1, mixed_brightness]
factors:
  dark: {path: losses.darkness, levels: {without: 0.0, with: 0.5}}
  wide: {path: network.width, levels: {four: 4, six: 6}}
  short: {path: losses.short_recon, levels: {without: 0.0, with: 1.0}}
design: {every_second: {step: 2}}
seeds: [0]
outcome: {metric: mixed_brightness}
"""


def entries_of(added: dict[str, str]) -> str:
    """The file of entry points of a package: group -> lines `name = module:object`."""
    return "".join(f"[g2g_ablate.{group}]\n{lines}\n" for group, lines in added.items())


@pytest.fixture
def program(tmp_path: Path):
    """Runs a command with the sample package installed in a folder of its own, in the version asked
    for."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sample_plugin.py").write_text(MODULE, encoding="utf-8")
    everything = {group: f"{name} = sample_plugin:{name}" for group, name in EVERYTHING.items()}

    def run(*words: str, version: str = "1.0", **entries: str) -> str:
        info = site / "sample_plugin-1.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: sample-plugin\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(entries_of({**everything, **entries}))
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
    (change,) = edited["changed"]
    assert change.startswith("code changed (sample_plugin): 1 trials run")


@pytest.mark.slow
def test_one_package_brings_everything_of_a_study(program, tmp_path: Path) -> None:
    path = tmp_path / "foreign.yaml"
    path.write_text(STUDY, encoding="utf-8")
    for menu, name in EVERYTHING.items():
        assert name in program("list", menu), menu
    assert "step: distance between two cells" in program("list", "designs", "--options")

    chosen = [str(path), "--out", str(tmp_path / "runs")]
    found = json.loads(
        program("run", *chosen, "--workers", "0", "--tracking-uri", "none", "--json")
    )
    assert found["trials"] == {"finished": 4}
    folder = tmp_path / "runs" / "foreign"
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["design"] == {"kind": "every_second", "step": 2}
    assert [cell["levels"]["dark"] for cell in plan["cells"]] == ["without"] * 2 + ["with"] * 2
    assert "sample_plugin" in plan["sources"]
    ours = [name for name in plan["sources"] if name.startswith(("g2g_core.models.", "g2g_base"))]
    assert "g2g_core.models.naive" not in ours
    assert "g2g_base" not in ours

    # The report sees a fraction by its cells, and ends with the section of the package.
    page = (folder / "report" / "report.txt").read_text(encoding="utf-8")
    assert "Hello from outside." in page
    assert "every second design" in page

    wrong = program("plan", *chosen, "--set", "design={every_second: {step: 1}}")
    assert "design.every_second: step 1 keeps every cell" in wrong
    assert "Traceback" not in wrong
    misspelled = program("plan", *chosen, "--set", "design={every_second: {stop: 3}}")
    assert "did you mean step?" in misspelled

    # A newly written option is known at once, without a new version.
    source = tmp_path / "site" / "sample_plugin.py"
    source.write_text(MODULE.replace("width: int = 4", "width: int = 4\n    depth: int = 1"))
    assert "depth" in program("list", "models", "--options")


@pytest.mark.slow
def test_a_section_that_fails_is_one_line_of_every_command_that_needs_it(
    program, tmp_path: Path
) -> None:
    path = tmp_path / "foreign.yaml"
    path.write_text(STUDY, encoding="utf-8")
    chosen = [str(path), "--out", str(tmp_path / "runs"), "--only", "dark=without"]
    gone = "greeting = sample_plugin:gone"
    words = (*chosen, "--workers", "0", "--tracking-uri", "none", "--json")
    line = (
        "g2g-ablate: g2g_ablate.sections: sample_plugin:gone: cannot be loaded: AttributeError: "
        "module 'sample_plugin' has no attribute 'gone'\n"
    )
    # Before anything is trained
    assert program("plan", *chosen, sections=gone) == line
    assert program("run", *words, sections=gone) == line
    assert not (tmp_path / "runs").exists()

    folder = str(tmp_path / "runs" / "foreign")
    program("run", *words, "--no-report", sections=gone)
    assert program("report", folder, sections=gone) == line
    assert "Hello from outside." not in program("report", folder, sections="")

    source = tmp_path / "site" / "sample_plugin.py"
    source.write_text(MODULE.replace('Section("greeting"', 'Section("answer"'))
    assert program("report", folder) == (
        "g2g-ablate: sections answer and greeting have one id, answer\n"
    )


# --- the same errors for every group ---

TAKEN = {
    "losses": "long_recon",
    "metrics": "mixed_l1",
    "models": "naive",
    "datasets": "synthetic",
    "designs": "grid",
    "sections": "answer",
}
NEEDS = {
    "losses": "a function of a pass, or a class that takes the config",
    "metrics": "a Metric whose name is that of the entry point",
    "models": "a Model with a dataclass of options",
    "datasets": "a Dataset with a dataclass of options",
    "designs": "a Design whose options, if any, are a dataclass or a JSON Schema",
    "sections": "a function of a study with the name of the entry point",
    "trainers": "a trainer: an object with config, train, and metrics",
}


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What `list GROUP` says, and its exit code, where packages add these entry points to it."""
    from ablate.cli import main
    from ablate.disk.remembered import code_digest
    from ablate.study.design import all_designs
    from ablate.trainers.objects.load import load_object
    from g2g_core.data import all_datasets
    from g2g_core.metrics import all_metrics
    from g2g_core.models import all_models

    remembering = (code_digest, all_designs, load_object, all_datasets, all_metrics, all_models)
    (tmp_path / "broken_plugin.py").write_text("NUMBER = 3\n")
    (tmp_path / "worse_plugin.py").write_text("raise KeyError('two\\nlines')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))

    def ask(group: str, *added: tuple[str, str]) -> tuple[str, object]:
        points = EntryPoints(EntryPoint(*entry, f"g2g_ablate.{group}") for entry in added)
        monkeypatch.setattr("g2g_base.plugins.entry_points", lambda **which: points.select(**which))
        monkeypatch.setattr(sys, "argv", ["g2g-ablate", "list", group])
        for remembered in remembering:
            remembered.cache_clear()
        with pytest.raises(SystemExit) as end:
            main()
        return capsys.readouterr().err, end.value.code

    yield ask
    for remembered in remembering:
        remembered.cache_clear()


@pytest.mark.parametrize("group", NEEDS)
def test_every_group_refuses_alike(group: str, said) -> None:
    head, number = f"g2g-ablate: g2g_ablate.{group}:", "broken_plugin:NUMBER"
    name = TAKEN.get(group, "other")
    twice = [(name, number)] * (1 if group in TAKEN else 2)
    listing = said(group, *twice)
    assert listing == (f"{head} {number}: the name {name} is taken\n", 2)
    assert said(group, ("other", number)) == (f"{head} {number}: is not {NEEDS[group]}\n", 2)

    gone = "AttributeError: module 'broken_plugin' has no attribute 'gone'"
    assert said(group, ("other", "broken_plugin:gone")) == (
        f"{head} broken_plugin:gone: cannot be loaded: {gone}\n",
        2,
    )
    message = "cannot be loaded: KeyError: 'two\\nlines'"
    assert said(group, ("other", "worse_plugin:any")) == (
        f"{head} worse_plugin:any: {message}\n",
        2,
    )
