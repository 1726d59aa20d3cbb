"""One lane's folder: the log's UUID and its segments in order."""

import os
import secrets
from pathlib import Path

from catchall.core.errors import StoreError
from catchall.queue.base import Lane
from catchall.queue.files import Files, write_whole
from catchall.queue.segment_format import SUFFIX, segment_name

UUID_BYTES = 16
UUID_FILE = "uuid"


def lane_folder(root: Path, lane: Lane) -> Path:
    """Where a lane's log lies."""
    return root / lane.name.lower()


def make_uuid(files: Files, folder: Path) -> bytes:
    """The UUID of the log in a folder, made with it. Raises StoreError for segments whose UUID is gone."""
    path = folder / UUID_FILE
    if not path.exists():
        if bases(folder):
            raise StoreError(f"{folder} holds segments but no {UUID_FILE}: restore it, or move the folder away")
        write_whole(files, path, secrets.token_hex(UUID_BYTES).encode() + b"\n")
    return read_uuid(folder)


def read_uuid(folder: Path) -> bytes:
    """The UUID of the log in a folder. Raises StoreError when it is none, FileNotFoundError when none is there."""
    text = (folder / UUID_FILE).read_text()
    try:
        uuid = bytes.fromhex(text.strip())
    except ValueError:
        uuid = b""
    if len(uuid) != UUID_BYTES:
        raise StoreError(f"{folder / UUID_FILE} holds no UUID: restore it, or move the folder away")
    return uuid


def bases(folder: Path) -> list[int]:
    """Where the segments of a folder begin, ascending."""
    names = (name for name in os.listdir(folder) if name.endswith(SUFFIX))
    return sorted(int(name[: -len(SUFFIX)]) for name in names if name[: -len(SUFFIX)].isdigit())


def segment_path(folder: Path, base: int) -> Path:
    """The file of the segment that begins at an offset."""
    return folder / segment_name(base)
