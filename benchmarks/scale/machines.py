"""Pretended machines: network namespaces, each with its own processes, name, and temporary folder.

Every two machines have a link of their own, which can be cut without either of them noticing. All
of it is in the namespaces of the calling process, and ends with that process.
"""

import itertools
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

NETWORK = "10.77.0"
OUTSIDE, INSIDE = "10.77.1.1", "10.77.1.2"
"""Addresses of this process and of the first machine on the link between the two."""


def alone(words: Sequence[str]) -> list[str]:
    """Return a command that runs in namespaces of its own, and takes all its processes along."""
    own = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    return ["unshare", *own, *words]


class Machines:
    """Machines numbered from 1, with the addresses `10.77.0.1` and so on.

    Args:
        count: number of machines.
        scratch: folder that is empty, and another one, on each machine.
    """

    def __init__(self, count: int, scratch: Path) -> None:
        self.scratch = scratch
        self.first: dict[int, int] = {}
        """Machine -> its first process, as seen from here."""
        _do("ip link set lo up")
        for number in range(1, count + 1):
            self._start(number)
        for pair in itertools.combinations(range(1, count + 1), 2):
            self._link(*pair)
        _do(f"ip link add outer type veth peer name outside netns {self.first[1]}")
        _do(f"ip addr add {OUTSIDE}/30 dev outer", "ip link set outer up")
        self._on(1, f"ip addr add {INSIDE}/30 dev outside", "ip link set outside up")

    @staticmethod
    def address(number: int) -> str:
        """Return the address of a machine."""
        return f"{NETWORK}.{number}"

    def command(self, number: int, words: Sequence[str]) -> list[str]:
        """Return a command that runs on a machine."""
        enter = ("nsenter", "-t", str(self.first[number]), "--net", "--uts", "--pid", "--mount")
        return [*enter, *words]

    def lose(self, number: int) -> None:
        """Take a machine away without a farewell, as a power cut would."""
        for link in self._links(number):
            _do(f"ip link set {link} down")
        psutil.Process(self.first[number]).kill()

    def cut(self, a: int, b: int) -> None:
        """Cut the link between two machines: both continue to send, and nothing arrives."""
        _do(f"ip link set {self._name(a, b)} down")

    def mend(self, a: int, b: int) -> None:
        """Restore a link that was cut."""
        _do(f"ip link set {self._name(a, b)} up")

    def _start(self, number: int) -> None:
        """Start a machine, whose first process adopts orphans and waits for them."""
        script = (
            f"hostname machine{number}; mount -t tmpfs none {self.scratch}; "
            "ip link set lo up; while :; do sleep 1; done"
        )
        own = ("--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
        process = psutil.Popen(("unshare", *own, "sh", "-c", script))
        while not (children := process.children()) or children[0].name() != "sh":
            time.sleep(0.05)
        self.first[number] = children[0].pid
        self._on(number, f"ip addr add {self.address(number)}/32 dev lo")

    def _link(self, a: int, b: int) -> None:
        """Link two machines by a bridge, since cutting it takes no machine's own device away."""
        bridge = self._name(a, b)
        _do(f"ip link add {bridge} type bridge", f"ip link set {bridge} up")
        for one, other in ((a, b), (b, a)):
            port, pid = f"port{one}{other}", self.first[one]
            _do(f"ip link add {port} type veth peer name to{other} netns {pid}")
            _do(f"ip link set {port} master {bridge} up")
            route = f"ip route add {self.address(other)} dev to{other} src {self.address(one)}"
            self._on(one, f"ip link set to{other} up", route)

    @staticmethod
    def _name(a: int, b: int) -> str:
        return f"link{min(a, b)}{max(a, b)}"

    def _links(self, number: int) -> list[str]:
        return [self._name(number, other) for other in self.first if other != number]

    def _on(self, number: int, *commands: str) -> None:
        for command in commands:
            subprocess.run(self.command(number, command.split()), check=True)


def _do(*commands: str) -> None:
    for command in commands:
        subprocess.run(command.split(), check=True)


def possible() -> str | None:
    """Return why this machine can't pretend to be several, or None."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    tried = subprocess.run(
        alone(("ip", "link", "add", "try", "type", "bridge")), capture_output=True, text=True
    )
    return tried.stderr.strip() or None if tried.returncode else None
