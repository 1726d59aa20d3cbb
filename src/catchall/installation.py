"""The folder of an installation: where everything lies, and the secret that belongs to it."""

import fcntl
import os
import secrets
from pathlib import Path

from catchall.core.errors import ConfigError

KEY_BYTES = 32


class Installation:
    """Paths below one data folder. Nothing is opened until it is asked for."""

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self.log = self.data / "log"
        self.spool = self.data / "spool"
        self.run = self.data / "run"
        self.key_file = self.data / "installation.key"
        self.hot = self.data / "hot.db"
        self.web_socket = self.run / "web.sock"
        self.commit_lock = self.run / "commit.lock"
        self.status_file = self.run / "status.json"
        self.supervisor_lock = self.run / "supervisor.lock"

    def exists(self) -> bool:
        """Was this folder set up by catchall?"""
        return self.key_file.exists()

    def create(self) -> None:
        """Make the folder and its secret, durably; harmless when they are there."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.log, self.spool, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not self.key_file.exists():
            self._write_key(secrets.token_bytes(KEY_BYTES))

    def _write_key(self, key: bytes) -> None:
        partial = self.key_file.with_suffix(".partial")
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.key_file)
        folder = os.open(self.data, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def in_hand(self, index: int, count: int) -> Path:
        """The note of worker `index` of `count`; with another count its offsets would mean other records."""
        return self.run / f"worker-{index}-of-{count}.json"

    def require(self) -> None:
        """Raises ConfigError when there is no installation here."""
        if not self.exists():
            raise ConfigError(
                f"there is no catchall installation in {self.data}: start one with `catchall --data {self.data} run`, "
                "or name the folder of yours with --data or CATCHALL_DATA"
            )

    def key(self) -> bytes:
        """The installation's secret: hashes users and ids, signs what people.db holds. Raises ConfigError."""
        try:
            key = bytes.fromhex(self.key_file.read_text().strip())
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.key_file} cannot be read: {error}; restore it from a backup") from error
        if len(key) < KEY_BYTES:
            raise ConfigError(f"{self.key_file} is too short; restore it from a backup")
        return key

    def lock_supervisor(self) -> int:
        """Be the only supervisor of this folder as long as this process lives. Raises ConfigError for a second one."""
        lock = os.open(self.supervisor_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ConfigError(f"catchall already runs on {self.data}: stop it first, or use another --data") from None
        return lock
