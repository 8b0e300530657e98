"""The live page of a study: what it says, and whom it answers."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate.live.server import HOST, LivePage
from ablate.running.study import run_study
from ablate.study.nouns import StudyError
from benchmarks.toy_study import toy_plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    quick = {"workers": 0, "tracking_uri": "none", "report": False, "quiet": True, "check": False}
    return run_study(toy_plan(), out, trainer="benchmarks.trivial_trainer:train", **quick).folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[LivePage]:
    page = LivePage(folder)
    threading.Thread(target=page.serve, daemon=True).start()
    yield page
    page.close()


def get(page: LivePage, path: str, **headers: str) -> bytes:
    request = urllib.request.Request(page.address + path, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def test_the_state_counts_trials_and_steps(page: LivePage) -> None:
    state = json.loads(get(page, "live.json"))
    assert state["counts"] == {"finished": state["trials"]}
    assert (state["share"], state["over"], state["running"]) == (1.0, True, [])


def test_the_page_holds_the_strip_and_then_the_report(page: LivePage) -> None:
    assert b'id="live"' in get(page, "")
    page.build()
    assert page.built == 1
    both = get(page, "").decode()
    assert both.index('id="live"') < both.index("Appendix")


def test_nothing_else_is_served(page: LivePage) -> None:
    for path in ("plan.json", "..%2Fplan.json", "figure/../1.png", "figure/nothing/1.png"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(page, path)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(page, "live.json", Host="elsewhere.example:80")


def test_it_listens_on_the_loopback_only_and_says_that_a_port_is_taken(page: LivePage) -> None:
    assert page.address.startswith(f"http://{HOST}:")
    port = int(page.address.rstrip("/").rpartition(":")[2])
    with pytest.raises(StudyError, match=f"--port {port}: taken"):
        LivePage(page.folder, port)
