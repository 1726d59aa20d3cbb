"""What is on a disk after the power failed: what was synced, and of the rest whatever the disk got round to.

Two rules of POSIX decide: a file's bytes are safe after its fsync, a name after the fsync of its folder
(https://pubs.opengroup.org/onlinepubs/9699919799/functions/fsync.html). Within a folder names reach the disk in order.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.power.recording import NEW_FOLDER, Cut, Disk, Name, Operation, Rename, Sync, SyncFolder, Write

SECTOR_BYTES = 512

Luck = Callable[[int], int]
"""How many of so many unsynced changes, the first ones, reached the disk."""

LUCK: dict[str, tuple[bool, bool]] = {
    "nothing unsynced": (False, False),
    "names without bytes": (True, False),
    "bytes without names": (False, True),
    "all": (True, True),
}
"""Whether unsynced names and unsynced bytes reached the disk."""

CHANCE = "chance"  # some names, some bytes, some of these torn at a sector
CASES = (*LUCK, CHANCE)


def after_power_cut(before: Disk, operations: Sequence[Operation], case: str, seed: int) -> Disk:
    """What a start would find after these operations."""
    chance = random.Random(seed)
    names_kept, bytes_kept = LUCK.get(case, (True, True))
    found = _names(before, operations, lambda count: chance.randint(0, count) if case == CHANCE else count * names_kept)
    contents = _contents(before, operations, bytes_kept, chance if case == CHANCE else None)
    files = {path: contents.get(file, b"") for path, file in found.items() if file != NEW_FOLDER}
    return Disk(files, {path for path, file in found.items() if file == NEW_FOLDER})


def lay_out(disk: Disk, root: Path) -> None:
    """Write a disk below a folder."""
    for path in sorted(disk.folders):
        (root / path).mkdir(parents=True, exist_ok=True)
    for path, data in disk.files.items():
        (root / path).write_bytes(data)


def _names(before: Disk, operations: Sequence[Operation], luck: Luck) -> dict[str, int]:
    pending: dict[str, list[int]] = {}
    for index, operation in enumerate(operations):
        if isinstance(operation, SyncFolder):
            pending.pop(operation.folder, None)
        elif isinstance(operation, Name | Rename):
            pending.setdefault(operation.folder, []).append(index)
    lost = {index for indexes in pending.values() for index in indexes[luck(len(indexes)) :]}
    names = {path: number for number, path in enumerate(before.files)} | dict.fromkeys(before.folders, NEW_FOLDER)
    for index, operation in enumerate(operations):
        if index in lost or not isinstance(operation, Name | Rename):
            continue
        _apply(names, operation)
    return {path: file for path, file in names.items() if _is_reachable(path, names)}


def _apply(names: dict[str, int], operation: Name | Rename) -> None:
    start = f"{operation.folder}/" if operation.folder else ""
    if isinstance(operation, Rename):
        file = names.pop(start + operation.old, None)
        if file is not None:
            names[start + operation.new] = file
    elif operation.file is None:
        names.pop(start + operation.name, None)
    else:
        names[start + operation.name] = operation.file


def _is_reachable(path: str, names: dict[str, int]) -> bool:
    """A file in a folder whose own name was lost is lost with it."""
    folder = path.rpartition("/")[0]
    while folder:
        if folder not in names:
            return False
        folder = folder.rpartition("/")[0]
    return True


def _contents(
    before: Disk, operations: Sequence[Operation], keep: bool, chance: random.Random | None
) -> dict[int, bytes]:
    synced = {operation.file: index for index, operation in enumerate(operations) if isinstance(operation, Sync)}
    contents = {number: bytearray(data) for number, data in enumerate(before.files.values())}
    for index, operation in enumerate(operations):
        if not isinstance(operation, Write | Cut):
            continue
        content = contents.setdefault(operation.file, bytearray())
        safe = index < synced.get(operation.file, -1)
        if safe or (keep and (chance is None or chance.random() < 0.5)):
            _write(content, operation, torn=None if safe else chance)
    return {file: bytes(content) for file, content in contents.items()}


def _write(content: bytearray, operation: Write | Cut, torn: random.Random | None) -> None:
    if isinstance(operation, Cut):
        content.extend(bytes(max(0, operation.size - len(content))))
        del content[operation.size :]
        return
    data = operation.data
    if torn is not None and torn.random() < 0.5:
        data = data[: torn.randint(0, len(data) // SECTOR_BYTES) * SECTOR_BYTES]
    content.extend(bytes(max(0, operation.offset - len(content))))
    content[operation.offset : operation.offset + len(data)] = data
