"""What a program asked of its files, in order, as the kernel saw it (https://strace.io).

SQLite writes from C, so that only the kernel sees everything. What goes through memory maps is not seen: the -shm files
and the log's published ends, which no start after a power cut reads.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

CALLS = "openat,write,pwrite64,ftruncate,lseek,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync"
STRING_BYTES_MAX = 4_000_000
PROGRAM_SECONDS_MAX = 120
ACKED = b"acked "


class Write(NamedTuple):
    """Bytes at an offset of a file."""

    file: int
    offset: int
    data: bytes


class Cut(NamedTuple):
    """A file cut, or grown, to a size."""

    file: int
    size: int


class Sync(NamedTuple):
    """What was written to a file is durable from here on."""

    file: int


class Name(NamedTuple):
    """A name in a folder: given to a file (`file`), to a new folder (-1), or taken away (None)."""

    folder: str
    name: str
    file: int | None


class Rename(NamedTuple):
    """A file's name within its folder changed, in one piece."""

    folder: str
    old: str
    new: str


class SyncFolder(NamedTuple):
    """The names in a folder are durable from here on."""

    folder: str


class Acked(NamedTuple):
    """A sender has its answer for this event."""

    event_id: str


Operation = Write | Cut | Sync | Name | Rename | SyncFolder | Acked
NEW_FOLDER = -1

_CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)$")
_RESULT = re.compile(r"\) += (-?\d+)(?:<([^>]*)>)?.*$")


class Disk(NamedTuple):
    """Files by path, and folders. A recording numbers the files that it begins with in their order."""

    files: dict[str, bytes]
    folders: set[str]


def disk_of(root: Path) -> Disk:
    """What lies below a folder."""
    found = {str(path.relative_to(root)): path for path in sorted(root.rglob("*"))}
    files = {name: path.read_bytes() for name, path in found.items() if path.is_file() and not _unseen(name)}
    return Disk(files, {name for name, path in found.items() if path.is_dir()})


def record(command: Sequence[str | Path], root: Path, trace: Path) -> tuple[Disk, list[Operation]]:
    """Run a program to its end: what lay below `root` before, and what it did to it."""
    before = disk_of(root)
    options: list[str | Path] = ["-f", "-y", "-xx", "-s", str(STRING_BYTES_MAX), "-e", f"trace={CALLS}", "-o", trace]
    done = subprocess.run(
        ["strace", *options, *command], check=False, capture_output=True, timeout=PROGRAM_SECONDS_MAX, env=os.environ
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    reader = _Reader(root, list(before.files))
    return before, [operation for line in _whole_calls(trace) for operation in reader.read(*line)]


def _whole_calls(trace: Path) -> Iterator[tuple[str, str, int, str]]:
    """Name, arguments, result and the result's path of each call that succeeded, in the order in which they ended."""
    begun: dict[str, str] = {}
    with trace.open() as lines:
        for line in lines:
            found = _CALL.match(line.rstrip("\n"))
            if found is None:
                continue
            thread, call, rest = found.groups()
            if rest.endswith("<unfinished ...>"):
                begun[thread] = rest.removesuffix("<unfinished ...>").rstrip()
                continue
            if "resumed>" in line[: found.start(3)]:
                rest = begun.pop(thread, "") + rest
            result = _RESULT.search(rest)
            if result is not None and int(result[1]) >= 0:
                yield call, rest[: result.start()], int(result[1]), _text(result[2] or "")


def _text(hexed: str) -> str:
    return _bytes(hexed).decode() if "\\x" in hexed else hexed


def _bytes(hexed: str) -> bytes:
    return bytes.fromhex(hexed.replace("\\x", ""))


class _Reader:
    """Makes operations of calls. Knows which file each path means at the moment."""

    def __init__(self, root: Path, files: list[str]) -> None:
        self._root = f"{root}/"
        self._files = {path: number for number, path in enumerate(files)}
        self._next = len(files)
        self._positions: dict[str, int] = {}  # of descriptors that are written without an offset

    def read(self, call: str, arguments: str, result: int, opened: str) -> Iterator[Operation]:
        """The operations of one call."""
        parts = arguments.split(", ")
        if call == "openat":
            yield from self._open(parts, result, opened)
        elif call in ("write", "pwrite64", "ftruncate", "lseek", "fsync", "fdatasync"):
            yield from self._change(call, parts, result)
        elif call.startswith("rename"):
            old, new = [self._inside(_quoted(part)) for part in parts if '"' in part]
            if old is not None and new is not None and old in self._files:
                self._files[new] = self._files.pop(old)
                folder, _, name = new.rpartition("/")
                yield Rename(folder, old.rpartition("/")[2], name)
        elif call.startswith(("unlink", "mkdir")):
            path = self._inside(_quoted(next(part for part in parts if '"' in part)))
            if path is not None and not _unseen(path):
                folder, _, name = path.rpartition("/")
                if call.startswith("unlink"):
                    self._files.pop(path, None)
                yield Name(folder, name, None if call.startswith("unlink") else NEW_FOLDER)

    def _open(self, parts: list[str], descriptor: int, opened: str) -> Iterator[Operation]:
        self._positions[str(descriptor)] = 0
        path = self._inside(opened)
        if path is None or _unseen(path) or "O_DIRECTORY" in parts[2]:
            return
        if "O_CREAT" in parts[2] and path not in self._files:
            self._files[path] = self._next
            self._next += 1
            folder, _, name = path.rpartition("/")
            yield Name(folder, name, self._files[path])
        elif "O_TRUNC" in parts[2]:
            yield Cut(self._files[path], 0)

    def _change(self, call: str, parts: list[str], result: int) -> Iterator[Operation]:
        descriptor, _, place = parts[0].partition("<")
        if call == "lseek":
            self._positions[descriptor] = result
            return
        if call == "write" and descriptor == "1":
            yield from (Acked(line.removeprefix(ACKED).decode()) for line in _bytes(_quoted(parts[1])).splitlines())
            return
        path = self._inside(place[:-1]) if place.endswith(">") else None  # what follows says: deleted
        if path is not None and call.endswith("sync") and path not in self._files:
            yield SyncFolder(path)
        if path is None or path not in self._files:
            return
        file = self._files[path]
        if call.endswith("sync"):
            yield Sync(file)
        elif call == "ftruncate":
            yield Cut(file, int(parts[1]))
        else:
            at = int(parts[3]) if call == "pwrite64" else self._positions.get(descriptor, 0)
            self._positions[descriptor] = at + result
            yield Write(file, at, _bytes(_quoted(parts[1]))[:result])

    def _inside(self, path: str) -> str | None:
        """The path below the root, "" for the root itself; None for one elsewhere."""
        path = _text(path)
        if path + "/" == self._root:
            return ""
        return path.removeprefix(self._root) if path.startswith(self._root) else None


def _quoted(part: str) -> str:
    return part[part.index('"') + 1 : part.rindex('"')]


def _unseen(path: str) -> bool:
    return path.endswith("-shm")
