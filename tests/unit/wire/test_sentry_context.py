"""Tags, request, contexts, breadcrumbs and extra data of a Sentry event go to their places in the draft."""

import pytest
from msgspec import UNSET, Raw

from catchall.core import limits
from catchall.core.event import Breadcrumb, DeviceContext
from tests.support.sentry_drafts import draft, value
from tests.support.stacks import breadcrumbs_of, frames_of


class TestTags:
    @pytest.mark.parametrize(
        ("tags", "found"),
        [
            (
                {"a": "1", "b": 2, "c": 1.5, "d": True, "e": None, "f": ""},
                {"a": "1", "b": "2", "c": "1.5", "d": "true"},
            ),
            ([["a", 1], ["b", None], ["c"], "d"], {"a": "1"}),
            ([{"key": "a", "value": "1"}], {"a": "1"}),
            ({"a": {"b": 1}, "": "x"}, {"a": '{"b":1}'}),
            (None, {}),
            ("text", {}),
        ],
    )
    def test_forms(self, tags, found):
        assert draft(tags=tags).tags == found

    def test_three_hundred_of_ten_kilobytes(self):
        found = draft(
            tags={f"{number:03d}" + "k" * 100: "v" * 10_000 for number in range(300)}, extra={"x": "y" * 300_000}
        )
        assert len(found.tags) == limits.TAGS_MAX
        assert {len(key) for key in found.tags} == {limits.TAG_KEY_CHARS_MAX}
        assert {len(one) for one in found.tags.values()} == {limits.TAG_VALUE_CHARS_MAX}
        assert found.cut[0].path == "tags" and found.cut[0].original == 300
        assert found.cut[-1].path == "extra_data"


class TestSurroundings:
    def test_breadcrumbs(self):
        crumb = {
            "timestamp": 1795462558.5,
            "type": "http",
            "category": "c",
            "level": "info",
            "message": "m",
            "data": {"a": 1},
        }
        found = breadcrumbs_of(draft(breadcrumbs={"values": [crumb, {"message": None, "data": None}]}))
        assert found == [
            Breadcrumb(
                timestamp="2026-11-23T19:35:58.500000Z",
                type="http",
                category="c",
                level="info",
                message="m",
                data=Raw(b'{"a": 1}'),
            ),
            Breadcrumb(),
        ]

    @pytest.mark.parametrize("crumbs", [[{"message": 5, "timestamp": "x", "data": [1]}], {"message": 5, "data": [1]}])
    def test_breadcrumbs_of_other_forms(self, crumbs):
        assert breadcrumbs_of(draft(breadcrumbs=crumbs)) == [Breadcrumb(message="5", data=Raw(b"[1]"))]

    def test_the_newest_breadcrumbs_stay(self):
        found = draft(breadcrumbs=[{"message": str(number)} for number in range(150)])
        assert [found.breadcrumbs[0].message, found.breadcrumbs[-1].message] == ["50", "149"]
        assert [(cut.path, cut.original, cut.kept) for cut in found.cut] == [
            ("breadcrumbs", 150, limits.BREADCRUMBS_MAX)
        ]

    def test_large_breadcrumbs_are_thinned_out(self):
        found = draft(breadcrumbs=[{"message": "m" * 9000, "data": {"a": "x" * 20_000, "b": 1}}])
        assert len(found.breadcrumbs[0].message) == limits.BREADCRUMB_MESSAGE_CHARS_MAX
        assert value(found.breadcrumbs[0].data)["b"] == 1
        assert {cut.path for cut in found.cut} == {"breadcrumbs.0.message", "breadcrumbs.0.data"}

    def test_a_request(self):
        found = draft(
            request={
                "url": "https://shop/a?b=1",
                "method": "POST",
                "query_string": "b=1",
                "headers": {"Host": "shop"},
                "data": {"total": 12},
                "env": {"REMOTE_ADDR": "203.0.113.1", "SERVER_PORT": 80},
                "cookies": {"sid": "1", "theme": "dark"},
            },
            contexts={"response": {"status_code": 502, "body_size": 3}},
        )
        context = found.http_context
        assert context
        assert (context.url, context.method, context.query_string) == ("https://shop/a?b=1", "POST", "b=1")
        assert context.headers == {"Host": "shop", "Cookie": "sid=1; theme=dark"}
        assert (value(context.body), context.remote_address, context.status_code) == ({"total": 12}, "203.0.113.1", 502)
        assert value(found.extra_data) == {"contexts": {"response": {"body_size": 3}}}

    def test_a_request_of_other_forms(self):
        found = draft(
            request={
                "url": 7,
                "query_string": [["a", 1], ["b", "2"]],
                "headers": [["Accept", ["a", "b"]], ["X-N", 5]],
                "cookies": [["sid", "1"]],
                "data": "a=1&b=2",
                "env": "none",
            }
        ).http_context
        assert found
        assert (found.url, found.query_string) == ("7", "a=1&b=2")
        assert found.headers == {"Accept": "a, b", "X-N": "5", "Cookie": "sid=1"}
        assert (value(found.body), found.remote_address) == ("a=1&b=2", "")
        assert draft(request={"query_string": {"a": 1}}).http_context.query_string == "a=1"
        assert draft(request="nonsense").http_context is None

    def test_cookies_do_not_hide_the_header_that_was_sent(self):
        for sent, kept in (("a=1", "a=1"), ("[Filtered]", "sid=1")):
            found = draft(request={"headers": {"cookie": sent}, "cookies": {"sid": "1"}}).http_context
            assert found and found.headers == {"cookie": kept}

    def test_a_user_is_kept_for_the_hash_and_no_more(self):
        assert draft(user={"id": 7, "email": "a@b.c", "data": {"x": 1}}).user_raw == {"id": 7, "email": "a@b.c"}
        assert draft(user="u-1").user_raw == {"id": "u-1"}
        assert draft(user=None).user_raw == {}
        assert draft(user={"id": "x" * 5000, "n": None}).user_raw == {"id": "x" * limits.NAME_CHARS_MAX}

    def test_contexts_go_to_their_places_and_the_rest_stays_together(self):
        found = draft(
            contexts={
                "trace": {
                    "trace_id": "t",
                    "span_id": "s",
                    "parent_span_id": None,
                    "op": "http",
                    "data": {"thread.name": "T"},
                },
                "runtime": {"name": "CPython", "version": "3.11.2", "build": "x", "type": "runtime"},
                "os": {"name": "Debian", "version": "12.11\n"},
                "browser": {"name": "Firefox", "version": "130"},
                "device": {"model": "Pixel", "connection_type": "wifi", "arch": "arm"},
                "process": {"pid": 77},
                "cart": {"items": 3},
                "empty": {},
                "text": "as it is",
            },
            extra={"k": 1},
        )
        assert (found.trace_id, found.span_id) == ("t", "s")
        assert found.process and (found.process.runtime, found.process.pid, found.process.thread) == (
            "CPython 3.11.2",
            77,
            "T",
        )
        assert found.device_context == DeviceContext(
            os="Debian 12.11", browser="Firefox 130", model="Pixel", network="wifi"
        )
        assert value(found.extra_data) == {
            "k": 1,
            "contexts": {
                "trace": {"op": "http", "data": {"thread.name": "T"}},
                "runtime": {"build": "x"},
                "device": {"arch": "arm"},
                "cart": {"items": 3},
                "text": "as it is",
            },
        }

    @pytest.mark.parametrize(
        "contexts", [{"trace": "x", "runtime": 5, "os": [], "device": None, "response": 1}, [], "x", 7]
    )
    def test_contexts_of_odd_types(self, contexts):
        found = draft(contexts=contexts)
        assert (found.trace_id, found.process, found.device_context) == ("", None, None)

    def test_the_client_s_own_names_in_the_extra_data_stay(self):
        found = draft(extra={"contexts": 1, "modules": 2}, contexts={"a": {"b": 1}}, modules={"x": "1"})
        assert value(found.extra_data) == {
            "contexts": 1,
            "modules": 2,
            "contexts_": {"a": {"b": 1}},
            "modules_": {"x": "1"},
        }

    @pytest.mark.parametrize(("extra", "found"), [([1], {"value": [1]}), ("a", {"value": "a"}), (7, {"value": 7})])
    def test_extra_data_that_is_no_object(self, extra, found):
        assert value(draft(extra=extra).extra_data) == found
        assert value(draft(extra=extra, modules={"x": "1"}).extra_data) == {**found, "modules": {"x": "1"}}

    def test_only_short_lists_of_packages_are_kept(self):
        assert value(draft(modules={"django": "5.2"}).extra_data) == {"modules": {"django": "5.2"}}
        assert draft(modules={f"package-{number}": "1.0" for number in range(100)}).extra_data is UNSET

    def test_large_contexts_and_extra_data_are_thinned_out(self):
        found = draft(contexts={"redux": {"state": "x" * 50_000, "id": 7}}, extra={"a": "y" * 400_000, "b": 1})
        kept = value(found.extra_data)
        assert isinstance(found.extra_data, Raw) and len(found.extra_data) <= limits.EXTRA_BYTES_MAX
        assert (kept["contexts"]["redux"]["id"], kept["b"]) == (7, 1)
        assert [cut.path for cut in found.cut] == ["extra_data.contexts.redux", "extra_data"]

    def test_debug_meta_stays_as_it_is(self):
        meta = {"images": [{"type": "sourcemap", "debug_id": "x"}]}
        assert value(draft(debug_meta=meta).debug_meta) == meta


def test_raw_parts_hold_no_hidden_letters():
    found = draft(
        rb'{"extra":{"\u0070assword":"a\/b"},"exception":[{"type":"E","stacktrace":[{"vars":{"\u0061":"\u00e9"}}]}]}'
    )
    assert bytes(found.extra_data) == b'{"password":"a/b"}'  # type: ignore[arg-type]
    assert bytes(frames_of(found, 0)[0].locals) == '{"a":"é"}'.encode()  # type: ignore[arg-type]
