"""The recorded requests of real SDKs become the items that they hold, none broken."""

import pytest

from catchall.core.ledger import DataCategory
from catchall.core.record import RawRecord
from catchall.wire import sentry
from catchall.wire.base import AggregatedItem, AttachmentItem, BrokenItem, EventItem, Item, SetAsideItem
from catchall.wire.encoding import inflate, inflate_head
from tests.support.corpus import KEY, Recorded, recordings

POSTS = [recorded for recorded in recordings() if recorded.method == "POST"]
KINDS = {
    "event": EventItem,
    "attachment": AttachmentItem,
    "session": AggregatedItem,
    "sessions": AggregatedItem,
    "check_in": AggregatedItem,
    "log": AggregatedItem,
    "client_report": AggregatedItem,
}


def parse(recorded: Recorded) -> list[Item]:
    encoding = recorded.headers.get("content-encoding", "")
    record = RawRecord(protocol="sentry.envelope", project_id=42, key_id=1, received_at=1_795_465_000_000_000)
    return sentry.parse(record, inflate(recorded.body, encoding, 1 << 24), lambda index: f"{index:032x}")


@pytest.mark.parametrize("recorded", POSTS, ids=lambda recorded: recorded.name)
def test_items_are_what_was_sent(recorded: Recorded) -> None:
    items = parse(recorded)
    assert not [item for item in items if isinstance(item, BrokenItem)]
    assert [type(item) for item in items] == [KINDS.get(kind, SetAsideItem) for kind in recorded.expect["items"]]
    assert [item.index for item in items] == list(range(len(items)))


@pytest.mark.parametrize("recorded", POSTS, ids=lambda recorded: recorded.name)
def test_the_first_bytes_tell_id_and_key(recorded: Recorded) -> None:
    encoding = recorded.headers.get("content-encoding", "")
    framed = sentry.frame(inflate_head(recorded.body[:4096], encoding, 8192), complete=False)
    events = [item for item in parse(recorded) if isinstance(item, EventItem)]
    assert all(item.draft.event_id == framed.event_id for item in events)
    assert framed.key in ("", KEY)


def _only(name: str) -> list[Item]:
    return parse(next(recorded for recorded in POSTS if recorded.name == name))


def test_sessions_count_their_beginning_and_their_end() -> None:
    (item,) = _only("sentry-python/session-ok")
    assert isinstance(item, AggregatedItem)
    assert [(count.kind, count.key) for count in item.counts] == [
        ("session", "shop@1.4.2|production|started"),
        ("session", "shop@1.4.2|production|exited"),
    ]


def test_logs_count_by_level() -> None:
    (item,) = _only("sentry-node/logs")
    assert isinstance(item, AggregatedItem)
    assert item.category is DataCategory.LOG and item.quantity == 2
    assert {count.key: count.quantity for count in item.counts} == {"info": 1, "error": 1}


def test_check_ins_count_by_monitor_and_state() -> None:
    (item,) = _only("sentry-node/checkin")
    assert isinstance(item, AggregatedItem)
    assert [count.key for count in item.counts] == ["reindex|staging|in_progress"]


def test_client_reports_count_what_the_client_threw_away() -> None:
    (item,) = _only("sentry-python/client-report")
    assert isinstance(item, AggregatedItem)
    assert [(count.key, count.quantity) for count in item.counts] == [("before_send|error", 3)]


def test_attachments_keep_names_and_bytes() -> None:
    files = [item for item in _only("sentry-python/attachment") if isinstance(item, AttachmentItem)]
    assert [(one.filename, len(one.data)) for one in files] == [("stock.csv", 17), ("dump.bin", 256)]
