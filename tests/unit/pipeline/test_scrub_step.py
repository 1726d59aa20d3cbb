"""Step 4: nothing secret is left anywhere in an event, whatever part of it held it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.event import (
    Attachment,
    Breadcrumb,
    Cut,
    DeviceContext,
    EventDraft,
    ExceptionInfo,
    Frame,
    HttpContext,
    Process,
    SourceContext,
)
from catchall.core.identity import user_id_of
from catchall.core.scrub import scrubber
from catchall.core.scrub.walk import Marks
from catchall.pipeline.build import freeze
from catchall.pipeline.context import BatchContext
from catchall.pipeline.steps.scrub import scrub
from tests.support.stacks import frames_of
from tests.unit.pipeline.drafts import CONTEXT, KEY, PROJECT, context, draft, frame, raised, raw

MAIL = "jane.doe@example.com"
CARD = "4111-1111-1111-1111"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def scrubbed(where: BatchContext = CONTEXT, **fields: object) -> EventDraft:
    event = draft(**fields)
    scrub(event, where)
    return event


def marks_of(event: EventDraft) -> dict[tuple[str, str], int]:
    return {(mark.rule, mark.path): mark.count for mark in event.scrubbed}


def chain(text: str) -> list[ExceptionInfo]:
    return [
        raised("KeyError", text, [frame(locals=raw({"x": text, "deep": [{"y": text}]}))]),
        raised(
            text,
            text,
            [
                frame(),
                frame(text, filename=text, abs_path=text, context=SourceContext(pre=[text], line=text, post=[text])),
            ],
            module=text,
        ),
    ]


def full_event(secret: str) -> EventDraft:
    """An event with the same secret in every part."""
    text = f"about {secret} today"
    return draft(
        message=text,
        message_template=text,
        transaction=text,
        culprit=text,
        logger=text,
        host_name=text,
        timestamp_text=text,
        tags={"note": text},
        client_fingerprint=["a", text],
        exceptions=chain(text),
        breadcrumbs=[Breadcrumb(message="clean"), Breadcrumb(message=text, category=text, data=raw({"a": [text]}))],
        extra_data=raw({"a": {"b": [text]}, text: 1}),
        debug_meta=raw({"images": [{"code_file": text}]}),
        http_context=HttpContext(
            method="GET",
            url=text,
            query_string=text,
            headers={"X-Note": text},
            body=raw(text),
            remote_address="10.0.0.1",
        ),
        device_context=DeviceContext(os=text, browser=text, model=text, network=text, route=text),
        process=Process(thread=text, runtime=text, environment={"ENV": text}),
        attachments=[Attachment(filename=text)],
        cut=[Cut(path=text, original=2, kept=1)],
    )


@pytest.mark.parametrize(
    ("secret", "rule"),
    [(MAIL, "email"), (CARD, "card"), (JWT, "jwt"), ("078-05-1120", "ssn"), ("DE89370400440532013000", "iban")],
)
def test_a_secret_is_found_in_every_part(secret, rule):
    event = full_event(secret)
    scrub(event, CONTEXT)
    everything = msgspec.json.encode([event, freeze(event)])
    assert secret.encode() not in everything
    assert f"about [masked:{rule}] today" == event.message
    assert frames_of(event, 1)[1].context == SourceContext(
        pre=[event.message], line=event.message, post=[event.message]
    )
    marks = marks_of(event)
    assert marks[rule, "message"] == 1
    assert marks[rule, "exceptions.0.stack_trace.0.locals.x"] == 1
    assert marks[rule, "exceptions.1.stack_trace.1.context"] == 3
    assert marks[rule, "breadcrumbs.1.data.a.0"] == 1
    assert event.breadcrumbs[0].message == "clean"


def test_a_stack_without_exception_is_scrubbed_too():
    event = scrubbed(message="x", stack_trace=[frame(locals=raw({"password": "x1"}), function=MAIL)])
    assert MAIL.encode() not in msgspec.json.encode([event, freeze(event)])
    assert marks_of(event) == {("email", "stack_trace.0.function"): 1, ("password", "stack_trace.0.locals.password"): 1}


def test_an_event_without_secrets_is_left_byte_for_byte():
    extra = b'{ "a" : [1.50, "x"],\n "b": {"c": null} }'
    event = scrubbed(
        message="order 4903072252499017 failed",
        extra_data=msgspec.Raw(extra),
        exceptions=[raised(frames=[frame(locals=raw({"self": "<shop.Cart object at 0x7f54a15e26d5>"}))])],
        tags={"region": "eu-1"},
    )
    assert bytes(event.extra_data) == extra  # type: ignore[arg-type]
    assert event.scrubbed == []
    assert event.stacks[0].locals[0] == raw({"self": "<shop.Cart object at 0x7f54a15e26d5>"})


def test_names_make_values_secret_everywhere():
    event = scrubbed(
        message="x",
        tags={"api_key": "k1", "region": "eu"},
        http_context=HttpContext(
            url="https://u:p1@shop.example.com/?token=t1&page=2",
            query_string="token=t1&page=2",
            headers={"Authorization": "Bearer b1", "Cookie": "sid=c1; theme=dark", "Accept": "*/*"},
            body=raw("user=jo&password=b2"),
        ),
        extra_data=raw({"kwargs": "{'secret': 's1'}"}),
        breadcrumbs=[Breadcrumb(data=raw({"csrfToken": "x9", "n": 1}))],
    )
    assert event.tags == {"api_key": "[masked:api_key]", "region": "eu"}
    http = event.http_context
    assert http is not None
    assert http.url == "https://u:[masked:url_password]@shop.example.com/?token=[masked:token]&page=2"
    assert http.query_string == "token=[masked:token]&page=2"
    assert http.headers == {
        "Authorization": "[masked:authorization]",
        "Cookie": "sid=[masked:cookie]; theme=dark",
        "Accept": "*/*",
    }
    assert http.body == raw("user=jo&password=[masked:password]")
    assert json.loads(bytes(event.extra_data)) == {"kwargs": "{'secret': '[masked:secret]'}"}  # type: ignore[arg-type]
    assert json.loads(bytes(event.breadcrumbs[0].data)) == {"csrfToken": "[masked:csrf]", "n": 1}  # type: ignore[arg-type]


def test_ids_are_no_secrets():
    headers = {"X-Request-Id": "4111111111111111", "Host": "shop.example.com"}
    event = scrubbed(
        message="x",
        request_id="4111111111111111",
        trace_id="41111111111111114111111111111111",
        release_version="shop@1.2.beta",
        http_context=HttpContext(headers=dict(headers)),
    )
    assert event.http_context is not None
    assert event.http_context.headers == headers
    assert (event.request_id, event.release_version) == ("4111111111111111", "shop@1.2.beta")
    assert event.scrubbed == []


def test_a_projects_own_names():
    where = context(scrub_keys=("kunden-nr",))
    locals_ = raw({"kundenNr": 77, "note": "kunden_nr=78"})
    fields = {"message": "x", "exceptions": [raised(frames=[frame(locals=locals_)])]}
    event = scrubbed(where, **fields)
    assert json.loads(bytes(event.stacks[0].locals[0])) == {
        "kundenNr": "[masked:project]",
        "note": "kunden_nr=[masked:project]",
    }
    other = scrubbed(message="x", exceptions=[raised(frames=[frame(locals=locals_)])])
    assert other.scrubbed == []


def test_a_known_stack_is_masked_again():
    """The answer for a stack is remembered: the second event with it must be as clean as the first."""

    def one() -> EventDraft:
        line = SourceContext(line=f'SUPPORT = "{MAIL}"')
        return scrubbed(message="x", exceptions=[raised(frames=[frame("known_stack", context=line)])])

    first, second = one(), one()
    for event in (first, second):
        assert frames_of(event, 0)[0].context == SourceContext(line='SUPPORT = "[masked:email]"')
        assert MAIL.encode() not in event.stacks[0].frames
        assert marks_of(event) == {("email", "exceptions.0.stack_trace.0.context"): 1}
    assert first.stacks[0].digest == second.stacks[0].digest


def test_code_is_no_secret():
    line = SourceContext(line="user = login(password=password, token=get_token())")
    assert scrubbed(message="x", exceptions=[raised(frames=[frame(context=line)])]).scrubbed == []


@pytest.mark.parametrize(
    ("user", "hashed"),
    [
        ({"id": 17, "email": MAIL}, "17"),
        ({"id": " 17 "}, "17"),
        ({"email": "Jane.Doe@Example.com"}, f"email:{MAIL}"),
        ({"username": "jane"}, "username:jane"),
        ({"ip_address": "198.51.100.7"}, "ip_address:198.51.100.7"),
    ],
)
def test_of_a_user_only_a_keyed_hash_stays(user, hashed):
    event = scrubbed(message="x", user_raw=user)
    assert event.user_id == user_id_of(KEY, PROJECT, hashed)
    assert event.user_raw == {}


def test_a_user_without_anything_is_nobody():
    assert scrubbed(message="x", user_raw={"id": "", "email": None}).user_id == ""


def test_a_project_may_keep_ids_but_never_mails():
    where = context(keep_user_ids=True)
    assert scrubbed(where, message="x", user_raw={"id": "u-17", "email": MAIL}).user_id == "u-17"
    assert scrubbed(where, message="x", user_raw={"email": MAIL}).user_id == user_id_of(KEY, PROJECT, f"email:{MAIL}")


def test_addresses_are_dropped_unless_kept():
    def sent() -> HttpContext:
        return HttpContext(remote_address="198.51.100.7", headers={"X-Forwarded-For": "198.51.100.7", "Host": "h"})

    event = scrubbed(message="x", http_context=sent())
    assert event.http_context == HttpContext(headers={"X-Forwarded-For": "[masked:address]", "Host": "h"})
    assert len(event.scrubbed) == 2
    assert scrubbed(context(keep_addresses=True), message="x", http_context=sent()).http_context == sent()


def test_bytes_that_are_no_utf_8_are_read_all_the_same():
    event = scrubbed(message="x", extra_data=msgspec.Raw(b'{"a":"\xff","password":"x1"}'), tags={"n": "v"})
    assert bytes(event.extra_data) == '{"a":"\ufffd","password":"[masked:password]"}'.encode()  # type: ignore[arg-type]
    assert event.tags == {"n": "v"}


texts = st.sampled_from(["x", "clean text", MAIL, f"see {CARD}", "password=x1", "日本", "token", '{"token":"x1"}'])
objects = st.dictionaries(st.sampled_from(["a", "password", "note", "userToken", "é"]), texts, max_size=3)


@given(st.lists(objects, max_size=4), objects, objects, texts, st.lists(st.tuples(texts, objects), max_size=4))
def test_the_screen_changes_nothing_but_the_time(found, extra, tags, message, crumbs):
    """Screen and walk together give what the walk alone gives."""
    event = draft(
        message=message,
        tags=dict(tags),
        extra_data=raw(extra),
        exceptions=[raised("E", message, [Frame(function="f", locals=raw(one)) for one in found])],
        breadcrumbs=[Breadcrumb(message=text, data=raw(data)) for text, data in crumbs],
    )
    scrub(event, CONTEXT)
    walk = scrubber().walk

    def masked(value: object) -> object:
        return json.loads(walk.json(json.dumps(value).encode(), "x", Marks()))

    assert event.message == masked(message)
    assert event.tags == masked(tags)
    assert json.loads(bytes(event.extra_data)) == masked(extra)  # type: ignore[arg-type]
    locals_ = [json.loads(bytes(one)) for stack in event.stacks for one in stack.locals.values()]
    assert locals_ == [masked(one) for one in found]
    assert [(crumb.message, json.loads(bytes(crumb.data))) for crumb in event.breadcrumbs] == [  # type: ignore[arg-type]
        (masked(text), masked(data)) for text, data in crumbs
    ]
