"""Which header fields pass the front, and what a request and an answer look like behind it."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.intake.addresses import AddressList, networks
from catchall.intake.asgi import Headers, header_map
from catchall.intake.forwarding import answer_headers, request_of
from catchall.intake.metrics import BUCKETS, FrontMetrics

NOBODY = AddressList(())
NAMES = st.sampled_from(
    [b"accept", b"connection", b"x-forwarded-for", b"forwarded", b"cookie", b"te", b"x_y", b"host", b"content-length",
     b"transfer-encoding", b"upgrade", b"x-own", b"expect"]
)  # fmt: skip
VALUES = st.sampled_from([b"", b"1", b"x-own", b"6.6.6.6", b"keep-alive, x-own", b"chunked", b"a=b"])


def scope(headers: Headers, **more: object) -> dict[str, object]:
    found: dict[str, object] = {
        "method": "GET", "raw_path": b"/x", "query_string": b"", "scheme": "http", "client": ("192.0.2.1", 5),
        "headers": headers,
    }  # fmt: skip
    return found | more


def passed(headers: Headers, proxies: AddressList = NOBODY, **more: object) -> h11.Request:
    return request_of(scope(headers, **more), header_map(headers), proxies)


def test_path_and_query_stay_as_they_are():
    assert passed([], raw_path=b"/a%2Fb", query_string=b"q=%20&r").target == b"/a%2Fb?q=%20&r"


def test_fields_named_by_connection_end_here():
    names = {
        name for name, _ in passed([(b"connection", b"close, X-Own"), (b"x-own", b"1"), (b"x-kept", b"2")]).headers
    }
    assert b"x-kept" in names
    assert not {b"x-own", b"connection"} & names


def test_a_request_has_one_host_and_one_framing():
    found = header_map(passed([(b"host", b"a"), (b"content-length", b"5"), (b"transfer-encoding", b"chunked")]).headers)
    assert found[b"host"] == b"a"
    assert found[b"transfer-encoding"] == b"chunked"
    assert b"content-length" not in found


@pytest.mark.parametrize(("claimed", "scheme"), [(b"https", b"https"), (b"HTTPS", b"https"), (b"gopher", b"http")])
def test_the_scheme_of_a_trusted_proxy(claimed, scheme):
    proxies = AddressList(networks(["192.0.2.1"]))
    assert header_map(passed([(b"x-forwarded-proto", claimed)], proxies).headers)[b"x-forwarded-proto"] == scheme
    assert header_map(passed([(b"x-forwarded-proto", claimed)]).headers)[b"x-forwarded-proto"] == b"http"


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
def test_no_client_says_who_it_is_and_nothing_is_said_twice(headers):
    try:
        found = passed(headers).headers
    except h11.LocalProtocolError:
        return
    assert (b"x-forwarded-for", b"192.0.2.1") in found
    names = [name for name, _ in found]
    for name in (b"host", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"):
        assert names.count(name) == 1
    assert not {b"connection", b"upgrade", b"te", b"forwarded", b"expect", b"x_y"} & set(names)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
def test_answers_lose_only_what_ends_at_a_hop(headers):
    kept = answer_headers(headers)
    assert all(pair in headers for pair in kept)
    assert [pair for pair in headers if pair[0] == b"cookie"] == [pair for pair in kept if pair[0] == b"cookie"]
    assert not {b"connection", b"transfer-encoding", b"upgrade"} & {name for name, _ in kept}


def test_fields_sent_twice_are_joined():
    assert header_map([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]) == {b"a": b"1, 3", b"b": b"2"}


@given(st.lists(st.integers(0, 10**9), max_size=50))
def test_the_histogram_of_acks_counts_each_once_where_it_belongs(times):
    metrics = FrontMetrics()
    for microseconds in times:
        metrics.acked(1, 10, microseconds)
    assert sum(metrics.ack_buckets) == len(times)
    lines = dict(line.rsplit(" ", 1) for line in metrics.text().decode().splitlines() if not line.startswith("#"))
    assert int(lines["catchall_intake_ack_seconds_count"]) == len(times)
    for exponent in range(BUCKETS - 1):
        bound = f'catchall_intake_ack_seconds_bucket{{le="{2**exponent / 1e6:g}"}}'
        assert int(lines[bound]) == sum(one < 2**exponent for one in times)
    assert lines['catchall_intake_lane_total{lane="normal"}'] == str(len(times))
