"""The order in which trials are given to Ray Tune."""

from pathlib import Path

from ray.tune.search import Searcher

from ablate.disk.folder import TrialFolder
from ablate.running.items import Need
from ablate.running.ray_queue import Queue
from g2g_base import atomic


def ended(folder: Path, status: str, **more: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write_json(TrialFolder(folder).document, {"status": status, **more})


def test_trials_start_as_soon_as_what_they_wait_for_is_over(tmp_path: Path) -> None:
    network, arm, free = (tmp_path / name for name in ("network", "arm", "free"))
    queue = Queue({network: (), arm: [Need(network)], free: ()})
    assert queue.suggest("1") == {"folder": str(network)}
    assert queue.suggest("2") == {"folder": str(free)}
    assert queue.suggest("3") is None
    ended(network, "failed", fault="bug")
    queue.on_trial_complete("1")
    assert queue.suggest("3") == {"folder": str(arm)}
    assert queue.suggest("4") == Searcher.FINISHED


def test_a_checkpoint_is_enough_to_continue_from(tmp_path: Path) -> None:
    leader, arm = tmp_path / "leader", tmp_path / "arm"
    need = Need(leader, 40)
    queue = Queue({leader: (), arm: [need]})
    assert queue.suggest("1") == {"folder": str(leader)}
    ended(leader, "running")
    assert not need.met()
    fork = TrialFolder(leader).fork(40)
    fork.parent.mkdir(parents=True)
    fork.touch()
    assert need.met()


def test_memory_may_suffice_later_and_nothing_waits_for_nothing(tmp_path: Path) -> None:
    leader, arm = tmp_path / "leader", tmp_path / "arm"
    ended(leader, "failed", fault="gpu_memory")
    queue = Queue({arm: [Need(leader)]})
    assert queue.suggest("1") == Searcher.FINISHED  # for another round
