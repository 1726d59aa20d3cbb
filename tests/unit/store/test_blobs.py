"""Blobs as files."""

import os
from pathlib import Path

import pytest

from catchall.core.errors import StoreError
from catchall.store.blobs import FileBlobs


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


def test_a_blob_comes_back_and_is_replaced_whole(blobs, tmp_path):
    assert blobs.get("attachments/2024-10-04/1/a.txt") is None
    blobs.put("attachments/2024-10-04/1/a.txt", b"one")
    blobs.put("attachments/2024-10-04/1/a.txt", b"another")
    assert blobs.get("attachments/2024-10-04/1/a.txt") == b"another"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.txt"]


@pytest.mark.parametrize(
    "name",
    ["", "/", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "a/", ".hidden", "a/.b", "A", "é", "a\x00b", "a b",
     "a\\b", "a" * 600],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(blobs, tmp_path, name):
    for call in (lambda: blobs.put(name, b"x"), lambda: blobs.get(name)):
        with pytest.raises(StoreError, match="no name"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_a_day_is_forgotten_with_all_below_it_and_nothing_beside(blobs):
    for name in ("a/2024-10-04/1/x", "a/2024-10-04/2/y", "a/2024-10-041/z"):
        blobs.put(name, b"12345")
    assert blobs.delete_prefix("a/2024-10-04/") == 10
    assert blobs.get("a/2024-10-04/1/x") is None
    assert blobs.get("a/2024-10-041/z") == b"12345"
    assert blobs.delete_prefix("a/2024-10-041/z") == 5
    assert blobs.delete_prefix("a/2024-10-04") == 0
    assert blobs.get("a/2024-10-041") is None


@pytest.mark.parametrize("name", ["", "..", "/"])
def test_no_prefix_leads_out_of_the_folder(blobs, name):
    blobs.put("a/b", b"x")
    with pytest.raises(StoreError):
        blobs.delete_prefix(name)
    assert blobs.get("a/b") == b"x"


def test_a_failing_disk_leaves_the_old_blob(blobs, tmp_path, monkeypatch):
    blobs.put("a/b", b"old")

    def fail(_: int) -> None:
        raise OSError(5, "the disk failed")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError, match="the disk failed"):
            blobs.put("a/b", b"new")
    assert blobs.get("a/b") == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b"]
