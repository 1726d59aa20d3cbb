"""The simulated disk loses what a real one may lose, and nothing else."""

import pytest

from tests.support.power.disk import CASES, after_power_cut
from tests.support.power.recording import NEW_FOLDER, Cut, Disk, Name, Operation, Rename, Sync, SyncFolder, Write

BEFORE = Disk({"old": b"0123456789"}, {"log"})
MADE: list[Operation] = [Name("log", "a.part", 1), Write(1, 0, b"abcdef"), Sync(1), Rename("log", "a.part", "a")]


def left(operations: list[Operation], case: str) -> dict[str, bytes]:
    return after_power_cut(BEFORE, operations, case, seed=1).files


@pytest.mark.parametrize("case", CASES)
def test_what_was_synced_is_there(case):
    operations = [*MADE, SyncFolder("log"), Write(0, 8, b"XYZ"), Cut(1, 3), Sync(0), Sync(1)]
    assert left(operations, case) == {"old": b"01234567XYZ", "log/a": b"abc"}


@pytest.mark.parametrize(
    ("case", "files"),
    [
        ("nothing unsynced", {"old": b"0123456789"}),
        ("names without bytes", {"old": b"0123456789", "log/a": b"abcdef"}),
        ("bytes without names", {"old": b"X123456789"}),
        ("all", {"old": b"X123456789", "log/a": b"abcdef!"}),
    ],
)
def test_what_was_not_synced_is_there_or_not(case, files):
    assert left([*MADE, Write(0, 0, b"X"), Write(1, 6, b"!")], case) == files


def test_an_unsynced_removal_may_come_back_and_a_synced_one_may_not():
    removed: list[Operation] = [Name("", "old", None)]
    assert left(removed, "nothing unsynced") == {"old": b"0123456789"}
    assert left([*removed, SyncFolder("")], "nothing unsynced") == {}


def test_a_file_in_a_folder_whose_name_was_lost_is_lost():
    made: list[Operation] = [Name("log", "deep", NEW_FOLDER), Name("log/deep", "a", 1), Write(1, 0, b"a"), Sync(1)]
    synced = [*made, SyncFolder("log/deep")]
    assert "log/deep/a" not in left(synced, "nothing unsynced")
    assert left([*synced, SyncFolder("log")], "nothing unsynced")["log/deep/a"] == b"a"


def test_chance_tears_and_reorders_but_never_takes_back():
    operations: list[Operation] = [Write(0, 0, b"A" * 1024), Sync(0), Write(0, 0, b"B" * 1024), Write(0, 1024, b"C")]
    seen = {after_power_cut(BEFORE, operations, "chance", seed).files["old"] for seed in range(40)}
    assert len(seen) > 3
    assert all(set(one) <= set(b"ABC\0") and len(one) >= 1024 for one in seen)
    assert any(one[:512] == b"B" * 512 and one[512:1024] == b"A" * 512 for one in seen)
