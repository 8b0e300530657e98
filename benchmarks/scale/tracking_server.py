"""An MLflow server with a PostgreSQL database, and a user who must give a password."""

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

USER = "researcher"
PORT = 5000


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None if it isn't installed."""
    named = shutil.which("initdb")
    folders = [Path(named).resolve().parent] if named else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wanted = ("initdb", "postgres", "createdb")
    return next((at for at in folders if all((at / name).exists() for name in wanted)), None)


class TrackingServer:
    """A server that can be killed and started again.

    Args:
        folder: folder for the database, the artifacts, and the logs.
        host: address to listen on.
        packages: folder with the packages `psycopg2` and `flask_wtf`, unless they are installed.
        remember_s: how long the server remembers a password that it has checked, in seconds; with
            0, it computes a slow hash of the password for every request.

    Attributes:
        address: where the server answers.
        login: environment variables with the user's name and password.
    """

    def __init__(self, folder: Path, host: str, packages: Path | None, remember_s: int) -> None:
        self.folder, self.host = folder, host
        self.address = f"http://{host}:{PORT}"
        self._database, self._admin = secrets.token_hex(8), secrets.token_hex(8)
        self.login = {
            "MLFLOW_TRACKING_USERNAME": USER,
            "MLFLOW_TRACKING_PASSWORD": secrets.token_hex(8),
        }
        settings = folder / "auth.ini"
        settings.write_text(
            "[mlflow]\ndefault_permission = READ\nadmin_username = admin\n"
            f"admin_password = {self._admin}\ndatabase_uri = {self._store('auth')}\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
            f"auth_cache_ttl_seconds = {remember_s}\n"
        )
        self._env = {
            **os.environ,
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
            "MLFLOW_BACKEND_STORE_URI": self._store("mlflow"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        if packages is not None:
            self._env["PYTHONPATH"] = str(packages)
        self.process: subprocess.Popen[bytes] | None = None

    def _store(self, database: str) -> str:
        return f"postgresql+psycopg2://mlflow:{self._database}@127.0.0.1:5432/{database}"

    @contextlib.contextmanager
    def running(self) -> Iterator["TrackingServer"]:
        """Run PostgreSQL and the server."""
        found = programs()
        assert found is not None, "PostgreSQL isn't installed"
        data = self.folder / "postgresql"
        data.mkdir()
        # PostgreSQL refuses to run as root
        shutil.chown(data, "nobody")
        as_nobody = ("setpriv", "--reuid=nobody", "--clear-groups")
        password = data / "password"
        password.write_text(self._database)
        shutil.chown(password, "nobody")
        initdb = (*as_nobody, str(found / "initdb"), "-D", str(data / "data"), "-U", "mlflow")
        options = ("--auth=scram-sha-256", f"--pwfile={password}", "--no-sync")
        with (self.folder / "postgresql.log").open("wb") as log:
            subprocess.run((*initdb, *options), check=True, stdout=log, stderr=log)
            database = subprocess.Popen(
                (*as_nobody, str(found / "postgres"), "-D", str(data / "data"), "-k", str(data)),
                stdout=log,
                stderr=log,
            )
        try:
            env = {**os.environ, "PGPASSWORD": self._database}
            for name in ("mlflow", "auth"):
                words = (str(found / "createdb"), "-h", "127.0.0.1", "-U", "mlflow", name)
                while subprocess.run(words, env=env, stderr=subprocess.DEVNULL).returncode:
                    assert database.poll() is None, "PostgreSQL has ended"
                    time.sleep(0.2)
            self.start()
            self._make_user()
            yield self
        finally:
            self.kill()
            database.send_signal(signal.SIGINT)
            database.wait()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        words = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"]
        words += ["--host", self.host, "--port", str(PORT), "--workers", "1"]
        words += ["--artifacts-destination", str(self.folder / "artifacts")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                words,
                env=self._env,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not _answers(self.address):
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill all processes of the server."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _make_user(self) -> None:
        """Make the user of the study, who is no administrator."""
        user = {"username": USER, "password": self.login["MLFLOW_TRACKING_PASSWORD"]}
        request = urllib.request.Request(
            f"{self.address}/api/2.0/mlflow/users/create", json.dumps(user).encode()
        )
        login = base64.b64encode(f"admin:{self._admin}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request, timeout=30).close()


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process's environment, and restore the environment at the end."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
