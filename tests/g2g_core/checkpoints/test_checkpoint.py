import json
import os
from pathlib import Path

import pytest
import torch

from g2g_core.checkpoints import checkpoint_file, layouts
from g2g_core.checkpoints.checkpoint import (
    PARTS,
    CheckpointError,
    parts_of,
    read,
    restore,
    weights_digest,
)
from g2g_core.checkpoints.checkpoint_file import Saved
from g2g_core.hashing import sha256
from g2g_core.models import MODELS
from g2g_core.training.loop import train
from g2g_core.training.step import TrainingStep
from tests.g2g_core.tiny_funit import FUNIT, batch, config

SHARED = Path(os.environ.get("G2G_SHARED", Path(__file__).resolve().parents[4] / "shared"))


def made(seed=0, steps=0, **changes):
    """Networks and their step, after some steps."""
    settings = config(seed=seed, losses=FUNIT, **changes)
    networks = MODELS[settings.model](settings, 4)
    step = TrainingStep(settings, networks)
    for i in range(steps):
        step(batch(seed=i), i)
    return settings, networks, step


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(network, kept):
    state = network.state_dict()
    return state.keys() == kept.keys() and all(
        torch.equal(state[name], kept[name]) for name in kept
    )


@pytest.fixture
def ours(tmp_path):
    """A checkpoint after two steps, and what was in it."""
    _, networks, step = made(steps=2)
    path = tmp_path / "ours.pt"
    checkpoint_file.write(path, parts_of(networks, step), {"step": 2})
    return path, networks, step


def test_round_trip(ours):
    path, networks, step = ours
    saved = read(path)
    assert saved.step == 2
    assert set(saved.parts) == set(PARTS)
    settings, others, other_step = made(seed=5)
    facts = restore(saved, settings, others, other_step)
    assert weights_digest(others) == weights_digest(networks)
    assert facts["parts"] == dict.fromkeys(PARTS, "restored")
    assert facts["step"] == 2
    for one, other in ((step, other_step),):
        values, others_values = one(batch(seed=9), 2), other(batch(seed=9), 2)
        assert {k: float(v) for k, v in values.items()} == {
            k: float(v) for k, v in others_values.items()
        }
    assert weights_digest(others) == weights_digest(networks)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_alone(ours, part):
    path, networks, _ = ours
    settings, others, step = made(seed=5, restore=(part,))
    before = {name: weights(getattr(others, name)) for name in PARTS[:3]}
    facts = restore(read(path), settings, others, step)
    for name in PARTS[:3]:
        network = getattr(others, name)
        if name == part:
            assert same(network, weights(getattr(networks, name)))
        elif name == "average":
            assert same(network, weights(others.generator)), "starts as a copy of the generator"
        else:
            assert same(network, before[name])
    assert bool(step.generator_optimizer.state) == (part == "optimizers")
    assert bool(step.discriminator_optimizer.state) == (part == "optimizers")
    assert facts["parts"][part] == "restored"
    assert sum(text == "restored" for text in facts["parts"].values()) == 1
    assert all(
        "not named in restore" in text for name, text in facts["parts"].items() if name != part
    )


def test_a_fresh_discriminator_is_that_of_the_seed(ours):
    settings, others, step = made(seed=5, restore=("generator",))
    restore(read(ours[0]), settings, others, step)
    assert same(others.discriminator, weights(made(seed=5)[1].discriminator))
    assert not same(others.discriminator, weights(made(seed=6)[1].discriminator))


def test_initial_weights_of_a_network_depend_on_no_other_network():
    wide = {**config().network, "d_filters": 8}
    assert same(made(network=wide)[1].generator, weights(made()[1].generator))
    assert same(made()[1].average, weights(made()[1].generator))


def test_written_file_is_tensors_and_json(ours):
    document = torch.load(ours[0], weights_only=True)
    assert set(document) == {"format", "json", "sha256", "tensors"}
    assert json.loads(document["json"]) == {"step": 2}
    assert all(isinstance(value, torch.Tensor) for value in document["tensors"].values())


@pytest.mark.parametrize(
    "harm", ["truncated", "empty", "one weight", "facts", "text", "list", "missing"]
)
def test_damage_is_one_clear_line(ours, harm):
    path = ours[0]
    data = path.read_bytes()
    document = torch.load(path, weights_only=True)
    if harm == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "one weight":
        next(iter(document["tensors"].values())).view(-1)[0] += 1
        torch.save(document, path)
    elif harm == "facts":
        torch.save({**document, "json": '{"step": 3}'}, path)
    elif harm == "text":
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1bba\n")
    elif harm == "list":
        torch.save([1, 2], path)
    else:
        path.unlink()
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_the_old_file(ours, monkeypatch):
    path, networks, step = ours
    before = path.read_bytes()

    def full(document, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint_file.write(path, parts_of(networks, step), {"step": 3})
    assert path.read_bytes() == before
    assert [f.name for f in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"network": {**config().network, "filters": 5}},
            (
                r"generator does not fit: enc_class_model\.model\.0\.conv\.weight is \(4, 3, 7, "
                r"7\) where"
            ),
        ),
        (
            {"network": {**config().network, "residual_blocks": 2}},
            r"generator does not fit: .*model\.1.* is missing.*more",
        ),
        ({"network": {**config().network, "d_filters": 5}}, "discriminator does not fit: cnn_f"),
        (
            {"optimizer": "adam"},
            "optimizers do not fit Adam: generator/enc_class_model.* has square_avg, step",
        ),
        ({"restore": ("generator", "weights")}, "'weights' is not one of generator, average"),
    ],
)
def test_what_does_not_fit_is_refused(ours, changes, message):
    settings, networks, step = made(**changes)
    with pytest.raises(CheckpointError, match=message):
        restore(read(ours[0]), settings, networks, step)


def authors_files(folder, name="gen_00000300.pt", optimizer=True):
    """Snapshots as the authors' trainer writes them, with buffers and numbered optimizer states."""
    _, networks, step = made(steps=2)
    torch.save(
        {
            "gen": layouts.with_adain_buffers(networks.generator.state_dict()),
            "gen_test": layouts.with_adain_buffers(networks.average.state_dict()),
        },
        folder / name,
        _use_new_zipfile_serialization=False,
    )
    torch.save({"dis": networks.discriminator.state_dict()}, folder / name.replace("gen", "dis"))
    if optimizer:
        states = {
            "gen": step.generator_optimizer.state_dict(),
            "dis": step.discriminator_optimizer.state_dict(),
        }
        for state in states.values():  # old versions of torch counted the steps in plain numbers
            state["state"] = {
                i: {**entry, "step": int(entry["step"])} for i, entry in state["state"].items()
            }
        torch.save(states, folder / "optimizer.pt")
    return folder / name, networks, step


def test_the_authors_snapshots_restore_fully(tmp_path):
    path, networks, step = authors_files(tmp_path)
    saved = read(path)
    settings, others, other_step = made(seed=5)
    facts = restore(saved, settings, others, other_step)
    assert facts["step"] == 300
    assert facts["parts"] == dict.fromkeys(PARTS, "restored")
    assert "dis_00000300.pt" in facts["layout"]
    assert "optimizer.pt" in facts["layout"]
    values, others_values = step(batch(seed=9), 2), other_step(batch(seed=9), 2)
    assert {k: float(v) for k, v in values.items()} == {
        k: float(v) for k, v in others_values.items()
    }
    assert weights_digest(others) == weights_digest(networks)


def test_an_official_generator_file_holds_no_discriminator(tmp_path):
    path, networks, _ = authors_files(tmp_path, "animal149_gen.pt", optimizer=False)
    (tmp_path / "animal149_dis.pt").unlink()
    settings, others, step = made(seed=5)
    with pytest.raises(
        CheckpointError, match=r"restore names discriminator, optimizers, but the file .* holds gen"
    ):
        restore(read(path), settings, others, step)
    settings, others, step = made(seed=5, restore=("generator", "average"))
    facts = restore(read(path), settings, others, step)
    assert same(others.generator, weights(networks.generator))
    assert facts["parts"]["discriminator"] == "fresh: the file holds none"
    assert facts["step"] is None


def test_a_discriminator_file_alone(tmp_path):
    path, networks, _ = authors_files(tmp_path, "animal119_gen.pt", optimizer=False)
    settings, others, step = made(seed=5, restore=("discriminator",))
    restore(read(path.with_name("animal119_dis.pt")), settings, others, step)
    assert same(others.discriminator, weights(networks.discriminator))


def test_an_unknown_layout_is_named(tmp_path):
    torch.save({"state_dict": {}, "epoch": 3}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="unknown layout: it holds state_dict, epoch"):
        read(tmp_path / "other.pt")


def test_export_to_funit_and_back_is_equal(ours, tmp_path):
    saved = read(ours[0])
    generator, discriminator = layouts.write_funit(saved, tmp_path / "exported", "g2g_gen.pt")
    exported = torch.load(generator, weights_only=True)
    assert set(exported) == {"gen", "gen_test"}
    assert any(name.endswith("norm.running_var") for name in exported["gen"])
    back = read(generator)
    assert discriminator.name == "g2g_dis.pt"
    for part in PARTS[:3]:
        assert back.parts[part].keys() == saved.parts[part].keys()
        assert all(
            torch.equal(back.parts[part][name], value) for name, value in saved.parts[part].items()
        )


def test_a_foreign_class_encoder_is_not_exported(ours, tmp_path):
    saved = read(ours[0])
    generator = {
        name.replace("enc_class_model.model.", "enc_class_model.network."): value
        for name, value in saved.parts["generator"].items()
    }
    foreign = Saved(saved.path, saved.layout, {"generator": generator}, saved.facts)
    with pytest.raises(CheckpointError, match="its class encoder is not FUNIT's own"):
        layouts.write_funit(foreign, tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


def test_the_prefix_of_wrappers_for_several_gpus_is_dropped(ours, tmp_path):
    files = layouts.write_funit(read(ours[0]), tmp_path, "gen_00000000.pt")
    for file in files:
        states = {
            part: {f"module.{name}": value for name, value in state.items()}
            for part, state in torch.load(file, weights_only=True).items()
        }
        torch.save(states, file)
    back, plain = read(files[0]), read(ours[0])
    for part in PARTS[:3]:
        assert back.parts[part].keys() == plain.parts[part].keys()


@pytest.mark.skipif(
    not (SHARED / "reference" / "funit_state_dict.json").exists(), reason="key list is not there"
)
def test_full_size_networks_have_the_official_keys():
    layout = json.loads((SHARED / "reference" / "funit_state_dict.json").read_text())
    with torch.device("meta"):
        networks = MODELS["funit2funit"](
            config(network={"d_classes": 119}, image_size=128, ema_decay=None), 4
        )
    exported = {
        "generator": layouts.with_adain_buffers(networks.generator.state_dict()),
        "discriminator": networks.discriminator.state_dict(),
    }
    for part, state in exported.items():
        assert {name: list(value.shape) for name, value in state.items()} == {
            name: entry["shape"] for name, entry in layout[part].items()
        }
    assert (
        sum(p.numel() for p in networks.generator.parameters())
        == layout["totals"]["generator_parameters"]
    )
    assert (
        sum(p.numel() for p in networks.discriminator.parameters())
        == layout["totals"]["discriminator_parameters"]
    )


def test_a_plain_checkpoint_under_a_narrowed_content_code(ours):
    path, networks, _ = ours
    narrow = {**config().network, "content_channels": 3}
    settings, others, step = made(seed=5, network=narrow)
    facts = restore(read(path), settings, others, step)
    assert same(others.generator.inner, weights(networks.generator))
    assert "squeeze.weight" in facts["parts"]["generator"]
    assert "fresh" in facts["parts"]["optimizers"]


def test_a_run_restores_what_its_config_names(tmp_path):
    list(train(config(), checkpoints=tmp_path / "first"))
    newest = str(tmp_path / "first" / "step_00000004.pt")
    evaluated = [r for r in train(config(steps=2)) if r.kind == "eval"]
    note, evaluation, *_ = train(config(seed=3, checkpoint=newest, restore=("generator",)))
    assert note.facts["restored"]["checkpoint"] == newest
    assert note.facts["restored"]["parts"]["average"].startswith("copy of the generator")
    assert note.facts["digests"]["checkpoint"] == sha256(Path(newest))
    assert evaluation.values["metric/short_l1"] == evaluation.values["metric/average_short_l1"]
    assert evaluation.values["metric/short_l1"] != evaluated[0].values["metric/short_l1"]
    whole, *_ = train(config(checkpoint=newest))
    assert whole.facts["restored"]["parts"] == dict.fromkeys(PARTS, "restored")


def test_a_file_that_needs_unsafe_loading_is_refused_without_torchs_advice(tmp_path):
    torch.save({"path": tmp_path}, tmp_path / "objects.pt")
    with pytest.raises(
        CheckpointError,
        match=r"objects.pt: not a readable checkpoint: it is damaged, or holds more",
    ):
        read(tmp_path / "objects.pt")
