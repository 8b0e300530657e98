import math
import re
from dataclasses import replace

import pytest
import torch
from PIL import Image

from g2g_core.checkpoints.checkpoint_file import CheckpointError
from g2g_core.losses.menu import LOSSES
from g2g_core.models.options import FunitOptions
from g2g_core.record import Diverged, Stopped
from g2g_core.training.loop import train
from tests.g2g_core.tiny_funit import FUNIT, NEW, config


def numbers(records):
    """Everything that must be equal in a repeat."""
    return [
        (r.step, r.kind, {k: v for k, v in r.values.items() if not k.startswith("time/")})
        for r in records
        if r.kind != "note"
    ]


def test_what_a_run_says():
    note, *rest = train(config())
    assert note.kind == "note"
    assert note.step == 0
    assert note.facts["parameters"]["generator"] > 0
    assert note.facts["resumed_at"] is None
    assert set(note.facts["digests"]) == {
        "initial_weights",
        "data",
        "data_order",
        "eval_pairs",
        "checkpoint",
    }
    assert note.facts["restored"]["parts"]["discriminator"] == "fresh"
    assert [(r.step, r.kind) for r in rest] == [
        (0, "eval"),
        (1, "train"),
        (2, "train"),
        (2, "eval"),
        (3, "train"),
        (4, "train"),
        (4, "eval"),
    ]
    losses = rest[1].values
    assert {f"loss/{name}" for name in FUNIT | NEW} <= set(losses)
    total = sum(
        w * losses[f"loss/{name}"] for name, w in (FUNIT | NEW).items() if not name.startswith("d_")
    )
    assert losses["loss/total_generator"] == pytest.approx(total, rel=1e-5)
    assert losses["loss/total_discriminator"] == pytest.approx(
        losses["loss/d_hinge"] + 10 * losses["loss/d_r1"]
    )
    assert losses["time/step_s"] > 0
    evaluation = rest[0]
    assert {"metric/mixed_l1", "metric/average_mixed_l1", "time/eval_s"} <= set(evaluation.values)
    assert {name: tuple(v.shape) for name, v in evaluation.images.items()} == dict.fromkeys(
        ("real", "mixed", "full_recon", "truth"), (6, 3, 16, 16)
    )
    assert all(math.isfinite(v) for r in rest for v in r.values.values())


def test_equal_configs_give_equal_bits_and_other_seeds_do_not():
    first = numbers(train(config()))
    assert numbers(train(config())) == first
    assert numbers(train(config(seed=1))) != first


def test_how_often_is_told_changes_no_number():
    full = {
        step: values for step, kind, values in numbers(train(config(steps=5))) if kind == "train"
    }
    sparse = numbers(train(config(steps=5, log_every=3, eval_every=0)))
    assert [(step, kind) for step, kind, _ in sparse] == [(0, "eval"), (3, "train"), (5, "eval")]
    assert sparse[1][2] == full[3]


def test_a_toggle_keeps_the_initial_weights_and_the_data():
    note, evaluation, *_ = train(config())
    other, other_evaluation, *_ = train(config(losses=FUNIT))
    assert note.facts["digests"] == other.facts["digests"]
    assert numbers([evaluation]) == numbers([other_evaluation])


@pytest.mark.parametrize(
    ("optimizer", "cut"), [*(("rmsprop", cut) for cut in range(1, 8)), ("adam", 6)]
)
def test_an_interrupted_run_goes_on_to_equal_bits(tmp_path, cut, optimizer):
    settings = config(optimizer=optimizer, steps=5)
    whole = numbers(train(settings, checkpoints=tmp_path / "whole"))
    attempt = train(settings, checkpoints=tmp_path / "cut")
    first = [next(attempt) for _ in range(cut)]
    attempt.close()
    note, *rest = train(settings, checkpoints=tmp_path / "cut")
    resumed = note.facts["resumed_at"]
    seen = {(step, kind): values for step, kind, values in numbers(first)}
    again = {(step, kind): values for step, kind, values in numbers(rest)}
    assert all(again[key] == seen[key] for key in again.keys() & seen.keys())
    assert {**seen, **again} == {(step, kind): values for step, kind, values in whole}
    assert resumed is None or min(step for step, _ in again) == resumed + 1


def test_resume_keeps_the_facts_of_the_start(tmp_path):
    start = next(train(config(), checkpoints=tmp_path))
    list(train(config(steps=2), checkpoints=tmp_path))
    note = next(train(config(), checkpoints=tmp_path))
    assert note.facts["resumed_at"] == 2
    assert note.facts["digests"]["initial_weights"] == start.facts["digests"]["initial_weights"]


def test_two_checkpoints_are_kept_and_a_damaged_one_is_passed_over(tmp_path):
    settings = config(steps=6)
    whole = numbers(train(settings, checkpoints=tmp_path))
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == ["step_00000004.pt", "step_00000006.pt"]
    files[1].write_bytes(files[1].read_bytes()[:-1000])
    note, *rest = train(settings, checkpoints=tmp_path)
    assert note.facts["resumed_at"] == 4
    assert "step_00000006.pt" in note.facts["skipped_checkpoints"][0]
    assert numbers(rest) == [entry for entry in whole if entry[0] > 4]


def test_a_finished_run_trains_nothing_more(tmp_path):
    list(train(config(), checkpoints=tmp_path))
    (note,) = train(config(), checkpoints=tmp_path)
    assert note.step == 4


def test_the_checkpoints_of_another_config_are_refused(tmp_path):
    list(train(config(), checkpoints=tmp_path))
    with pytest.raises(
        CheckpointError, match=r"written with lr_generator 0\.0001, but the config has 0\.1"
    ):
        next(train(config(lr_generator=0.1), checkpoints=tmp_path))


def test_a_run_goes_on_where_files_were_moved_and_the_config_is_written_otherwise(
    tmp_path, make_folder, monkeypatch
):
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))
    list(train(config(steps=2), checkpoints=tmp_path / "old"))
    (tmp_path / "new").mkdir()
    first, moved = tmp_path / "old" / "step_00000002.pt", tmp_path / "new" / "start.pt"
    here, there = make_folder(name="here"), make_folder(name="there")

    def settings(root, checkpoint, network=None, data=None, **changes):
        network = {**config().network, "d_classes": 4, **(network or {})}
        data = {"root": str(root), "test_classes": ("a", "b")} | (data or {})
        made = config(
            dataset="image_folder", network=network, checkpoint=str(checkpoint), **changes
        )
        return replace(made, data=data, metrics=("short_l1",))

    before = settings(here, first, steps=2)
    whole = numbers(train(replace(before, steps=4), checkpoints=tmp_path / "whole"))
    list(train(before, checkpoints=tmp_path / "cut"))
    first.rename(moved)
    after = settings(
        there,
        moved,
        network={"perceptual_weights": "vgg16.pth", "mlp_blocks": FunitOptions().mlp_blocks},
        data={"cache": "memory", "workers": 1, "flip": True},
        losses={**FUNIT, **NEW, "d_lsgan": 0.0},
        schedules={"short_recon": {"kind": "constant"}},
        restore=("optimizers", "discriminator", "average", "generator"),
    )
    note, *rest = train(after, checkpoints=tmp_path / "cut")
    assert note.facts["resumed_at"] == 2
    assert numbers(rest) == [entry for entry in whole if entry[0] > 2]
    (there / "c" / "1.png").write_bytes((there / "d" / "2.png").read_bytes())
    with pytest.raises(CheckpointError, match="written with data of another content"):
        next(train(after, checkpoints=tmp_path / "cut"))


@pytest.mark.parametrize("log_every", [1, 100])
def test_divergence_is_found_in_its_step(monkeypatch, tmp_path, log_every):
    honest, calls = LOSSES["short_recon"], []

    def spoilt(cross):
        calls.append(1)
        return honest(cross) * (float("inf") if len(calls) == 3 else 1.0)

    monkeypatch.setitem(LOSSES, "short_recon", spoilt)
    records = []
    with pytest.raises(Diverged) as caught:
        records.extend(
            train(config(steps=9, log_every=log_every, eval_every=0), checkpoints=tmp_path)
        )
    assert (caught.value.step, caught.value.cause) == (3, "loss/short_recon")
    assert records[-1].step == 3
    assert math.isinf(records[-1].values["loss/short_recon"])
    assert [f.name for f in tmp_path.iterdir()] == ["step_00000002.pt"]
    told = records[-2].facts["divergence"]
    assert (told["step"], told["cause"], told["first"]) == (
        *(3, "loss/short_recon"),
        "the loss short_recon",
    )
    assert 2 <= len(told["images"]) <= 8
    assert all(name.startswith("look") for name in told["images"])
    assert str(caught.value).startswith("loss/short_recon is not finite at step 3: it begins with")


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"lr_generator": 1e30}, r"the output of generator\.enc_\w+\.model\.\d(\.conv)?"),
        ({"lr_generator": 1e38}, r"the parameter generator\.enc_\w+\..*"),
    ],
)
def test_a_divergence_names_the_first_tensor_and_the_images_of_its_batch(
    make_folder, monkeypatch, tmp_path, changes, first
):
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))
    folder = make_folder(classes=4, images=3, size=(16, 16))
    Image.new("RGB", (16, 16), "red").save(folder / "a" / "1.png")
    data = {"root": str(folder), "test_classes": ("c", "d"), "resize": 16}
    files = {f"{class_}/{number}.png" for class_ in "ab" for number in range(3)}
    records = []
    changes |= {"dataset": "image_folder", "data": data, "image_size": 16, "batch_size": 6}
    with pytest.raises(Diverged) as caught:
        records.extend(train(config(metrics=("long_l1",), steps=4, eval_every=0, **changes)))
    told = records[-2].facts["divergence"]
    assert re.fullmatch(first, told["first"])
    assert set(told["images"]) == files
    assert told["blank"] == ["a/1.png"]
    assert str(caught.value).endswith(
        f"it begins with {told['first']}; the batch has a/1.png (blank), "
        + ", ".join([name for name in told["images"] if name != "a/1.png"][:3])
        + " and 2 more"
    )


def test_warm_up_moves_the_discriminator_only(tmp_path):
    records = list(train(config(discriminator_warmup=2, steps=3), checkpoints=tmp_path))
    evaluations = {r.step: r.values["metric/mixed_l1"] for r in records if r.kind == "eval"}
    assert evaluations[0] == evaluations[2] != evaluations[3]
    first, last = (
        next(r.values for r in records if r.kind == "train" and r.step == step) for step in (1, 3)
    )
    assert "loss/total_discriminator" in first
    assert "loss/total_generator" not in first
    assert "loss/total_generator" in last


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": "float64"},
        {"precision": "bfloat16"},
        {"channels_last": True},
        {"model": "funit", "losses": FUNIT},
        {"ema_decay": None, "evaluate": ("raw",)},
        {"optimizer": "adam"},
        {"losses": {"short_recon": 1.0}},
        {"losses": {"adversarial": 1.0, "d_hinge_swapped": 1.0}},
        {"network": {**config().network, "content_channels": 4, "content_noise": 0.5}},
    ],
)
def test_options_train(changes):
    records = list(train(config(**changes)))
    assert records[-1].step == 4
    assert records[-1].values["metric/mixed_l1"] != records[1].values["metric/mixed_l1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "float16"}, "precision: 'float16' is not one of"),
        ({"optimizer": "sgd"}, "optimizer: 'sgd' is not one of rmsprop, adam"),
        ({"network": {"filter": 3}}, "network.filter: no such option"),
        ({"network": {"d_blocks": 3}}, "network.d_blocks: 3 is not an even number"),
        ({"network": {"d_classes": 2}}, "network.d_classes: 2 is less than the 4 classes"),
        ({"image_size": 18}, "does not go with image_size 18"),
        ({"model": "funit", "losses": {"long_recon": 1.0}}, "full_recon needs both directions"),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        list(train(config(**changes)))


def test_precisions_agree():
    by_precision = {
        precision: list(train(config(precision=precision, steps=1)))[2].values[
            "loss/total_generator"
        ]
        for precision in ("float32", "float64", "bfloat16")
    }
    assert by_precision["float32"] == pytest.approx(by_precision["float64"], rel=1e-4)
    assert by_precision["bfloat16"] == pytest.approx(by_precision["float64"], rel=0.1)
    assert len(set(by_precision.values())) == 3


def test_threads_are_set_as_the_config_says():
    before = torch.get_num_threads()
    try:
        next(train(replace(config(), threads=2)))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_run_beyond_its_bound_ends_early_and_counts():
    *records, last = train(replace(config(), stop_beyond={"mixed_l1": 1e-6}))
    assert last.kind == "note"
    assert last.facts["stopped_early"].startswith("mixed_l1 ")
    assert max(record.step for record in records) == 2 < config().steps
    whole = list(train(replace(config(), stop_beyond={"mixed_l1": 1e6, "average_mixed_l1": 1e6})))
    assert numbers(whole) == numbers(train(config()))
    higher = replace(
        config(), metrics=("mixed_l1", "mixed_psnr"), stop_beyond={"mixed_psnr": 100.0}
    )
    assert list(train(higher))[-1].facts["stopped_early"].endswith("is beyond 100")


def test_a_bound_on_what_is_not_recorded_is_refused():
    with pytest.raises(
        ValueError, match="stop_beyond: identity_to_class is not recorded by this run"
    ):
        list(train(replace(config(), stop_beyond={"identity_to_class": 0.5})))


def test_health_is_recorded_at_evaluations_and_changes_nothing():
    often = list(train(replace(config(), eval_every=1)))
    measured = [r.values for r in often if r.kind == "eval"]
    assert not any(name.startswith("health/") for name in measured[0])  # no step was made yet
    for values in measured[1:]:
        shares = [v for name, v in values.items() if name.startswith("health/gradient_share_")]
        assert len(shares) == sum(not name.startswith("d_") for name in FUNIT | NEW)
        assert sum(shares) == pytest.approx(1.0)
        assert 0 < values["health/update_ratio_generator"] < 0.1
        assert 0 <= values["health/d_real_accuracy"] <= 1
        assert 0 <= values["health/d_fake_accuracy"] <= 1
    rarely = train(replace(config(), eval_every=1000))
    losses = [
        [(r.step, n, v) for r in run for n, v in r.values.items() if n.startswith("loss/")]
        for run in (often, rarely)
    ]
    assert losses[0] == losses[1]


def test_health_of_warm_up_knows_the_discriminator_only():
    last = list(train(replace(config(), discriminator_warmup=100)))[-1]
    assert {n for n in last.values if n.startswith("health/")} == {
        "health/d_real_accuracy",
        "health/d_fake_accuracy",
    }


@pytest.mark.parametrize("log_every", [1, 3])
def test_a_run_that_is_asked_to_stop_saves_its_state_at_once(tmp_path, log_every):
    """Also between records, and without any planned checkpoint; then it resumes to equal bits."""
    settings = config(steps=5, log_every=log_every, eval_every=2, checkpoint_every=0)
    whole = {(step, kind): values for step, kind, values in numbers(train(settings))}

    asked = iter([False, True])
    with pytest.raises(Stopped):
        list(train(settings, checkpoints=tmp_path, stop=lambda: next(asked)))
    assert [path.stem for path in tmp_path.glob("*.pt")] == ["step_00000002"]

    note, *rest = train(settings, checkpoints=tmp_path)
    assert note.facts["resumed_at"] == 2
    again = {(step, kind): values for step, kind, values in numbers(rest)}
    assert all(whole[key] == value for key, value in again.items())
    assert {key for key in whole if key[0] > 2} == set(again)
