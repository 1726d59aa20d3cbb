"""The framing of envelopes: every item gets its place, and a broken one spoils no other."""

import json
from typing import Any

import pytest

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.ledger import DataCategory, Outcome
from catchall.core.record import RawRecord
from catchall.wire import sentry, sentry_store
from catchall.wire.base import AggregatedItem, AttachmentItem, BrokenItem, EventItem, Framed, Item, SetAsideItem

RECEIVED = 1_795_465_000_000_000
ID = "0123456789abcdef0123456789abcdef"
OTHER_ID = "f" * 32


def parse(*lines: bytes, ending: bytes = b"\n", record_id: str = "") -> list[Item]:
    record = RawRecord(protocol="sentry.envelope", project_id=7, key_id=1, received_at=RECEIVED, event_id=record_id)
    return sentry.parse(record, ending.join(lines), lambda index: f"{index + 1:032x}")


def header(kind: str, **more: Any) -> bytes:
    return json.dumps({"type": kind, **more}).encode()


def message(item: Item) -> str:
    assert isinstance(item, EventItem), item
    return item.draft.message


def shape(items: list[Item]) -> list[tuple[int, str]]:
    return [(item.index, type(item).__name__) for item in items]


EVENT = b'{"message":"fine"}'
NO_HEADERS = {
    "text": b"hello\n",
    "a list": b"[1]\n",
    "cut off": b'{"a":\n',
    "null": b"null\n{}",
    "endless": b'{"event_id":"' + b"x" * 70_000 + b'"}',
}
NO_ITEM_HEADERS = {
    "text": b"nonsense",
    "a list": b"[1,2]",
    "cut off": b'{"type":',
    "a text": b'"event"',
    "a number": b"7",
    "deep": b"{" * 5000,
    "endless": b'{"x":"' + b"y" * 70_000,
}
NO_IDS = {
    "cut off": b'{"message":"' + b"x" * 9000,
    "another's": b'{"a":{"event_id":"%s"' % (b"e" * 32),
    "text": b"nonsense",
    "one brace": b"{",
    "no key": b"{,}",
    "deep": b"[" * 9000,
}


class TestFrame:
    def test_tells_id_and_dsn(self):
        head = b'{"event_id":"%s","dsn":"https://abc:secret@sentry.example:443/path/42"}\n{"ty' % ID.encode()
        assert sentry.frame(head, complete=False) == Framed(ID, "abc", "42")

    @pytest.mark.parametrize("dsn", ["", "nonsense", "https://example/42", "://", "https://[::1", 5, None])
    def test_a_dsn_that_is_none_tells_nothing(self, dsn):
        assert sentry.frame(json.dumps({"dsn": dsn}).encode(), complete=True)[1:] == ("", "")

    @pytest.mark.parametrize("written", [ID.upper(), f"{ID[:8]}-{ID[8:12]}-{ID[12:16]}-{ID[16:20]}-{ID[20:]}"])
    def test_ids_in_other_spellings(self, written):
        assert sentry.frame(json.dumps({"event_id": written}).encode() + b"\r\n", complete=True).event_id == ID

    @pytest.mark.parametrize("written", [None, "", "x" * 32, "0" * 32, 7, ["a"]])
    def test_ids_that_are_none(self, written):
        assert sentry.frame(json.dumps({"event_id": written}).encode(), complete=True).event_id == ""

    def test_a_header_longer_than_the_head_tells_nothing_yet(self):
        assert sentry.frame(b'{"trace":{"baggage":"' + b"x" * 9000, complete=False) == Framed()

    @pytest.mark.parametrize("head", [b"", b" \n ", b"\r\n"])
    def test_nothing_is_an_empty_body(self, head):
        with pytest.raises(WireError) as caught:
            sentry.frame(head, complete=True)
        assert caught.value.reason is Reason.BODY_EMPTY

    @pytest.mark.parametrize("head", NO_HEADERS.values(), ids=NO_HEADERS)
    def test_what_begins_with_no_object_is_no_envelope(self, head):
        with pytest.raises(WireError) as caught:
            sentry.frame(head, complete=True)
        assert caught.value.reason is Reason.ENVELOPE_HEADER
        with pytest.raises(WireError) as caught:
            parse(head)
        assert caught.value.reason is Reason.ENVELOPE_HEADER


class TestExtent:
    @pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
    @pytest.mark.parametrize("last", [[b""], []], ids=["line end at the end", "none"])
    @pytest.mark.parametrize("with_length", [True, False])
    def test_lines_and_lengths(self, ending, last, with_length):
        head = header("event", length=len(EVENT)) if with_length else header("event")
        items = parse(b"{}", head, EVENT, head, EVENT, *last, ending=ending)
        assert [message(item) for item in items] == ["fine", "fine"]
        assert [item.index for item in items] == [0, 1]

    def test_only_a_header_holds_nothing(self):
        assert parse(b"{}") == parse(b"{}", b"") == parse(b"{}", b"\r\n\n") == []

    def test_blank_lines_between_items(self):
        assert shape(parse(b"{}", b"", b"", header("event"), EVENT, b"", b"", header("event"), EVENT)) == [
            (0, "EventItem"),
            (1, "EventItem"),
        ]

    def test_line_ends_inside_a_payload_with_length(self):
        data = b"one\ntwo\r\n\nthree\n"
        items = parse(b"{}", header("attachment", length=len(data), filename="a.txt"), data, header("event"), EVENT)
        assert isinstance(items[0], AttachmentItem)
        assert (items[0].data, message(items[1])) == (data, "fine")

    def test_empty_payloads(self):
        items = parse(b"{}", header("attachment", length=0), b"", header("attachment"), b"", header("event"), EVENT)
        assert [item.data for item in items if isinstance(item, AttachmentItem)] == [b"", b""]
        assert message(items[2]) == "fine"
        assert isinstance(parse(b"{}", header("event"))[0], BrokenItem)

    def test_a_length_counted_in_characters_instead_of_bytes(self):
        payload = '{"message":"größer als \u5ba2\u6237"}'
        head = header("event", length=len(payload))
        items = parse(b"{}", head, payload.encode(), header("event"), EVENT)
        assert [message(item) for item in items] == ["größer als \u5ba2\u6237", "fine"]

    def test_no_line_end_after_a_payload_with_length(self):
        first = header("event", length=len(EVENT)) + b"\n" + EVENT
        assert [message(item) for item in parse(b"{}", first + header("event"), EVENT)] == ["fine", "fine"]

    @pytest.mark.parametrize("length", ["18", 18.0, None, -5, "many", [1], True])
    def test_odd_lengths(self, length):
        items = parse(b"{}", header("event", length=length), EVENT, header("event"), EVENT)
        assert message(items[-1]) == "fine"

    def test_a_length_beyond_the_end_keeps_what_came(self):
        items = parse(b"{}", header("event"), EVENT, header("event", length=1000), b'{"message":')
        assert message(items[0]) == "fine"
        broken = items[1]
        assert isinstance(broken, BrokenItem)
        assert (broken.index, broken.reason, broken.category) == (1, Reason.ITEM_TRUNCATED, DataCategory.ERROR)
        assert broken.data == b'{"message":'
        assert broken.detail == "1000 bytes announced, 11 came"

    def test_unknown_headers_do_not_matter(self):
        assert message(parse(b'{"a":{"b":[1]}}', header("event", x=1, y={"z": []}), EVENT)[0]) == "fine"


class TestBrokenItems:
    @pytest.mark.parametrize("bad", NO_ITEM_HEADERS.values(), ids=NO_ITEM_HEADERS)
    @pytest.mark.parametrize("payload", [EVENT, b'{"exception":{"values":[{}]},"type":"error"}', b"binary \0 stuff"])
    def test_a_broken_header_takes_only_its_payload_with_it(self, bad, payload):
        items = parse(b"{}", header("event"), EVENT, bad, payload, header("event"), EVENT, header("event"), EVENT)
        assert shape(items) == [(0, "EventItem"), (1, "BrokenItem"), (2, "EventItem"), (3, "EventItem")]
        broken = items[1]
        assert isinstance(broken, BrokenItem)
        assert broken.reason is Reason.ITEM_HEADER
        assert broken.data == bad + b"\n" + payload + b"\n"

    @pytest.mark.parametrize("head", [b"{}", b'{"type":null}', b'{"type":"","length":18}'])
    def test_a_header_without_type_is_broken_alone(self, head):
        items = parse(b"{}", head, EVENT, header("event"), EVENT)
        assert shape(items) == [(0, "BrokenItem"), (1, "EventItem")]

    @pytest.mark.parametrize(
        ("payload", "reason"),
        [
            (b"nonsense", Reason.JSON_MALFORMED),
            (b"", Reason.JSON_MALFORMED),
            (b'{"a":', Reason.JSON_MALFORMED),
            (b"[1]", Reason.WRONG_TYPE),
            (b'"text"', Reason.WRONG_TYPE),
            (b"null", Reason.WRONG_TYPE),
            (b'{"extra":' + b"[" * 10_000 + b"]" * 10_000 + b"}", Reason.JSON_TOO_DEEP),
            (b'{"extra":{"a":' + b"[" * 400 + b"]" * 400 + b"}}", Reason.JSON_TOO_DEEP),
            (b'{"contexts":{"a":' + b"[" * 400 + b"]" * 400 + b"}}", Reason.JSON_TOO_DEEP),
        ],
        ids=["text", "empty", "cut off", "list", "string", "null", "10,000 deep", "deep extra", "deep context"],
    )
    def test_a_broken_payload_is_kept_with_its_reason(self, payload, reason):
        items = parse(b"{}", header("event"), payload, header("event"), EVENT)
        broken = items[0]
        assert isinstance(broken, BrokenItem)
        assert (broken.reason, broken.data, broken.category) == (reason, payload, DataCategory.ERROR)
        assert message(items[1]) == "fine"

    @pytest.mark.parametrize("kind", ["session", "sessions", "check_in", "log", "client_report"])
    def test_counted_kinds_break_alone_too(self, kind):
        items = parse(b"{}", header(kind), b"nonsense", header(kind), b"[]", header("event"), EVENT)
        assert [item.reason for item in items if isinstance(item, BrokenItem)] == [
            Reason.JSON_MALFORMED,
            Reason.WRONG_TYPE,
        ]
        assert message(items[2]) == "fine"

    def test_too_many_items(self):
        most = limits.ENVELOPE_ITEMS_MAX
        items = parse(b"{}", *[header("span"), b"{}"] * (most + 5))
        assert len(items) == most + 1
        last = items[-1]
        assert isinstance(last, BrokenItem)
        assert (last.index, last.reason) == (most, Reason.TOO_MANY_ITEMS)
        assert last.data.count(b'"span"') == 5

    def test_an_event_beyond_its_size_keeps_its_beginning(self):
        payload = b'{"message":"' + b"x" * limits.EVENT_JSON_BYTES_MAX + b'"}'
        (broken,) = parse(b"{}", header("event"), payload)
        assert isinstance(broken, BrokenItem)
        assert broken.reason is Reason.ITEM_TOO_LARGE
        assert len(broken.data) == limits.DEAD_LETTER_BYTES_MAX


class TestIds:
    def event_ids(self, *payloads: bytes, head: bytes = b"{}", record_id: str = "") -> list[str]:
        lines = [line for payload in payloads for line in (header("event"), payload)]
        items = parse(head, *lines, record_id=record_id)
        return [item.draft.event_id for item in items if isinstance(item, EventItem)]

    def test_the_event_s_own_wins_then_the_envelope_s_then_the_answer_s_then_the_place_s(self):
        own = b'{"event_id":"%s"}' % OTHER_ID.encode()
        head = b'{"event_id":"%s"}' % ID.encode()
        assert self.event_ids(own, head=head, record_id="a" * 32) == [OTHER_ID]
        assert self.event_ids(b"{}", head=head, record_id="a" * 32) == [ID]
        assert self.event_ids(b'{"event_id":"bad"}', head=b'{"event_id":"0"}', record_id="a" * 32) == ["a" * 32]
        assert self.event_ids(b"{}") == [f"{1:032x}"]

    def test_the_envelope_s_id_is_given_once(self):
        head = b'{"event_id":"%s"}' % ID.encode()
        assert self.event_ids(b"{}", b"{}", head=head) == [ID, f"{2:032x}"]
        own = b'{"event_id":"%s"}' % ID.encode()
        assert self.event_ids(own, b"{}", head=head) == [ID, f"{2:032x}"]

    def test_facts_of_the_record(self):
        (item,) = parse(b"{}", header("event"), EVENT)
        assert isinstance(item, EventItem)
        assert (item.draft.project_id, item.draft.received_at, item.draft.protocol) == (7, RECEIVED, "sentry.envelope")


class TestOtherItems:
    def only(self, kind: str, data: bytes, **more: Any) -> Item:
        (item,) = parse(b"{}", header(kind, length=len(data), **more), data)
        return item

    def test_a_file(self):
        item = self.only(
            "attachment", b"\0\1", filename="a\0b.bin", content_type="text/x", attachment_type="event.attachment"
        )
        assert item == AttachmentItem(
            index=0, filename="a\ufffdb.bin", content_type="text/x", attachment_type="event.attachment", data=b"\0\1"
        )

    @pytest.mark.parametrize(
        ("kind", "data", "more"),
        [
            ("attachment", b"MDMP....", {}),
            ("attachment", b"....", {"attachment_type": "event.minidump"}),
            ("minidump", b"....", {}),
        ],
    )
    def test_minidumps_are_counted_and_not_kept(self, kind, data, more):
        item = self.only(kind, data, **more)
        assert isinstance(item, SetAsideItem)
        assert (item.category, item.reason) == (DataCategory.ATTACHMENT, Reason.MINIDUMP_NOT_KEPT)

    def test_a_file_beyond_its_size_is_rejected(self):
        item = self.only("attachment", bytes(limits.ATTACHMENT_BYTES_MAX + 1), filename="big")
        assert isinstance(item, SetAsideItem)
        assert (item.outcome, item.reason, item.detail) == (Outcome.REJECTED, Reason.ITEM_TOO_LARGE, "big")

    @pytest.mark.parametrize(
        ("kind", "category"),
        [
            ("transaction", DataCategory.TRANSACTION),
            ("span", DataCategory.SPAN),
            ("trace_metric", DataCategory.METRIC),
            ("statsd", DataCategory.METRIC),
            ("profile", DataCategory.PROFILE),
            ("profile_chunk", DataCategory.PROFILE),
            ("replay_event", DataCategory.REPLAY),
            ("replay_recording", DataCategory.REPLAY),
            ("user_report", DataCategory.FEEDBACK),
            ("feedback", DataCategory.FEEDBACK),
            ("invented_tomorrow", DataCategory.UNKNOWN),
        ],
    )
    def test_what_we_do_not_keep_is_named_and_counted(self, kind, category):
        for data in (b"{}", b"\0binary", b""):
            item = self.only(kind, data)
            assert item == SetAsideItem(
                index=0, category=category, outcome=Outcome.UNSUPPORTED, reason=Reason.ITEM_UNSUPPORTED, detail=kind
            )

    def test_things_are_counted_not_believed(self):
        assert self._quantity(b'{"items":[{},{},{}]}', item_count=500) == 3
        assert self._quantity(b'{"items":[]}', item_count=10**18) == 1
        assert self._quantity(b'{"items":7}') == 1
        assert self._quantity(b"[{},{}]") == 1

    def _quantity(self, data: bytes, **more: Any) -> int:
        item = self.only("span", data, **more)
        assert isinstance(item, SetAsideItem)
        return item.quantity

    def test_names_of_unknown_kinds_are_short(self):
        item = self.only("x" * 5000, b"{}")
        assert isinstance(item, SetAsideItem)
        assert item.detail == "x" * limits.ITEM_TYPE_CHARS_MAX

    def test_a_transaction_sent_as_an_event_is_no_error(self):
        item = self.only("event", b'{"type":"transaction","transaction":"/"}')
        assert isinstance(item, SetAsideItem)
        assert item.category is DataCategory.TRANSACTION


class TestStore:
    RECORD = RawRecord(protocol="sentry.store", project_id=7, key_id=1, received_at=RECEIVED, event_id="a" * 32)

    def parse(self, body: bytes) -> list[Item]:
        return sentry_store.parse(self.RECORD, body, lambda index: f"{index:032x}")

    def test_the_body_is_the_event(self):
        (item,) = self.parse(b' {"message":"fine"}\n')
        assert message(item) == "fine"
        assert isinstance(item, EventItem) and item.draft.event_id == "a" * 32

    def test_the_event_s_own_id_wins(self):
        (item,) = self.parse(b'{"event_id":"%s"}' % ID.encode())
        assert isinstance(item, EventItem) and item.draft.event_id == ID

    def test_what_is_no_event_is_broken_or_refused(self):
        (item,) = self.parse(b"nonsense")
        assert isinstance(item, BrokenItem) and item.category is DataCategory.ERROR
        for body in (b"", b"\n"):
            with pytest.raises(WireError):
                self.parse(body)

    def test_a_transaction_is_no_error(self):
        (item,) = self.parse(b'{"type":"transaction"}')
        assert isinstance(item, SetAsideItem)

    def test_its_id_is_found_among_the_outermost_keys(self):
        nested = b'{"breadcrumbs":[{"event_id":"%s"}],"event_id" : "%s","x":' % (b"e" * 32, ID.encode())
        for end in (b"1}", b'{"cut', b'"' + b"y" * 5000):
            assert sentry_store.frame(nested + end, complete=False).event_id == ID

    @pytest.mark.parametrize("head", NO_IDS.values(), ids=NO_IDS)
    def test_an_id_that_is_not_there_is_none(self, head):
        assert sentry_store.frame(head, complete=False) == Framed()

    def test_nothing_is_refused(self):
        with pytest.raises(WireError):
            sentry_store.frame(b" \n", complete=True)


def test_counted_items_have_their_categories():
    items = parse(b"{}", header("session"), b"{}", header("log"), b'{"items":[{},{}]}')
    assert [(item.category, item.quantity) for item in items if isinstance(item, AggregatedItem)] == [
        (DataCategory.SESSION, 1),
        (DataCategory.LOG, 2),
    ]
