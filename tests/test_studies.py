"""Every bundled study loads; those whose files are there plan without anything missing."""

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.reading.study_tree import bundled_studies

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("G2G_SHARED", ROOT.parent / "shared"))
EMBEDDED = [
    name
    for name, path in bundled_studies().items()
    if not {"faces", "animals", "sprites", "identity"} & set(path.stem.split("-"))
]


@pytest.mark.parametrize("name", bundled_studies())
def test_it_loads_under_its_own_name(name: str) -> None:
    spec = load_study(name)
    assert spec.name == name
    assert spec.question.endswith("?")
    assert spec.outcome.smallest_effect


@pytest.mark.parametrize("name", EMBEDDED)
def test_on_the_embedded_set_nothing_is_missing(name: str) -> None:
    assert plan(load_study(name)).missing == ()


def test_the_papers_study_is_a_full_factorial_of_the_three_new_losses() -> None:
    planned = plan(load_study("funit2funit"))
    cells = {
        tuple(trial.config.losses.get(f.name, 0.0) for f in planned.spec.factors)
        for trial in planned.trials
    }
    assert [f.name for f in planned.spec.factors] == ["long_recon", "long_fm", "reassembly_fm"]
    assert cells == {(a, b, c) for a in (0, 0.1) for b in (0, 0.1) for c in (0, 0.1)}
    assert len(planned.trials) == 8 * len(planned.spec.seeds)
    assert {trial.config.losses["short_recon"] for trial in planned.trials} == {0.1}


def test_the_full_size_study_is_the_authors_setting() -> None:
    base = load_study("funit2funit-animals").base
    assert (base.image_size, base.network["filters"], base.batch_size) == (128, 64, 4)
    assert base.dataset == "list_files"
    assert base.checkpoint is not None
    assert Path(base.checkpoint).name == "animal149_gen.pt"


def test_the_checkpoint_is_small_and_whole() -> None:
    from g2g_core.checkpoints.checkpoint import PARTS, read

    path = ROOT / "studies" / "checkpoints" / "synthetic32.pt"
    assert path.stat().st_size < 5_000_000
    assert set(read(path).parts) == set(PARTS)


def test_the_checkpoint_disentangles() -> None:
    """Fig. 7 on the embedded set: mixed images near their truth, full reconstructions near the
    originals."""
    from g2g_core.training.loop import train

    config = load_study("funit2funit", ["base.steps=1"]).base
    evaluation = next(record for record in train(config) if record.kind == "eval")
    values = evaluation.values
    assert values["metric/mixed_l1"] < 0.4 * values["metric/copy_content_l1"]
    assert values["metric/mixed_l1"] < 0.7 * values["metric/copy_class_l1"]
    assert values["metric/long_l1"] < 0.15


@pytest.mark.parametrize("name", ["systems", "sanity-check", "outlook", "degradation-confirm"])
def test_every_arm_trains(name: str, tmp_path: Path) -> None:
    """Two steps of each cell, inline; what the restored checkpoint lacks starts fresh and is
    said."""
    from ablate.running.study import run_study

    small = ["base.steps=2", "base.eval_every=2", "base.eval_pairs=2", "base.batch_size=2"]
    spec = load_study(name, [*small, "base.image_size=16"])
    result = run_study(
        plan(spec, [0]), tmp_path, workers=0, tracking_uri="none", report=False, quiet=True
    )
    assert {(one.status, one.error) for one in result.results} == {("finished", None)}
    assert len({one.trial.cell_id for one in result.results}) == len(result.results) > 1


ANIMALS = SHARED / "data" / "funit_layout"
HEADS = [
    f"base.data.root={ANIMALS / 'animals'}",
    f"base.data.train_list={ANIMALS / 'heads_list_train.txt'}",
    f"base.data.test_list={ANIMALS / 'heads_list_test.txt'}",
]
REAL = {
    "animals": HEADS,
    "faces": [f"base.data.root={SHARED / 'data' / 'caltech_faces'}"],
    "sprites": [f"base.data.root={SHARED / 'data' / 'lpc_sprites'}"],
    "pretrain-animals": HEADS,
    "systems-faces": [f"base.data.root={SHARED / 'data' / 'caltech_faces'}"],
}


@pytest.mark.parametrize("name", REAL)
def test_the_reference_trains_on_real_images(name: str, tmp_path: Path) -> None:
    """Two steps of the reference, fresh: the small networks fit the images that the study is
    for."""
    from g2g_core.training.loop import train

    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    # One of another network, so that nothing is missing; it is not read
    any_checkpoint = f"base.checkpoint={ROOT / 'studies' / 'checkpoints' / 'synthetic32.pt'}"
    small = [
        any_checkpoint,
        "base.steps=2",
        "base.eval_every=2",
        "base.eval_pairs=4",
        "base.batch_size=2",
    ]
    planned = plan(load_study(name, [*REAL[name], *small]))
    assert planned.missing == ()
    records = list(train(replace(planned.trials[0].config, checkpoint=None)))
    last = [record for record in records if record.kind == "eval"][-1]
    assert last.step == 2
    assert all(math.isfinite(value) for value in last.values.values())
