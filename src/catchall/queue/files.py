"""The few things that the log asks of files: the one seam where tests put failing or recording files in."""

import os
from pathlib import Path


class Files:
    """The real thing. All paths absolute; all sizes and offsets in bytes."""

    def open_new(self, path: Path) -> int:
        """Open a file for writing, made anew."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def open_existing(self, path: Path) -> int:
        """Open a file for writing."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write all of `data`. Raises OSError with part of it written."""
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, offset)
            view = view[written:]
            offset += written

    def sync(self, descriptor: int) -> None:
        """Make a file's data durable. Raises OSError; what was not synced then may be lost silently."""
        os.fdatasync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut a file."""
        os.ftruncate(descriptor, size)

    def close(self, descriptor: int) -> None:
        """Close a file."""
        os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name, replacing what had it."""
        os.rename(old, new)

    def unlink(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, folder: Path) -> int:
        """Free disk for this user where `folder` lies."""
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize


def write_whole(files: Files, path: Path, data: bytes) -> None:
    """Make a file that is there whole or not at all, durably."""
    partial = path.with_name(path.name + ".partial")
    descriptor = files.open_new(partial)
    try:
        files.write_at(descriptor, data, 0)
        files.sync(descriptor)
    finally:
        files.close(descriptor)
    files.rename(partial, path)
    files.sync_folder(path.parent)
