"""What a Sentry event says goes to its place in the draft, whatever types its client chose."""

from typing import Any

import pytest
from msgspec import UNSET, Raw

from catchall.core import limits
from catchall.core.event import Client, Frame, Mechanism, SourceContext
from tests.support.sentry_drafts import draft, stack, value
from tests.support.stacks import frames_of


def frame(**fields: Any) -> Frame:
    (found,) = frames_of(draft(exception=[{"type": "E", "stacktrace": stack(fields)}]), 0)
    return found


class TestExceptions:
    def test_the_chain_ends_with_the_one_at_the_top(self):
        found = draft(
            exception={
                "values": [
                    {
                        "type": "KeyError",
                        "value": "'a'",
                        "module": "builtins",
                        "stacktrace": stack({"function": "deep"}),
                    },
                    {
                        "type": "GatewayError",
                        "value": "no",
                        "mechanism": {"type": "flask", "handled": False, "exception_id": 0},
                        "stacktrace": stack({"function": "outer"}, {"function": "inner"}),
                    },
                ]
            },
            level="fatal",
        )
        assert [(one.error_type, one.message) for one in found.exceptions] == [
            ("KeyError", "'a'"),
            ("GatewayError", "no"),
        ]
        assert [one.function for one in frames_of(found, 1)] == ["outer", "inner"]
        assert found.exceptions[0].module == "builtins"
        assert found.exceptions[1].mechanism == Mechanism(type="flask", handled=False, exception_id=0)
        assert (found.error_type, found.message, found.handled, found.level) == ("GatewayError", "no", False, "fatal")

    def test_groups_keep_their_tree(self):
        parts = [
            {"exception_id": 1, "parent_id": 0, "source": "errors[0]"},
            {"exception_id": 0, "is_exception_group": True},
        ]
        found = draft(exception={"values": [{"type": "E", "mechanism": part} for part in parts]})
        child, group = (one.mechanism for one in found.exceptions)
        assert child and (child.exception_id, child.parent_id, child.source) == (1, 0, "errors[0]")
        assert group and group.is_exception_group

    @pytest.mark.parametrize(
        "exception",
        [
            {"values": [{"type": "E", "value": "v"}]},
            [{"type": "E", "value": "v"}],
            {"type": "E", "value": "v"},
            {"values": [None, {"type": "E", "value": "v", "stacktrace": None, "mechanism": None}]},
            {"values": [{"type": "E", "value": "v", "mechanism": "generic", "stacktrace": "none"}]},
        ],
    )
    def test_forms_of_one_exception(self, exception):
        found = draft(exception=exception)
        assert [(one.error_type, one.message) for one in found.exceptions] == [("E", "v")]

    @pytest.mark.parametrize("exception", [None, [], {}, {"values": None}, {"values": []}, 7, [None]])
    def test_forms_of_none(self, exception):
        assert draft(exception=exception).exceptions == []

    @pytest.mark.parametrize(
        ("exception", "message"), [("boom", "boom"), ([{"value": {"code": 7}}], '{"code":7}'), (["a"], "a")]
    )
    def test_what_has_no_type_is_a_message(self, exception, message):
        found = draft(exception=exception)
        assert (found.exceptions, found.error_type, found.message) == ([], "", message)

    def test_a_message_with_a_stack_is_no_exception(self):
        lone = {
            "value": "slow",
            "mechanism": {"synthetic": True, "handled": True},
            "stacktrace": stack({"function": "f"}),
        }
        found = draft(message="slow", exception={"values": [lone]})
        assert (found.message, found.exceptions, found.handled) == ("slow", [], True)
        assert [one.function for one in frames_of(found)] == ["f"]

    def test_too_many_keep_the_first_and_the_primary_one(self):
        found = draft(exception=[{"type": f"E{number}"} for number in range(80)])
        kept = [one.error_type for one in found.exceptions]
        assert len(kept) == limits.EXCEPTIONS_MAX
        assert (kept[0], kept[-2], kept[-1]) == ("E0", "E48", "E79")
        assert [(cut.path, cut.original, cut.kept, cut.unit) for cut in found.cut] == [
            ("exceptions", 80, limits.EXCEPTIONS_MAX, "exceptions")
        ]

    def test_handled_is_what_the_last_to_say_so_says(self):
        chain = [{"type": "A", "mechanism": {"handled": False}}, {"type": "B", "mechanism": {"type": "x"}}]
        assert draft(exception=chain).handled is False
        assert draft(exception=[{"type": "A"}]).handled is None


class TestFrames:
    def test_all_that_a_frame_says(self):
        found = frame(
            function="f",
            module="m",
            filename="a.py",
            abs_path="/srv/a.py",
            lineno=12,
            colno=3,
            in_app=True,
            pre_context=["1", "2"],
            context_line="3",
            post_context=["4"],
            vars={"x": "1"},
        )
        assert found == Frame(
            function="f",
            module="m",
            filename="a.py",
            abs_path="/srv/a.py",
            lineno=12,
            colno=3,
            in_app=True,
            context=SourceContext(pre=["1", "2"], line="3", post=["4"]),
            locals=Raw(b'{"x":"1"}'),
        )

    def test_a_frame_that_says_nothing(self):
        assert frame() == Frame()
        assert frame(function=None, lineno=None, vars=None, pre_context=None, in_app=None) == Frame()
        assert frame(vars={}) == frame(vars=[]) == Frame()

    @pytest.mark.parametrize("line", ["12", 12.0, " 12 "])
    def test_numbers_of_other_types(self, line):
        assert frame(lineno=line, colno=line).lineno == 12

    @pytest.mark.parametrize("line", [0, -2, "x", None, [], 2**40, True, 1e300])
    def test_numbers_that_are_none(self, line):
        assert frame(lineno=line, colno=line) == Frame()

    def test_values_of_wrong_types(self):
        found = frame(function=7, filename={"a": 1}, in_app="true", pre_context="x", context_line=5, vars=[1, 2])
        assert (found.function, found.filename, found.in_app) == ("7", '{"a":1}', True)
        assert found.context == SourceContext(line="5")
        assert value(found.locals) == {"value": [1, 2]}

    def test_a_stack_may_be_a_bare_list_and_hold_anything(self):
        found = draft(exception=[{"type": "E", "stacktrace": [{"function": "f"}, None, "g", 7]}])
        assert [one.function for one in frames_of(found, 0)] == ["f", "g", "7"]

    def test_native_frames_are_known_by_package_and_address(self):
        found = frame(package="/lib/libc.so.6", instruction_addr="0x7f01")
        assert (found.function, found.module) == ("0x7f01", "/lib/libc.so.6")

    @pytest.mark.parametrize("name", ["<anonymous>", "node:internal/main", "webpack:///./a.js", "C:\\x\\y.cs"])
    def test_names_of_files_stay_as_they_are(self, name):
        assert frame(filename=name).filename == name
        assert frame(filename=name).abs_path == ""

    def test_a_path_as_name_is_the_path_too(self):
        assert frame(filename="/srv/a.js").abs_path == "/srv/a.js"

    def test_v8_s_empty_receiver_goes(self):
        for platform, name in (("node", "run"), ("javascript", "run"), ("python", "Object.run")):
            found = draft(platform=platform, exception=[{"type": "E", "stacktrace": stack({"function": "Object.run"})}])
            assert frames_of(found, 0)[0].function == name

    def test_what_is_too_long_is_cut_and_told_where(self):
        long = "x" * 5000
        body = {
            "function": long,
            "context_line": long,
            "pre_context": [f"line {number}" for number in range(30)],
            "post_context": [f"line {number}" for number in range(30)],
            "vars": {"big": "y" * 50_000, "small": "1"},
        }
        found = draft(exception=[{"type": "E", "stacktrace": stack({}, body)}])
        one = frames_of(found, 0)[1]
        assert one.context
        assert len(one.function) == limits.FRAME_TEXT_CHARS_MAX
        assert len(one.context.line) == limits.CONTEXT_LINE_CHARS_MAX
        assert (one.context.pre[0], one.context.pre[-1], len(one.context.pre)) == ("line 20", "line 29", 10)
        assert (one.context.post[0], one.context.post[-1]) == ("line 0", "line 9")
        assert isinstance(one.locals, Raw) and len(one.locals) <= limits.LOCALS_BYTES_MAX + 20
        assert value(one.locals)["small"] == "1"
        where = "exceptions.0.stack_trace.1."
        assert {(cut.path, cut.unit) for cut in found.cut} == {
            (where + "function", "characters"),
            (where + "context.line", "characters"),
            (where + "context.pre", "lines"),
            (where + "context.post", "lines"),
            (where + "locals", "bytes"),
        }

    def test_long_stacks_keep_both_ends(self):
        found = draft(exception=[{"type": "E", "stacktrace": stack(*[{"function": f"f{n}"} for n in range(999)])}])
        names = [one.function for one in frames_of(found, 0)]
        assert len(names) == limits.FRAMES_MAX
        assert (names[0], names[124], names[125], names[-1]) == ("f0", "f124", "f874", "f998")
        assert [(cut.path, cut.original, cut.unit) for cut in found.cut] == [
            ("exceptions.0.stack_trace", 999, "frames")
        ]


class TestThreads:
    def test_the_crashed_thread_s_stack_is_that_of_an_exception_without(self):
        found = draft(
            exception=[{"type": "SIGSEGV"}],
            threads={"values": [{"id": 1, "stacktrace": stack({"function": "no"})}, {"id": 2, "name": "worker",
                     "crashed": True, "stacktrace": stack({"function": "crash"})}]},
        )  # fmt: skip
        assert [one.function for one in frames_of(found, 0)] == ["crash"]
        assert found.process and found.process.thread == "worker"

    def test_the_current_thread_s_stack_is_that_of_a_message(self):
        found = draft(
            message="m", threads=[{"stacktrace": stack({"function": "f"}), "current": True, "id": 5}, {"id": 6}]
        )
        assert [one.function for one in frames_of(found)] == ["f"]
        assert found.process and found.process.thread == "5"

    def test_an_only_thread_needs_no_mark(self):
        assert frames_of(draft(message="m", threads=[{"stacktrace": [{"function": "f"}]}]))[0].function == "f"

    def test_the_exception_names_its_thread(self):
        threads = [{"id": 1, "name": "a", "current": True}, {"id": "2", "name": "b"}]
        found = draft(exception=[{"type": "E", "thread_id": 2}], threads=threads)
        assert found.process and found.process.thread == "b"

    def test_an_exception_s_own_stack_wins(self):
        found = draft(
            exception=[{"type": "E", "stacktrace": stack({"function": "own"})}],
            threads=[{"crashed": True, "stacktrace": stack({"function": "no"})}],
        )
        assert frames_of(found, 0)[0].function == "own"
        assert frames_of(found) == []

    def test_a_bare_stack_is_that_of_the_event(self):
        assert frames_of(draft(message="m", stacktrace=stack({"function": "f"})))[0].function == "f"


class TestMessages:
    @pytest.mark.parametrize(
        ("fields", "message", "template"),
        [
            ({"message": "text"}, "text", ""),
            ({"logentry": "text"}, "text", ""),
            ({"logentry": {"message": "a %s", "formatted": "a b", "params": ["b"]}}, "a b", "a %s"),
            ({"message": {"message": "a %s", "params": ["b"]}}, "a b", "a %s"),
            (
                {"logentry": {"message": "%d of %s and {}", "params": [1, "two", None]}},
                "1 of two and ",
                "%d of %s and {}",
            ),
            ({"logentry": {"message": "%999999999d", "params": [1]}}, "%999999999d", ""),
            ({"logentry": {"message": "a %s", "params": {"x": 1}}}, "a %s", ""),
            ({"logentry": {"message": "a %s %s", "params": ["%s", "b"]}}, "a %s b", "a %s %s"),
            ({"message": 42}, "42", ""),
            ({"message": ["a"]}, '["a"]', ""),
            ({"message": None, "logentry": None}, "", ""),
            ({}, "", ""),
        ],
    )
    def test_forms(self, fields, message, template):
        found = draft(**fields)
        assert (found.message, found.message_template) == (message, template)

    def test_parameters_are_kept(self):
        found = draft(logentry={"message": "stock of %s", "formatted": "stock of A", "params": ["A"]})
        assert value(found.extra_data) == {"logentry": {"message": "stock of %s", "params": ["A"]}}

    def test_what_was_logged_with_an_exception_is_kept_beside_it(self):
        entry = {"message": "checkout of %s failed", "formatted": "checkout of A failed", "params": ["A"]}
        found = draft(logentry=entry, exception=[{"type": "E", "value": "boom"}], extra={"k": 1})
        assert (found.message, found.message_template) == ("boom", "")
        assert value(found.extra_data) == {"k": 1, "logentry": entry}
        assert draft(logentry=entry, exception=[{"type": "E"}]).message == "checkout of A failed"

    def test_long_ones_are_cut(self):
        long = "m" * 50_000
        found = draft(message=long, exception=[{"type": "E" * 1000, "value": long}])
        assert len(found.message) == limits.MESSAGE_CHARS_MAX
        assert len(found.error_type) == limits.ERROR_TYPE_CHARS_MAX
        assert {cut.path for cut in found.cut} == {"message", "exceptions.0.error_type", "exceptions.0.message"}


class TestNames:
    def test_all(self):
        found = draft(
            platform="python", logger="l", transaction="t", culprit="c", server_name="h", release="r", dist="d",
            environment="e", level="warning", sdk={"name": "sentry.python", "version": "2.0"}, fingerprint=["a", "b"],
        )  # fmt: skip
        names = (found.platform, found.logger, found.transaction, found.culprit, found.host_name)
        assert names == ("python", "l", "t", "c", "h")
        assert (found.release_version, found.dist, found.environment, found.level) == ("r", "d", "e", "warning")
        assert found.client == Client(name="sentry.python", version="2.0")
        assert found.client_fingerprint == ["a", "b"]

    def test_an_event_that_says_nothing_is_an_event(self):
        found = draft()
        assert (found.event_id, found.message, found.exceptions, found.timestamp) == ("a" * 32, "", [], None)
        assert (found.client, found.process, found.http_context, found.extra_data) == (None, None, None, UNSET)

    @pytest.mark.parametrize(("level", "word"), [(40, "error"), ("50", "fatal"), (7, "7"), (None, ""), (True, "true")])
    def test_levels(self, level, word):
        assert draft(level=level).level == word

    def test_names_of_wrong_types_and_lengths(self):
        found = draft(release=1.4, dist=77, environment=None, server_name=["a"], logger="x" * 500, transaction={"a": 1})
        assert (found.release_version, found.dist, found.environment) == ("1.4", "77", "")
        assert (found.host_name, found.transaction) == ('["a"]', '{"a":1}')
        assert len(found.logger) == limits.NAME_CHARS_MAX
        assert [cut.path for cut in found.cut] == ["logger"]

    @pytest.mark.parametrize(
        ("fingerprint", "found"),
        [
            (["{{ default }}", "x"], ["{{ default }}", "x"]),
            ([1, None, True], ["1", "", "true"]),
            ("alone", ["alone"]),
            (None, []),
            ([], []),
        ],
    )
    def test_fingerprints(self, fingerprint, found):
        assert draft(fingerprint=fingerprint).client_fingerprint == found

    def test_times(self):
        assert draft(timestamp="2026-11-23T19:35:58.462954Z").timestamp == 1_795_462_558_462_954
        assert draft(timestamp=1795462558.462954).timestamp == 1_795_462_558_462_954
        found = draft(timestamp="yesterday")
        assert (found.timestamp, found.timestamp_text) == (None, "yesterday")
        assert draft(timestamp=[1]).timestamp_text == "[1]"

    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({"tags": {"service.name": "shop"}}, "shop"),
            ({"tags": [["service", "shop"]]}, "shop"),
            ({"contexts": {"service": {"name": "shop"}}}, "shop"),
            ({"contexts": {"otel": {"resource": {"service.name": "shop"}}}}, "shop"),
            ({"contexts": {"service": "x", "otel": {"resource": []}}}, ""),
        ],
    )
    def test_services(self, fields, name):
        assert draft(**fields).service_name == name
