"""Attachments as files: DIR/blobs/<name>."""

import os
import shutil
from pathlib import Path

from catchall.core.errors import StoreError

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._/")


class FileBlobs:
    """`Blobs` in a folder. Names are made by us: lower-case letters, digits, "-._" and "/" between parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        """Write whole and durable; the same name again is replaced. Raises StoreError when the disk fails."""
        path = self._path(name)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            self._make(path.parent)
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            _sync(path.parent)
        except OSError as error:
            raise StoreError(f"the attachment {name} cannot be written: {error}") from error

    def get(self, name: str) -> bytes | None:
        """The bytes of a name; None when there are none."""
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            return None

    def delete_prefix(self, prefix: str) -> int:
        """Forget a name, or all below it. Returns the bytes freed."""
        path = self._path(prefix)
        if path.is_file():
            size = path.stat().st_size
            path.unlink(missing_ok=True)
            return size
        size = sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
        shutil.rmtree(path, ignore_errors=True)
        return size

    def _make(self, folder: Path) -> None:
        """Make a folder and those above it, each durable in its parent."""
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync(folder.parent)

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if not _LETTERS.issuperset(name) or any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"{name!r} names no blob")
        return self._folder.joinpath(*parts)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
