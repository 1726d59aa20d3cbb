"""Every answer of intake, from a real server: what is accepted is in the log, what is refused is named and counted."""

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor

import brotli
import pytest
import zstandard

from catchall.core.record import RawRecord
from catchall.queue.base import Lane
from catchall.queue.segments import SegmentReader
from catchall.store.base import Project, ProjectKey
from catchall.wire.encoding import inflate
from tests.integration.intake_front import (
    CLOCK,
    EVENT,
    ID,
    KEY,
    RunningFront,
    envelope,
    until,
)
from tests.support.corpus import KEY as CORPUS_KEY
from tests.support.corpus import Recorded, recordings


@pytest.fixture
def front(tmp_path):
    with RunningFront(tmp_path) as running:
        yield running


def only(front: RunningFront) -> RawRecord:
    (record,) = front.records()
    return record


# --- accepted -----------------------------------------------------------------------------------------------------
def test_an_envelope_is_durable_when_it_is_answered(front):
    answer = front.send(envelope(), Content_Type="application/x-sentry-envelope", User_Agent="sentry.python/2")
    assert (answer.status, answer.json) == (200, {"id": ID})
    assert answer.headers["Content-Type"] == "application/json"
    record = only(front)
    assert record.body == envelope()
    assert (record.protocol, record.project_id, record.key_id) == ("sentry.envelope", 1, 7)
    assert (record.event_id, record.received_at, record.peer) == (ID, CLOCK, "127.0.0.1")
    assert (record.content_type, record.user_agent) == ("application/x-sentry-envelope", "sentry.python/2")
    assert (record.encoding, record.spool) == ("", "")


def test_an_envelope_without_an_id_is_answered_without_one(front):
    assert front.send(b'{}\n{"type":"session"}\n{}\n').json == {}
    assert only(front).event_id == ""


def test_an_id_with_dashes_is_answered_without_them(front):
    assert front.send(envelope("01234567-89AB-CDEF-0123-456789ABCDEF")).json == {"id": ID}


def test_a_stored_event_gets_the_id_it_says(front):
    answer = front.send(EVENT, path="/api/1/store/")
    assert (answer.status, answer.json) == (200, {"id": ID})
    assert only(front).protocol == "sentry.store"


def test_a_stored_event_whose_id_comes_late_gets_that_id(front):
    body = json.dumps({"extra": {"pad": "x" * 20_000}, "event_id": ID}).encode()
    assert front.send(gzip.compress(body), path="/api/1/store/", Content_Encoding="gzip").json == {"id": ID}


def test_a_stored_event_without_an_id_gets_one_that_the_record_keeps(front):
    answer = front.send(b'{"message":"x"}', path="/api/1/store/")
    assert len(bytes.fromhex(answer.json["id"])) == 16
    assert only(front).event_id == answer.json["id"]


ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
    "GZIP": gzip.compress,
    "gzip, br": lambda body: brotli.compress(gzip.compress(body)),
}


@pytest.mark.parametrize("encoding", ENCODERS)
def test_every_encoding_is_kept_as_received(front, encoding):
    body = ENCODERS[encoding](envelope(payload=json.dumps({"pad": "x" * 50_000}).encode()))
    answer = front.send(body, Content_Encoding=encoding)
    assert (answer.status, answer.json) == (200, {"id": ID})
    assert (only(front).body, only(front).encoding) == (body, encoding.lower())


def test_a_long_envelope_header_is_read_to_its_end(front):
    body = envelope(trace="x" * 40_000)
    assert front.send(gzip.compress(body), Content_Encoding="gzip").json == {"id": ID}
    assert front.send(body).json == {"id": ID}


def test_a_header_without_end_is_left_to_the_worker(front):
    assert front.send(b'{"a":"' + b"x" * 200_000).json == {}
    assert len(only(front).body) == 200_006


@pytest.mark.parametrize("recorded", [one for one in recordings() if one.method == "POST"], ids=lambda one: one.name)
def test_what_real_clients_send_is_accepted_as_it_is(corpus_front, recorded):
    answer = replay(corpus_front, recorded)
    assert answer.status == 200, answer.body
    record = next(one for one in reversed(corpus_front.records()) if one.body == recorded.body)
    promised = answer.json.get("id", "")
    assert record.event_id == promised
    if recorded.expect.get("events") and recorded.path.endswith("/envelope/"):
        assert promised
        assert promised.encode() in inflate(record.body, record.encoding, 1 << 24)


@pytest.fixture(scope="module")
def corpus_front(tmp_path_factory):
    front = RunningFront(tmp_path_factory.mktemp("corpus"))
    front.keys.list = [ProjectKey(key_id=1, project_id=42, key=CORPUS_KEY)]
    front.keys.project_list = [Project(project_id=42, name="corpus", slug="corpus", created_at="")]
    with front:
        yield front


def replay(front: RunningFront, recorded: Recorded):
    query = "&".join(f"{name}={value}" for name, values in recorded.query.items() for value in values)
    headers = dict(recorded.headers)
    chunked = headers.pop("transfer-encoding", "") == "chunked"
    if chunked:
        headers.pop("content-length", None)
    path = recorded.path + ("?" + query if query else "")
    body = iter([recorded.body[:100], recorded.body[100:]]) if chunked and len(recorded.body) > 100 else recorded.body
    return front.ask("POST", path, body, headers, encode_chunked=chunked and not isinstance(body, bytes))


def test_chunks_are_joined(front):
    body = envelope(payload=json.dumps({"pad": "y" * 300_000}).encode())
    parts = [body[at : at + 7001] for at in range(0, len(body), 7001)]
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"}
    answer = front.ask("POST", "/api/1/envelope/", iter(parts), headers, encode_chunked=True)
    assert answer.json == {"id": ID}
    assert only(front).body == body


def test_requests_on_one_connection_are_answered_in_order(front):
    ids = [f"{number:032x}" for number in range(1, 21)]
    requests = b"".join(
        b"POST /api/1/envelope/?sentry_key=%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"
        % (KEY.encode(), len(envelope(one)), envelope(one))
        for one in ids
    )
    connection = front.raw(requests)  # all at once: they are pipelined
    received = b""
    while received.count(b"HTTP/1.1 200 OK") < len(ids) or not received.endswith(b"}"):
        received += connection.recv(65536)
    assert [part[:32].decode() for part in received.split(b'{"id":"')[1:]] == ids
    connection.close()


def test_the_same_id_goes_to_the_same_partition_and_none_is_spread(front):
    for number in range(32):
        front.send(envelope(""))
        front.send(envelope(f"{number + 16:032x}"))
    partitions = [one.partition for one in _partitions(front)]
    assert sorted(partitions) == sorted([number % 16 for number in range(32)] * 2)


def _partitions(front: RunningFront):
    reader = SegmentReader(front.folder / "log")
    normal = next(info for info in reader.logs() if info.lane is Lane.NORMAL)
    return reader.read(normal.uuid, normal.start, range(16), records_max=100, bytes_max=1 << 20).records


def test_a_large_body_goes_to_the_spool(front):
    body = envelope(payload=json.dumps({"pad": "z" * 1_500_000}).encode())
    assert front.send(body).json == {"id": ID}
    record = only(front)
    assert record.body == b""
    assert front.spool.read(record.spool) == body
    assert front.metrics.spooled == 1


def test_the_largest_body_is_taken(front):
    body = envelope(payload=b'{"pad":"' + b"z" * (20 * 1024 * 1024 - 400) + b'"}')
    assert len(body) <= 20 * 1024 * 1024
    assert front.send(body).status == 200
    assert front.spool.read(only(front).spool) == body
    assert front.bodies.buffered == 0


# --- who ----------------------------------------------------------------------------------------------------------
CREDENTIALS = [
    {"path": f"/api/1/envelope/?sentry_key={KEY}&sentry_version=7"},
    {"path": f"/api/1/envelope?sentry_version=7&sentry_key={KEY}"},
    {"X_Sentry_Auth": f"sentry sentry_client=x, sentry_key={KEY},sentry_version=7"},
    {"Authorization": f"Sentry sentry_key={KEY}, sentry_version=7"},
    {"Authorization": f"DSN https://{KEY}@errors.example.com/1"},
    {"body": envelope(dsn=f"https://{KEY}@errors.example.com/1")},
]


@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_the_key_may_stand_in_many_places(front, credentials):
    assert front.send(credentials.pop("body", None), key="", **credentials).json == {"id": ID}
    assert only(front).key_id == 7


@pytest.mark.parametrize("path", ["/tunnel", "/tunnel/", "/api/tunnel/"])
def test_a_tunnel_takes_key_and_project_from_the_envelope(front, path):
    dsn = f"https://{KEY}@errors.example.com/1"
    assert front.send(envelope(dsn=dsn), key="", path=path).json == {"id": ID}
    assert (only(front).project_id, only(front).key_id) == (1, 7)
    refused = front.send(envelope(dsn=dsn.replace("/1", "/2")), key="", path=path)
    assert (refused.status, refused.error) == (403, "key_other_project")
    refused = front.send(envelope(), key="", path=path)
    assert (refused.status, refused.error) == (401, "key_missing")


REFUSED = [
    (401, "key_missing", 0, {"key": "", "path": "/api/1/store/"}),
    (401, "key_missing", 0, {"key": ""}),
    (401, "key_unknown", 0, {"key": "b" * 32}),
    (401, "key_unknown", 0, {"key": "b" * 100}),
    (403, "key_disabled", 1, {"key": "d" * 32}),
    (403, "key_other_project", 1, {"path": "/api/2/envelope/"}),
    (403, "origin_refused", 1, {"key": "e" * 32, "Origin": "https://evil.example.org"}),
    (415, "encoding_unknown", 1, {"Content_Encoding": "lzma"}),
    (415, "encoding_unknown", 1, {"Content_Encoding": "gzip, gzip, gzip"}),
    (400, "envelope_header", 1, {"body": b"not json\n{}\n"}),
    (400, "envelope_header", 1, {"body": b"[]\n{}\n"}),
    (400, "body_empty", 1, {"body": b""}),
    (400, "body_empty", 1, {"body": b"", "path": "/api/1/store/"}),
    (400, "inflate_failed", 1, {"body": gzip.compress(b"")[:10] + b"\xff" * 600, "Content_Encoding": "gzip"}),
]


@pytest.mark.parametrize(("status", "reason", "project", "request_"), REFUSED)
def test_what_is_refused_is_named_and_counted(front, status, reason, project, request_):
    front.keys.change(
        *front.keys.list,
        ProjectKey(key_id=8, project_id=1, key="d" * 32, disabled=True),
        ProjectKey(key_id=9, project_id=1, key="e" * 32, origins=["*.example.com"]),
    )
    front.send(key="c" * 32)  # unknown: makes the front look at the store once more
    answer = front.send(request_.pop("body", None), **request_)
    assert (answer.status, answer.error) == (status, reason)
    expected = 2 if reason == "key_unknown" else 1
    until(lambda: front.refusals().get((project, reason)) == expected)
    assert front.metrics.refused[reason] == expected
    assert front.records() == []


def test_a_refused_request_leaves_its_connection_usable(front):
    connection = front.connect()
    connection.connect()
    first = connection.sock
    for key, status in (("b" * 32, 401), (KEY, 200), ("b" * 32, 401), (KEY, 200)):
        connection.request("POST", f"/api/1/envelope/?sentry_key={key}", envelope())
        response = connection.getresponse()
        response.read()
        assert (response.status, connection.sock) == (status, first)
    connection.close()


def test_a_new_project_works_at_once(front):
    assert front.send(key="f" * 32, path="/api/2/envelope/").error == "key_unknown"
    front.keys.project_list.append(Project(project_id=2, name="new", slug="new", created_at=""))
    front.keys.change(*front.keys.list, ProjectKey(key_id=10, project_id=2, key="f" * 32))
    assert front.send(key="f" * 32, path="/api/2/envelope/").status == 200


def test_many_unknown_keys_ask_the_store_few_times(front):
    looks = front.keys.looks
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: front.send(key=f"{number:032x}").status, range(64)))
    assert answers == [401] * 64
    assert front.keys.looks - looks <= 20  # 5 a second at most


def test_keys_that_cannot_be_checked_are_not_called_unknown(front):
    front.keys.broken = True
    answer = front.send(key="b" * 32)
    assert (answer.status, answer.error, answer.headers["Retry-After"]) == (503, "keys_unavailable", "5")
    assert front.send().status == 200  # those known stay valid


def test_a_front_that_never_saw_its_keys_refuses_for_now_only(tmp_path):
    keys_broken = RunningFront(tmp_path)
    keys_broken.keys.broken = True
    with keys_broken as front:
        assert front.send().error == "keys_unavailable"
        front.keys.broken = False
        assert front.send().status == 200


def test_methods_that_send_nothing_are_not_allowed(front):
    for path in ("/api/1/envelope/", "/api/1/store/", "/tunnel"):
        answer = front.ask("GET", path)
        assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")


# --- browsers -----------------------------------------------------------------------------------------------------
def test_a_browser_may_ask_and_read(front):
    origin = {"Origin": "https://app.example.com"}
    asked = front.ask(
        "OPTIONS",
        f"/api/1/envelope/?sentry_key={KEY}",
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-encoding,x-sentry-auth",
        },
    )
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert {"x-sentry-auth", "content-encoding", "content-type"} <= {
        name.strip().lower() for name in asked.headers["Access-Control-Allow-Headers"].split(",")
    }
    assert int(asked.headers["Access-Control-Max-Age"]) >= 3600
    sent = front.send(**origin)
    assert sent.headers["Access-Control-Allow-Origin"] == "*"
    exposed = sent.headers["Access-Control-Expose-Headers"]
    assert "X-Sentry-Rate-Limits" in exposed
    assert "Retry-After" in exposed
    refused = front.send(key="b" * 32, **origin)
    assert refused.headers["Access-Control-Allow-Origin"] == "*"  # so that the page can show why


def test_a_key_with_origins_lets_only_those_in(front):
    front.keys.change(ProjectKey(key_id=7, project_id=1, key=KEY, origins=["https://app.example.com", "*.shop.test"]))
    front.send(key="b" * 32)
    for origin in ("https://app.example.com", "http://www.shop.test:8080"):
        for query in ("", f"?sentry_key={KEY}"):
            asked = front.ask("OPTIONS", "/api/1/envelope/" + query, headers={"Origin": origin})
            assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (204, origin)
            assert asked.headers["Vary"] == "Origin"
        sent = front.send(Origin=origin)
        assert (sent.status, sent.headers["Access-Control-Allow-Origin"]) == (200, origin)
    for origin in ("http://app.example.com", "https://shop.test", "null"):
        asked = front.ask("OPTIONS", "/api/1/envelope/", headers={"Origin": origin})
        assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (403, None)
        assert front.send(Origin=origin).error == "origin_refused"
    assert front.send().status == 200  # no browser


# --- limits -------------------------------------------------------------------------------------------------------
def test_a_key_beyond_its_rate_is_told_so_as_sdks_understand(front):
    front.keys.change(
        ProjectKey(key_id=7, project_id=1, key=KEY, rate_limit_per_minute=3),
        ProjectKey(key_id=8, project_id=1, key="b" * 32),
    )
    front.send(key="c" * 32)
    assert [front.send().status for _ in range(3)] == [200] * 3
    answer = front.send()
    assert (answer.status, answer.error) == (429, "rate_limited_key")
    seconds = int(answer.headers["Retry-After"])
    assert 55 <= seconds <= 61
    assert answer.headers["X-Sentry-Rate-Limits"] == f"{seconds}::key:rate_limited_key"
    assert front.send(key="b" * 32).status == 200
    assert len(front.records()) == 4


def test_a_project_beyond_its_rate_stops_all_of_its_keys(tmp_path):
    with RunningFront(tmp_path, project_limit=2) as front:
        front.keys.change(*front.keys.list, ProjectKey(key_id=8, project_id=1, key="b" * 32))
        assert [front.send().status, front.send(key="b" * 32).status] == [200, 200]
        answer = front.send()
        assert (answer.status, answer.error) == (429, "rate_limited_project")
        assert answer.headers["X-Sentry-Rate-Limits"].split(":")[1:] == ["", "project", "rate_limited_project"]


def test_urgent_keys_have_their_own_lane(front):
    front.keys.change(ProjectKey(key_id=7, project_id=1, key=KEY, urgent=True))
    front.send(key="b" * 32)
    assert front.send().status == 200
    assert [len(front.log()[lane]) for lane in Lane] == [1, 0, 0]


def test_a_flood_goes_to_the_spill_lane(front):
    front.parts.fair._per_second = 20
    for _ in range(60):
        assert front.send().status == 200
    lanes = front.log()
    assert len(lanes[Lane.NORMAL]) + len(lanes[Lane.SPILL]) == 60
    assert len(lanes[Lane.SPILL]) >= 20


# --- the front's own paths ----------------------------------------------------------------------------------------
def test_health(front):
    answer = front.ask("GET", "/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")


def test_metrics(tmp_path):
    with RunningFront(tmp_path, more_metrics=lambda: b"catchall_more 1\n") as front:
        front.send()
        front.send(key="b" * 32)
        answer = front.ask("GET", "/metrics")
        assert answer.status == 200
        lines = answer.body.decode().splitlines()
    assert "catchall_intake_accepted_total 1" in lines
    assert 'catchall_intake_lane_total{lane="normal"} 1' in lines
    assert 'catchall_intake_refused_total{reason="key_unknown"} 1' in lines
    assert "catchall_intake_ack_seconds_count 1" in lines
    assert "catchall_more 1" in lines


def test_metrics_are_not_for_everybody(tmp_path):
    with RunningFront(tmp_path, readers=("10.0.0.0/8",), trusted=("127.0.0.1",)) as front:
        assert front.ask("GET", "/metrics").status == 403
        assert front.ask("GET", "/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status == 200


def test_the_peer_behind_a_trusted_proxy_is_the_client(tmp_path):
    with RunningFront(tmp_path, trusted=("127.0.0.1", "10.0.0.0/8")) as front:
        front.send(X_Forwarded_For="1.1.1.1, 203.0.113.9, 10.0.0.3")
    assert only(front).peer == "203.0.113.9"


def test_the_peer_without_a_trusted_proxy_is_who_connected(front):
    front.send(X_Forwarded_For="203.0.113.9")
    assert only(front).peer == "127.0.0.1"
