"""Several real Ray nodes on one machine: trials spread over them, outlive a lost node, and share
pretended GPUs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from ablate.trial import trial_file
from tests.ablate.running.toy_runs import equal, finish, start, steps, steps_of, wait_for

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def cluster() -> Iterator[Start]:
    """Starts a cluster with nodes of so many CPUs and GPUs; its first line of output is its
    address."""
    with ExitStack() as stack:

        def begin(*nodes: dict[str, int]) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).with_name("local_cluster.py")),
                    json.dumps(nodes),
                ],
                env={
                    **{
                        name: value
                        for name, value in os.environ.items()
                        if name != "CUDA_VISIBLE_DEVICES"
                    },
                    "OMP_NUM_THREADS": "1",
                    "PYTHONPATH": str(ROOT),
                    "RAY_AUTH_MODE": "token",
                    "RAY_USAGE_STATS_ENABLED": "0",
                    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
                    # A lost node is noticed in seconds, a busy one is given time
                    "RAY_health_check_period_ms": "1000",
                    "RAY_health_check_timeout_ms": "20000",
                    "RAY_health_check_failure_threshold": "3",
                    # No interpreters that nobody asked for on two cores
                    "RAY_enable_worker_prestart": "0",
                    # What other tests eat is no fault of these trials
                    "RAY_memory_monitor_refresh_ms": "0",
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            return stack.enter_context(
                process
            )  # its end closes stdin, which ends the cluster, and waits

        yield begin


def address_of(cluster: "subprocess.Popen[str]") -> str:
    assert cluster.stdout is not None
    address = cluster.stdout.readline().strip()
    assert address, "the cluster did not start; its errors are above"
    return address


def early_in_a_trial(out: Path) -> int:
    """The process of a trial that has begun and is far from its end, as soon as there is one."""
    early: list[Path] = []

    def begun() -> bool:
        early[:] = [path for path in out.glob("toy/trials/*") if 3 <= steps_of(path) <= 6]
        return bool(early)

    wait_for(begun)
    return int(trial_file.read(early[0])["attempts"][-1]["pid"])


def test_a_node_lost_in_the_middle_costs_no_trial(
    tmp_path: Path, quiet: pd.DataFrame, cluster: Start
) -> None:
    nodes = cluster({"num_cpus": 0}, {"num_cpus": 1}, {"num_cpus": 1})
    process = start(tmp_path / "out", 0.4, workers=2, address=address_of(nodes))
    assert nodes.stdin is not None
    nodes.stdin.write(f"kill {early_in_a_trial(tmp_path / 'out')}\n")
    nodes.stdin.flush()
    finish(process)
    equal(tmp_path / "out", quiet)
    attempts = [
        len(trial_file.read(path)["attempts"]) for path in (tmp_path / "out").glob("toy/trials/*")
    ]
    assert max(attempts) > 1, "no trial was running on the lost node"


def test_nodes_bound_a_trial_and_shares_of_gpus_bound_the_trials_at_once(
    tmp_path: Path, cluster: Start
) -> None:
    """What no single node has is refused. One pretended GPU in halves holds at most two trials,
    whatever the CPUs; they are told to use it."""
    nodes = cluster({"num_cpus": 1}, {"num_cpus": 3, "num_gpus": 1})
    address = address_of(nodes)
    refused = start(tmp_path / "refused", workers=1, cpus_per_trial=4, address=address)
    assert "4 CPUs per trial: the largest node of the cluster has 3" in finish(refused, 1)

    finish(start(tmp_path, 0.2, workers=None, gpus_per_trial=0.5, address=address))
    documents = [trial_file.read(path) for path in tmp_path.glob("toy/trials/*")]
    assert [document["status"] for document in documents] == ["finished"] * 4
    assert {document["device"] for document in documents} == {"cuda"}
    spans = [
        (document["attempts"][0]["started"], document["attempts"][0]["ended"])
        for document in documents
    ]
    # Three would fit the CPUs; how soon the second worker starts depends on the machine.
    assert max(sum(a <= begun < b for a, b in spans) for begun, _ in spans) <= 2


def test_a_cluster_that_goes_away_loses_nothing(
    tmp_path: Path, quiet: pd.DataFrame, cluster: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line and exit 3; the same command on this machine ends with the tables of a quiet run."""
    monkeypatch.setenv(
        "RAY_gcs_rpc_server_reconnect_timeout_s", "5"
    )  # the driver's own patience is a minute
    nodes = cluster({"num_cpus": 2})
    process = start(tmp_path / "out", address=address_of(nodes))
    wait_for(lambda: steps(tmp_path / "out") > 8)
    assert nodes.stdin is not None
    nodes.stdin.close()
    nodes.wait()
    assert "is gone; what it had finished is kept" in finish(process, 3)
    finish(start(tmp_path / "out", sleep_s=0.0, workers=0))
    equal(tmp_path / "out", quiet)
