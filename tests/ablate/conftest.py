"""A small menu for tests of the study file, so that they hold whatever the science package
offers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.planning.load import load_study
from ablate.reading.options import options_of
from ablate.study.nouns import StudySpec
from ablate.trainers.core.menus import Choice, Menus
from g2g_core.config import TrialConfig

FILTERS = {"type": "integer", "default": 64, "minimum": 1, "description": "base width"}
MENUS = Menus(
    models={
        "funit2funit": Choice(
            "funit2funit",
            "The paper's network",
            {
                "filters": FILTERS,
                "mlp_filters": {"type": "integer", "default": 256, "description": "MLP width"},
            },
        ),
        "naive": Choice(
            "naive", "Two symmetric encoders", {"code_size": {"type": "integer", "default": 256}}
        ),
    },
    datasets={
        "synthetic": Choice(
            "synthetic", "Rendered", {"classes": {"type": "integer", "default": 24}}
        ),
        "image_folder": Choice(
            "image_folder",
            "Class folders",
            {
                "root": {"type": "string", "format": "path"},
                "flip": {"type": "boolean", "default": True},
                "workers": {"type": "integer", "default": 0, "x-neutral": True},
            },
        ),
    },
    losses={
        name: Choice(name, name.replace("_", " "))
        for name in (
            "adversarial",
            "short_recon",
            "long_recon",
            "long_fm",
            "reassembly_fm",
            "d_hinge",
            "d_r1",
        )
    },
    metrics={
        "mixed_l1": Choice(
            "mixed_l1", "error against the truth", better="lower", unit="0..2", usual=True
        ),
        "swap_score": Choice(
            "swap_score", "0 copies, 1 is the truth", better="higher", unit="1", usual=True
        ),
        "spread": Choice("spread", "neither end is good", usual=True),
        "kid": Choice("kid", "needs a network", better="lower"),
        "copy": Choice("copy", "a copy against the truth", fixed=True),
    },
    parts=("generator", "average", "discriminator", "optimizers"),
    config=options_of(TrialConfig),
)

STUDY = """
name: tiny
question: Which one?
base:
  losses: {adversarial: 1.0, short_recon: 0.1, d_hinge: 1.0}
  steps: 20
factors:
  long_recon: {path: losses.long_recon, levels: {without: 0.0, with: 0.1}}
  long_fm: {path: losses.long_fm, levels: {without: 0.0, with: 0.1}}
  rate: {path: lr_generator, levels: {low: 1e-4, high: 1e-3}}
seeds: [0, 1]
outcome: {metric: mixed_l1}
"""


@pytest.fixture(scope="session")
def menus() -> Menus:
    """The small menu."""
    return MENUS


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., StudySpec]:
    """Loads a study file with this text, against the small menu."""

    def load(text: str = STUDY, *overrides: str, name: str = "study.yaml") -> StudySpec:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return load_study(path, overrides, MENUS)

    return load
