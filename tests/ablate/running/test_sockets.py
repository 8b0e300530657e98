"""Nothing that a run starts can be reached from another machine: the listening sockets of all its
processes."""

from pathlib import Path

import psutil
import pytest

from tests.ablate.running.toy_runs import finish, start, steps, wait_for

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


@pytest.mark.slow
def test_ray_and_tracking_listen_on_loopback_only(tmp_path: Path) -> None:
    process = start(tmp_path, tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    wait_for(lambda: steps(tmp_path) > 8)
    listening = {}
    for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        try:
            for socket in one.net_connections("inet"):
                if socket.status == psutil.CONN_LISTEN:
                    listening[socket.laddr] = one.name()
        except psutil.Error:
            continue
    finish(process)
    assert len(listening) > 3, "Ray's own ports were not seen"
    assert not {address: name for address, name in listening.items() if address.ip not in LOOPBACK}
