"""A disk that is really full: a small file system in memory, filled by somebody else in the middle
of a study."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.running.study import run_study
from ablate.study.nouns import StudyError
from ablate.trial import trial_file
from benchmarks.toy_study import table
from tests.ablate.running.toy_runs import finish, start, steps, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that holds 60 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=60m", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_study_stops_and_goes_on_when_there_is_room(
    small_disk: Path, quiet: pd.DataFrame, workers: int
) -> None:
    process = start(small_disk, 0.15, workers=workers, quiet=False)
    wait_for(lambda: steps(small_disk) > 24)
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**12))
    said = finish(process, 3)
    assert "disk is full" in said
    assert "Traceback" not in said
    trials = list(small_disk.glob("toy/trials/*"))
    assert {trial_file.read(path)["status"] for path in trials} - {"finished", "planned"}
    filler.unlink()
    finish(start(small_disk, 0.0, workers=0))
    pd.testing.assert_frame_equal(table(small_disk), quiet, check_exact=True)


def test_checkpoints_that_will_not_fit_are_refused_before_the_first_trial(small_disk: Path) -> None:
    """The embedded study with a network whose checkpoints alone are larger than the disk."""
    spec = load_study(
        "quickstart",
        ["base.checkpoint=null", "base.network.filters=32", "base.network.d_filters=32"],
    )
    with pytest.raises(StudyError, match=r"--out: .*need \d+ MB, only \d+ MB are left on the disk"):
        run_study(plan(spec), small_disk, workers=0, tracking_uri="none", quiet=True)
    assert not list(small_disk.rglob("history.jsonl"))
