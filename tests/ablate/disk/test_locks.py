"""Lock files: held by one, seen by others, left alone by those who only look."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ablate.disk import locks
from ablate.study.nouns import StudyError


def test_a_held_lock_is_seen_and_refused_with_its_owner(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with locks.held(path, "study toy"):
        assert locks.is_held(path)
        with (
            pytest.raises(locks.Locked, match=r"study toy is in use by pid \d+ on"),
            locks.held(path, "study toy"),
        ):
            pass
    assert not locks.is_held(path)


def test_a_lock_that_its_owner_removed_is_made_anew_by_the_one_who_waits(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    waiting = threading.Event()

    def wait() -> bool:
        waiting.set()
        with locks.held(path, "study toy", wait_s=20):
            return locks.is_held(path)

    with ThreadPoolExecutor(1) as pool:
        with locks.held(path, "study toy"):
            held = pool.submit(wait)
            waiting.wait(5)
            time.sleep(0.3)
            path.unlink()
        assert held.result(20)


def test_looking_makes_no_file(tmp_path: Path) -> None:
    assert not locks.is_held(tmp_path / ".lock")
    assert not list(tmp_path.iterdir())


def test_looking_needs_no_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A colleague's running study; tests may run as root, who may write everywhere, so the mode is
    what counts."""
    modes = []
    opened = Path.open

    def noted(self: Path, mode: str = "r", *args: object) -> object:
        modes.append(mode)
        return opened(self, mode, *args)  # type: ignore[call-overload]

    with locks.held(tmp_path / ".lock", "study toy"):
        monkeypatch.setattr(Path, "open", noted)
        assert locks.is_held(tmp_path / ".lock")
    assert modes == ["r"]


def test_a_link_that_somebody_planted_is_refused_and_its_target_stays(tmp_path: Path) -> None:
    target = tmp_path / "thesis"
    target.write_text("years of work")
    lock = tmp_path / ".lock"
    lock.symlink_to(target)
    with pytest.raises(StudyError, match="cannot be locked"), locks.held(lock, "study"):
        pass
    assert target.read_text() == "years of work"


@pytest.mark.parametrize("kind", ["link", "foreign", "file"])
def test_a_list_of_studies_that_is_not_ours_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = tmp_path / "list"
    if kind == "link":
        place.symlink_to(tmp_path)
    elif kind == "file":
        place.write_text("")
    else:
        place.mkdir()
        monkeypatch.setattr("os.getuid", lambda: 12345)
    monkeypatch.setenv("G2G_ABLATE_REGISTRY", str(place))
    with pytest.raises(StudyError, match="name another one in G2G_ABLATE_REGISTRY"):
        locks.free_cpus(2)


@pytest.mark.parametrize(
    ("share", "advice"),
    [
        (locks.Share(4.0, workers=4), "use --wait, or fewer --workers"),
        (locks.Share(4.0, workers=2), "use --wait, or fewer --workers"),
        (locks.Share(4.0), "or use --wait"),  # --workers 0 or 1, with 4 CPUs per trial
        (locks.Share(6.0, workers=2), "or use --wait"),  # one worker would not fit either
    ],
)
def test_fewer_workers_are_advised_only_where_they_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: locks.Share, advice: str
) -> None:
    monkeypatch.setenv("G2G_ABLATE_REGISTRY", str(tmp_path))
    total = locks.Share(4.0)
    with (
        locks.machine_share(locks.Share(2.0), total, tmp_path / "other"),
        pytest.raises(locks.Locked) as refusal,
        locks.machine_share(share, total, tmp_path / "toy"),
    ):
        pass
    assert str(refusal.value).endswith(f"Wait for it to end, {advice}")


def test_a_lock_tells_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("G2G_ABLATE_REGISTRY", str(tmp_path / "registry"))
    monkeypatch.setattr("sys.argv", ["g2g-ablate", "run", "--tracking-uri", "mysql://u:s3cret@h/d"])
    whole = locks.Share(1.0)
    with (
        locks.held(tmp_path / ".lock", "study toy"),
        locks.machine_share(whole, whole, tmp_path / "toy"),
    ):
        with (
            pytest.raises(locks.Locked, match=r"--tracking-uri mysql://\*\*\*@h/d") as refusal,
            locks.held(tmp_path / ".lock", "study toy"),
        ):
            pass
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(files) == 3
        assert "s3cret" not in str(refusal.value) + "".join(path.read_text() for path in files)
