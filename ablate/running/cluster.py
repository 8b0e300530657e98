"""Which Ray cluster an option names, and whether one answers there.

This module does not import Ray, because that takes seconds, and because Ray itself would try for
many minutes before it reports a failure.
"""

import os
import re
import socket
import ssl
import time
from concurrent.futures import Future
from importlib import util
from pathlib import Path
from threading import Thread

from ablate.study.nouns import Infrastructure, StudyError

WAIT_S = 8.0
"""Seconds that a cluster has to answer."""

GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a client of gRPC, which Ray's servers speak, begins with: HTTP/2's preface and settings."""

HEAD = 9
"""Bytes of the head of an HTTP/2 frame: three for its length, its type, flags, and its stream."""

CLIENT = "ray://"
"""What the address of a server for Ray clients begins with."""


def cluster_address(given: str) -> str:
    """Return the address of the Ray cluster that an option names.

    Args:
        given: `host:port`, `ray://host:port`, or `auto`: the cluster that this machine joined last
            with `ray start`. Ray itself would take any of its processes for a cluster, also those
            of another study.

    Raises:
        StudyError: the address has another form, or needs a package that isn't installed.
        Infrastructure: no cluster answers there.
    """
    address = given
    if given == "auto":
        try:
            # Ray's own note, which `ray stop` removes
            address = (_ray_folder() / "ray_current_cluster").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise StudyError(
                "--address auto: no Ray cluster was started on this machine with ray start"
            ) from None
    host, port = _host_and_port(address)
    if not host or not 0 < port < 2**16:
        raise StudyError(f"--address {given}: must be host:port, ray://host:port, or auto")
    if address.startswith(CLIENT) and util.find_spec("grpc") is None:
        raise StudyError(
            f"--address {given}: {CLIENT} needs the package grpcio; install it, or use host:port"
        )
    if problem := cluster_problem(address):
        raise Infrastructure(f"--address {given}: no Ray cluster answers there: {problem}")
    return address


def cluster_problem(address: str, wait_s: float = WAIT_S) -> str | None:
    """Return None if a server that speaks Ray's protocol answers, else what happens instead.

    Args:
        address: `host:port` or `ray://host:port`.
        wait_s: how long to wait, in seconds, also for the name of the host.
    """
    answer: Future[str | None] = Future()

    def ask() -> None:
        try:
            answer.set_result(_greet(*_host_and_port(address), wait_s))
        except BaseException as error:
            answer.set_exception(error)

    # A look-up of a name takes no time limit, so a thread may have to be left behind
    Thread(target=ask, daemon=True).start()
    try:
        return answer.result(wait_s)
    except TimeoutError:
        return f"no answer within {wait_s:g} s"
    except (OSError, ValueError) as error:
        # A name that no server can have is a UnicodeError
        return getattr(error, "strerror", None) or "there is no such host"


def _greet(host: str, port: int, wait_s: float) -> str | None:
    """Greet a server as Ray does; return what is wrong with its answer, or None.

    Raises:
        OSError: there is no connection, or no answer in time.
        ValueError: the name of the host isn't one.
    """
    deadline = time.monotonic() + wait_s
    with (
        socket.create_connection((host, port), timeout=wait_s) as plain,
        _encrypted(plain) if _uses_tls() else plain as connection,
    ):
        connection.sendall(GREETING)
        received = b""
        while len(received) < HEAD:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            part = connection.recv(HEAD - len(received))
            if not part:
                break
            received += part
    # Servers of HTTP/2 begin with a frame of type 4, their settings, on stream 0
    is_settings = len(received) == HEAD and received[3] == 4 and not any(received[5:])
    return None if is_settings else "the server there isn't Ray's"


def _uses_tls() -> bool:
    """Return whether the user's settings make Ray encrypt its connections."""
    return os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true")


def _encrypted(connection: socket.socket) -> ssl.SSLSocket:
    """Return a connection with TLS, with the certificates that the user's settings name.

    Whether the server's certificate can be trusted is left to Ray: nothing secret is sent here.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    certificate, key = (os.environ.get(f"RAY_TLS_SERVER_{it}") for it in ("CERT", "KEY"))
    if certificate and key:
        context.load_cert_chain(certificate, key)
    return context.wrap_socket(connection)


def _host_and_port(address: str) -> tuple[str, int]:
    """Return the host and the port of a cluster; both are empty or 0 if the form is another one."""
    match = re.fullmatch(r"(?:ray://)?(\[[\da-fA-F:.]+\]|[^\s:/@\[\]]+):([0-9]{1,5})", address)
    return (match[1].strip("[]"), int(match[2])) if match else ("", 0)


def _ray_folder() -> Path:
    """Return the folder in which Ray notes what `ray start` did on this machine."""
    return Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp") / "ray"
