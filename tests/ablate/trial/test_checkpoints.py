"""Which of a trial's checkpoints `train --save` copies."""

import os
from pathlib import Path

import pytest

from ablate.trial.checkpoints import last_checkpoint


@pytest.mark.parametrize(
    ("names", "last"),
    [
        (["step_00000020.pt", "step_00000010.pt"], "step_00000020.pt"),
        (["epoch=1-step=100.ckpt", "epoch=0-step=20.ckpt"], "epoch=1-step=100.ckpt"),
        (["epoch=10-loss=0.25.ckpt", "epoch=9-loss=0.75.ckpt"], "epoch=10-loss=0.25.ckpt"),
        (["model100.pt", "model20.pt"], "model100.pt"),
        (["Iteration-100.pt", "Iteration-99.pt"], "Iteration-100.pt"),
        (["step_3.pt", "best.pt"], "step_3.pt"),
        (["step_3.pt", ".step_4.pt.x1.part"], "step_3.pt"),
        (["first.pt", "second.pt"], "second.pt"),
        ([], None),
    ],
)
def test_the_checkpoint_of_the_last_step_is_copied(
    tmp_path: Path, names: list[str], last: str | None
) -> None:
    """The files are listed from old to new: a folder that was copied has times in any order."""
    for seconds, name in enumerate(names):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (seconds, seconds))
    (tmp_path / "step_9_folder").mkdir()
    file = last_checkpoint(tmp_path)
    assert (file.name if file else None) == last
