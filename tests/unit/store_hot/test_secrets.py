"""Dead letters hold bytes that nobody has scrubbed: once settled they are nowhere in the files."""

from catchall.store.sqlite.hot import SqliteHot
from tests.unit.store_hot.batches import Feeder, dead_letter, make_projects

SECRET = b"correct horse battery staple"


def test_settled_bytes_are_overwritten(tmp_path):
    hot = SqliteHot(tmp_path / "hot.db")
    make_projects(hot)
    feeder = Feeder(hot)
    letters = [dead_letter(data=SECRET * size, record=SECRET * size) for size in (1, 100, 5000)]
    feeder.commit(dead_letters=letters)
    hot.close()  # the write-ahead log goes into the file
    assert in_files(tmp_path) > 10_000
    for number in (1, 2):
        assert hot.discard_dead_letter(number)
    assert hot.request_replay(3)
    feeder.commit(replayed=[3])
    hot.close()
    assert in_files(tmp_path) == 0


def in_files(folder) -> int:
    return sum(path.read_bytes().count(SECRET) for path in folder.iterdir())
