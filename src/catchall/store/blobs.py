"""Blobs as files: DIR/blobs/<name>. Whole or not there, durable before `put` returns."""

import os
import shutil
from pathlib import Path

from catchall.core.errors import StoreError
from catchall.core.limits import BLOB_NAME_CHARS_MAX

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_PART = ".part"  # begins with a dot besides: no name does


class FileBlobs:
    """`Blobs` in a folder, which is made with the first blob."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        """Write whole and durable. Raises StoreError for a name that is none or a failing disk."""
        path = self._path(name)
        part = path.with_name(f".{path.name}.{os.getpid()}{_PART}")
        try:
            self._make_folders(path.parent)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            _sync(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(f"cannot write the blob {path}: {error}") from error

    def get(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such blob. Raises StoreError as `put` does."""
        path = self._path(name)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"cannot read the blob {path}: {error}") from error

    def delete_prefix(self, prefix: str) -> int:
        """Forget the blob of this name and all below it, as of a folder. Returns the bytes freed."""
        path = self._path(prefix.removesuffix("/"))
        try:
            if path.is_dir():
                freed = sum(found.stat().st_size for found in path.rglob("*") if found.is_file())
                shutil.rmtree(path)
            elif path.is_file():
                freed = path.stat().st_size
                path.unlink()
            else:
                return 0
            _sync(path.parent)
        except OSError as error:
            raise StoreError(f"cannot remove the blobs below {path}: {error}") from error
        return freed

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if len(name) > BLOB_NAME_CHARS_MAX or not all(map(_is_part, parts)):
            raise StoreError(f"{name[:BLOB_NAME_CHARS_MAX]!r} is no name of a blob: a-z, 0-9, -._ between slashes")
        return self._folder.joinpath(*parts)

    def _make_folders(self, folder: Path) -> None:
        """Make a folder and what is missing above it, each durable in the one above."""
        if folder.is_dir():
            return
        self._make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)


def _is_part(part: str) -> bool:
    """No empty part, no hidden file, nothing that leads up."""
    return bool(part) and not part.startswith(".") and _NAME_CHARACTERS.issuperset(part)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
