"""A catchall of our own on loopback, with fresh data: started, measured, drained, stopped."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

from bench.processes import BESIDE

CATCHALL = Path(sys.executable).with_name("catchall")
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 40.0


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One installation in a folder of its own. `folder`: where; a temporary one, removed at the end, when left out.

    `launcher`: the program and its first arguments, before the command's own.
    """

    def __init__(
        self,
        folder: Path | None = None,
        environ: dict[str, str] | None = None,
        launcher: Sequence[str | Path] = (CATCHALL,),
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="catchall-", dir=BESIDE))
        self.data = self.folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {**os.environ, "CATCHALL_BIND": f"127.0.0.1:{self.port}", **(environ or {})}
        self.launcher = tuple(launcher)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *arguments: str) -> float:
        """Start all roles; returns the seconds until intake answers."""
        began = time.perf_counter()
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.launcher, "--data", self.data, "run", *arguments], env=self.environ, stdout=log, stderr=log
            )
        self.wait_for("/healthz")
        return time.perf_counter() - began

    def wait_for(self, path: str, seconds: float = START_SECONDS_MAX) -> None:
        """Wait until a path answers with 200."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urlopen(self.url + path, timeout=1) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise RuntimeError(f"catchall does not answer on {path}:\n{self.own_log()[-4000:]}")
            time.sleep(0.02)

    def own_log(self) -> str:
        """What it printed."""
        path = self.folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """Ask it to finish; end it when it does not."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def command(self, *arguments: str, check: bool = True) -> bytes:
        """Run a catchall command on this installation; its output."""
        done = subprocess.run(
            [*self.launcher, "--data", self.data, *arguments],
            env=self.environ,
            check=False,
            capture_output=True,
            timeout=180,
        )
        if check and done.returncode:
            raise RuntimeError(f"catchall {' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def create_project(self, name: str) -> dict[str, Any]:
        """A project's id, key and DSN."""
        made: dict[str, Any] = json.loads(self.command("project", "create", name, "--json"))
        made["dsn"] = f"http://{made['key']}@127.0.0.1:{self.port}/{made['id']}"
        return made

    def ledger(self) -> dict[str, Any]:
        """The ledger as `catchall ledger --json` prints it."""
        found: dict[str, Any] = json.loads(self.command("ledger", "--json", check=False))
        return found

    def drain(self, seconds: float = 120.0) -> None:
        """Wait until nothing waits in the log."""
        self.command("drain", "--timeout", str(seconds))

    def roles(self) -> dict[str, int]:
        """Process ids by role, the supervisor's too."""
        found = json.loads((self.data / "run" / "status.json").read_bytes())
        return {"supervisor": found["supervisor"], **found["roles"]}

    def live_roles(self) -> dict[str, int]:
        """Roles that run now, with their processes; without the supervisor."""
        return {name: pid for name, pid in self.roles().items() if pid and name != "supervisor"}
