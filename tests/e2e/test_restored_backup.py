"""A backup that brought back the store without its log, or the log without its store, is not passed over in silence.

What docs/backup.md says about it is done here to the letter.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.client import requests, send
from bench.server import Server
from tests.support.chaos import until

STORE = ("hot.db", "hot.db-wal", "hot.db-shm", "events")
BATCH = 400  # requests of 3.6 KB: a little more than an emptied segment may keep


class Installation:
    """A server that is started, fed and stopped; its folder is swapped in between."""

    def __init__(self, folder: Path) -> None:
        self.server = Server(folder)
        self.sent: list[str] = []
        self._seed = 0

    def feed(self, count: int = BATCH, *, beyond: int = -1) -> list[str]:
        """Start, send, work off, stop. The ids that were acknowledged.

        `beyond`: wait until the log holds nothing before this offset any more; then it is in the store alone.
        """
        server = self.server
        server.start()
        try:
            if not self._seed:
                self.dsn = server.create_project("shop")["dsn"]
            self._seed += 1
            outcome = send(requests([self.dsn], count, 20, seed=str(self._seed)), self.dsn, connections=8)
            server.drain()
            until(lambda: min(self._segments()) > beyond, "the log lets go what is committed")
        finally:
            server.stop()
        assert len(outcome.acked) == count
        self.sent += outcome.acked
        return outcome.acked

    def _segments(self) -> dict[int, int]:
        """The log's segments: where they begin, and their sizes."""
        return {int(path.stem): path.stat().st_size for path in (self.server.data / "log" / "normal").glob("*.seg")}

    def log_end(self) -> int:
        """An offset that the log has not reached yet."""
        return max(base + size for base, size in self._segments().items())

    def refusal(self) -> str:
        """Start it and have it refuse: what it says. Nothing may listen then."""
        server = self.server
        done = subprocess.run(
            [*server.launcher, "--data", server.data, "run"],
            env=server.environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert not (server.data / "run" / "status.json").exists()
        return done.stderr

    def stored(self) -> set[str]:
        """The ids of all events; each may be there once only."""
        lines = self.server.command("events", "--project", "shop", "--limit", "1000000", "--json").splitlines()
        ids = [json.loads(line)["event_id"] for line in lines]
        assert len(ids) == len(set(ids))
        return set(ids)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def put_back(backup: Path, data: Path, names: tuple[str, ...]) -> None:
    """Replace parts of a data folder by those of its backup."""
    for name in names:
        old, new = data / name, backup / name
        if old.is_dir():
            shutil.rmtree(old)
        old.unlink(missing_ok=True)
        if new.is_dir():
            shutil.copytree(new, old)
        elif new.exists():
            shutil.copy2(new, old)


def check_ledger(server: Server) -> None:
    ledger = server.ledger()
    assert ledger["balanced"], (ledger["requests"], ledger["differences"])
    assert ledger["requests"]["waiting"] == 0


@pytest.mark.e2e
def test_an_old_store_beside_a_newer_log_is_refused_and_the_way_out_works(
    installation: Installation, tmp_path: Path
) -> None:
    data, backup = installation.server.data, tmp_path / "backup"
    before = set(installation.feed())
    end = installation.log_end()
    shutil.copytree(data, backup)
    installation.feed(beyond=end)
    put_back(backup, data, STORE)

    said = installation.refusal()
    assert "the store is older" in said and "a restored backup?" in said
    assert "from the same backup" in said and f"move the whole folder {data / 'log'} away" in said
    assert installation.server.command("ledger", "--json", check=False) == b"", "no figure is made up"

    (data / "log").rename(tmp_path / "log-moved-away")
    after = set(installation.feed())
    assert installation.stored() == before | after
    check_ledger(installation.server)


@pytest.mark.e2e
def test_an_old_log_beside_a_newer_store_is_refused_and_the_way_out_works(
    installation: Installation, tmp_path: Path
) -> None:
    data, backup = installation.server.data, tmp_path / "backup"
    installation.feed()
    shutil.copytree(data, backup)
    installation.feed()
    put_back(backup, data, ("log",))

    for _ in range(2):  # what a refused start does must not make the next one pass
        said = installation.refusal()
        assert "it is older than the store" in said and "a restored backup?" in said

    (data / "log").rename(tmp_path / "log-moved-away")
    installation.feed()
    assert installation.stored() == set(installation.sent)
    check_ledger(installation.server)


@pytest.mark.e2e
def test_an_old_store_is_filled_again_from_a_log_that_still_has_everything(
    installation: Installation, tmp_path: Path
) -> None:
    data, backup = installation.server.data, tmp_path / "backup"
    installation.feed(1)
    shutil.copytree(data, backup)
    installation.feed(50)
    put_back(backup, data, STORE)
    installation.feed(1)
    assert installation.stored() == set(installation.sent)
    check_ledger(installation.server)


@pytest.mark.e2e
def test_a_backup_that_is_whole_goes_on_where_it_was(installation: Installation, tmp_path: Path) -> None:
    data, backup = installation.server.data, tmp_path / "backup"
    before = set(installation.feed())
    shutil.copytree(data, backup)
    installation.feed()
    shutil.rmtree(data)
    backup.rename(data)
    after = set(installation.feed())
    assert installation.stored() == before | after
    check_ledger(installation.server)
