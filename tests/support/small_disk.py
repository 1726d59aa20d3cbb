"""A real disk of a few megabytes, for tests that fill it: a tmpfs that only chosen programs see."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

MEBIBYTE = 1 << 20
MOUNT = 'mount -t tmpfs -o size="$2",mode=700 tmpfs "$1" && echo mounted && exec cat'
WAYS = (("--mount",), ("--mount", "--user", "--map-root-user"))
"""Root may mount as it is. Others may in a user namespace of their own, where the machine allows that."""


class SmallDisk:
    """A tmpfs at `folder`, in a mount namespace of its own: it goes when this object is closed, whatever happens.

    Programs see it when they are started through `entry`. This process sees it at `seen`, for plain reading and
    writing (SQLite would follow that path out of the namespace). Without the right to mount the test is skipped, and
    fails on CI.
    """

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir()
        self.folder = folder
        said = ""
        for way in WAYS:
            self._holder = subprocess.Popen(
                ["unshare", *way, "sh", "-c", MOUNT, "sh", folder, str(size)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert self._holder.stdout is not None
            if self._holder.stdout.readline() == "mounted\n":
                break
            said += self._holder.communicate()[1]
        else:
            pytest.skip(f"no small disk: neither root nor a user namespace may mount one here ({said.strip()})")
        pid = self._holder.pid
        user = ("--user", "--preserve-credentials") if "--user" in way else ()
        self.entry: tuple[str, ...] = ("nsenter", "--target", str(pid), "--mount", *user, "--")
        self.seen = Path(f"/proc/{pid}/root") / folder.relative_to("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.communicate()  # its standard input ends, and so does it

    def free(self) -> int:
        """Bytes that are free."""
        found = os.statvfs(self.seen)
        return found.f_bavail * found.f_frsize

    def leave(self, free: int) -> None:
        """Fill it up but for so many bytes."""
        with (self.seen / "ballast").open("ab") as file:
            while (rest := self.free() - free) > 0:
                with suppress(OSError):  # somebody else was quicker: look again
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, rest)

    def clear(self) -> None:
        """Make room again."""
        (self.seen / "ballast").unlink()
