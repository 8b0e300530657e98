"""A checkpoint that is written next to the training is of the step that it names."""

import threading

import pytest
import torch

from g2g_core.checkpoints import checkpoint_file
from g2g_core.checkpoints.writing import Writer
from g2g_core.training import loop
from tests.g2g_core.tiny_funit import config


def test_it_holds_the_tensors_of_its_own_step(tmp_path):
    weight = torch.zeros(3)
    with Writer(tmp_path, behind=True) as writer:
        for step in (1, 2, 3):
            weight += 1
            writer.write(step, {"generator": {"w": weight}}, {"step": step})
        weight += 1
    saved, damaged = checkpoint_file.newest(tmp_path)
    assert (saved.step, damaged) == (3, [])
    assert saved.parts["generator"]["w"].tolist() == [3, 3, 3]
    assert len(list(tmp_path.iterdir())) == checkpoint_file.KEPT


def test_training_continues_meanwhile(tmp_path, monkeypatch):
    go, wrote = threading.Event(), checkpoint_file.write
    monkeypatch.setattr(checkpoint_file, "write", lambda *a: (go.wait(20), wrote(*a)))
    with Writer(tmp_path, behind=True) as writer:
        writer.write(1, {"generator": {"w": torch.ones(1)}}, {"step": 1})
        assert not list(tmp_path.iterdir())
        go.set()
    assert checkpoint_file.newest(tmp_path)[0].step == 1


@pytest.mark.parametrize("behind", [True, False])
def test_a_failed_write_ends_the_run(tmp_path, behind):
    blocked = tmp_path / "file"
    blocked.write_text("")
    writer = Writer(blocked / "checkpoints", behind)
    with pytest.raises(NotADirectoryError), writer:
        writer.write(1, {"generator": {"w": torch.ones(1)}}, {"step": 1})


def test_an_error_of_the_run_is_not_hidden(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    writer = Writer(blocked / "checkpoints", True)
    with pytest.raises(ZeroDivisionError), writer:
        _write_and_fail(writer)


def _write_and_fail(writer):
    writer.write(1, {"generator": {"w": torch.ones(1)}}, {"step": 1})
    raise ZeroDivisionError


def test_a_run_resumes_from_what_was_written_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "Writer", lambda folder, _: Writer(folder, behind=True))
    whole = [record.values for record in loop.train(config()) if record.kind == "eval"][-1]
    run = loop.train(config(checkpoint_every=2), checkpoints=tmp_path)
    for record in run:
        if record.step == 3:
            break
    run.close()
    rest = list(loop.train(config(checkpoint_every=2), checkpoints=tmp_path))
    assert rest[0].facts["resumed_at"] == 2
    timeless = [
        {name: value for name, value in values.items() if not name.startswith("time/")}
        for values in (rest[-1].values, whole)
    ]
    assert timeless[0] == timeless[1]
