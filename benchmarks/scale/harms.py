"""A study on three pretended machines that lose one, a link, and the MLflow server on their way."""

import secrets
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from benchmarks.scale.machines import Machines
from benchmarks.scale.study import NAME, PROGRAM, environment
from benchmarks.scale.tracking_server import TrackingServer
from benchmarks.scale.watch import Watch

CUT_S, AWAY_S = 60.0, 20.0
"""Seconds for which a link is cut, and between the end of the server and its next start."""

TRIES = 5
"""How often a node is started: Ray gives up after a minute, which a busy machine may take."""

RAY = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    # No interpreters that nobody asked for
    "RAY_enable_worker_prestart": "0",
    # Trials must not be killed for memory that other programs of this machine use
    "RAY_memory_monitor_refresh_ms": "0",
}


class Cluster:
    """A Ray cluster with one node per machine, whose head is on the first one.

    Args:
        machines: the machines.
        server: the MLflow server, which the first machine reaches.
    """

    def __init__(self, machines: Machines, server: TrackingServer) -> None:
        self.machines = machines
        self.head = f"{machines.address(1)}:6379"
        self._env = environment(
            {**RAY, **server.login, "TMPDIR": str(machines.scratch)}
            | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
        )
        for number in sorted(machines.first):
            self.start(number)

    def start(self, number: int) -> None:
        """Start the node of a machine, with room for one trial.

        Raises:
            RuntimeError: Ray doesn't start.
        """
        words = ["start", "--num-cpus=1", f"--object-store-memory={80 * 2**20}"]
        words += [f"--node-ip-address={self.machines.address(number)}", "--disable-usage-stats"]
        words += [f"--temp-dir={self.machines.scratch}/ray"]
        words += ["--head", "--port=6379", "--include-dashboard=false"] if number == 1 else []
        words += [f"--address={self.head}"] if number != 1 else []
        for _ in range(TRIES):
            done = self._ray(number, words)
            if done.returncode == 0:
                return
            self._ray(number, ["stop", "--force"])
        raise RuntimeError(f"ray {shlex.join(words)}: {done.stdout}")

    def _ray(self, number: int, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run a command of Ray on a machine."""
        program = str(Path(PROGRAM).with_name("ray"))
        return subprocess.run(
            self.machines.command(number, [program, *words]),
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def runs(self, number: int) -> bool:
        """Return whether Ray runs on a machine."""
        try:
            processes = psutil.Process(self.machines.first[number]).children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        return any(process.name() == "raylet" for process in processes)

    def begin(self, file: Path, out: Path, address: str) -> "subprocess.Popen[bytes]":
        """Begin the study on the first machine.

        Args:
            file: the study file.
            out: folder for the study.
            address: MLflow's address.
        """
        words = [PROGRAM, "run", str(file), "--out", str(out), "--address", self.head]
        words += ["--tracking-uri", address, "--max-retries", "5", "-q"]
        return subprocess.Popen(self.machines.command(1, words), env=self._env)


def harmed(
    file: Path,
    out: Path,
    cluster: Cluster,
    server: TrackingServer,
    trials: int,
    say: Callable[[str], None],
) -> tuple[int, Watch]:
    """Run the study, and harm it after a fifth, two fifths, and seven tenths of its trials.

    Args:
        file: the study file.
        out: folder for the study.
        cluster: Ray's nodes.
        server: the MLflow server.
        trials: number of trials of the study.
        say: takes what happens.

    Returns:
        The exit code of the command, and what was seen meanwhile.
    """
    machines = cluster.machines
    process = cluster.begin(file, out, server.address)
    watch = Watch(out / NAME)
    watch.start()

    def reached(share: float) -> bool:
        """Wait until this share of the trials has finished; False if the command has ended."""
        while process.poll() is None and watch.finished < share * trials:
            time.sleep(0.5)
        say(f"{watch.finished} of {trials} trials after {watch.seconds:.0f} s")
        return process.poll() is None

    last = max(machines.first)
    if last > 2 and reached(0.2):
        machines.lose(last)
        say(f"machine {last} is lost")
    if last > 1 and reached(0.4):
        machines.cut(1, 2)
        say(f"the link between machines 1 and 2 is cut for {CUT_S:.0f} s")
        time.sleep(CUT_S)
        machines.mend(1, 2)
        say(f"the link is whole again; {watch.finished} of {trials} trials")
        # A node that Ray gave up ends itself when it hears of it
        time.sleep(15.0)
        if not cluster.runs(2):
            cluster.start(2)
            say("Ray on machine 2 had ended, and was started again")
    if reached(0.7):
        server.kill()
        say("the MLflow server is killed")
        time.sleep(AWAY_S)
        server.start()
        say("the MLflow server answers again")
    code = process.wait()
    watch.end()
    return code, watch
