"""A study tracked by a real `mlflow server` with its own artifacts, its pages opened in a real
browser."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.reports.test_browser import browser  # noqa: F401
from tests.reports.test_browser import pytestmark as needs_a_browser

pytestmark = [pytest.mark.slow, *needs_a_browser[1:-1], pytest.mark.xdist_group("server")]

ROOT = Path(__file__).resolve().parents[2]


def wait_for(condition, seconds=90.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)
    return found


def answers(address):
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
        return answer.status == 200
    return False


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """What `tracking.json` says of a study of two arms and two seeds, while its server runs."""
    folder = tmp_path_factory.mktemp("tracked")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = (
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        f"{folder}/artifacts",
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *store, "--port", str(port), "--workers", "1"],
        env={
            **os.environ,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{base}/health"))
        options = {
            "seeds": 2,
            "steps": 10,
            "run": {"workers": 2, "report": True, "tracking_uri": base},
        }
        words = [
            sys.executable,
            "-m",
            "benchmarks.toy_study",
            str(folder / "out"),
            json.dumps(options),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(
            words, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=180
        )
        yield json.loads((folder / "out" / "toy" / "tracking.json").read_text()) | {
            "folder": str(folder)
        }
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def opened(browser, address, *words):  # noqa: F811
    """The text of a page of MLflow, once it says all the words."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1600, "height": 1200, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.get("about:blank")
    browser.get(address)
    text = "return document.body.innerText"
    with contextlib.suppress(AssertionError):
        wait_for(lambda: all(word in browser.execute_script(text) for word in words), 40)
    shots = os.environ.get("G2G_SHOTS")
    if shots:
        browser.save_screenshot(f"{shots}/mlflow-{abs(hash(address)) % 1000}.png")
    return browser.execute_script(text)


def test_the_experiments_table_names_arms_and_factors(browser, tracked):  # noqa: F811
    text = opened(browser, tracked["addresses"]["by_trial"], "+ weight · seed", "ref · seed")
    for word in ("+ weight · seed", "ref · seed", "answer/mixed_l1", "finished"):
        assert word in text


def test_charts_group_the_seeds_of_an_arm(browser, tracked):  # noqa: F811
    text = opened(
        browser,
        tracked["addresses"]["by_arm"],
        "answer/mixed_l1",
        "arm_code: ref",
        "The question",
    )
    for word in ("The question", "Losses", "answer/mixed_l1", "loss/total_generator", "+ weight"):
        assert word in text
    assert (
        len(
            wait_for(
                lambda: browser.find_elements(
                    "css selector", ".js-plotly-plot .scatterlayer .trace"
                )
            )
        )
        >= 2
    )


def test_the_compare_page_puts_the_factor_beside_the_metrics(browser, tracked):  # noqa: F811
    text = opened(browser, tracked["addresses"]["compare"], "Comparing 4 Runs", "weight")
    assert "Comparing 4 Runs" in text
    assert "weight" in text


def test_the_note_leads_to_the_report_on_the_server(browser, tracked):  # noqa: F811
    from mlflow import MlflowClient

    client = MlflowClient(tracked["base"])
    note = client.get_experiment(tracked["experiment_id"]).tags["mlflow.note.content"]
    assert "Does the toy work?" in note
    link = note.partition("[The report](")[2].partition(")")[0]
    assert "index.html" in opened(browser, tracked["base"] + link, "index.html")
    frame = wait_for(lambda: browser.find_elements("css selector", "iframe"))[0]
    browser.switch_to.frame(frame)
    try:
        assert (
            wait_for(lambda: browser.find_elements("css selector", "h1"))[0].text
            == "2 seeds can't settle whether weight moves the error of mixed images"
        )
    finally:
        browser.switch_to.default_content()
    assert list(Path(tracked["folder"], "artifacts").rglob("report/report.pdf"))


def test_pictures_and_headline_numbers_are_on_the_server(tracked):
    from mlflow import MlflowClient

    client = MlflowClient(tracked["base"])
    assert client.list_artifacts(tracked["run_ids"][0], "images")
    metrics = client.get_run(tracked["study_run_id"]).data.metrics
    data = json.loads(Path(tracked["folder"], "out/toy/report/data/report.json").read_text())
    assert metrics["effect/weight"] == data["verdicts"][0]["effect"]
    assert metrics["study/finished"] == 4
