"""The recorded requests of real SDKs, sent to a running catchall, come out as the events that the programs raised."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from bench.server import Server
from tests.support.api import Api
from tests.support.corpus import KEY, Recorded, problems, recordings

POSTS = [recorded for recorded in recordings() if recorded.method == "POST"]
HOP_BY_HOP = {"host", "content-length", "transfer-encoding", "connection"}


def send(server: Server, project: dict[str, Any], recorded: Recorded) -> int:
    """Send a recorded request as it was, with this installation's project and key; the answer's status."""
    query = "&".join(f"{name}={value}" for name, values in recorded.query.items() for value in values)
    path = recorded.path.replace("/api/42/", f"/api/{project['id']}/") + (f"?{query}" if query else "")
    headers = {name: value for name, value in recorded.headers.items() if name not in HOP_BY_HOP}
    swap = (KEY, project["key"])
    body = recorded.body.replace(KEY.encode(), project["key"].encode())
    request = urllib.request.Request(
        server.url + path.replace(*swap),
        data=_for_project(body, recorded, project),
        headers={name: value.replace(*swap) for name, value in headers.items()},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code


def _for_project(body: bytes, recorded: Recorded, project: dict[str, Any]) -> bytes:
    """A tunnel's envelope names its project in the DSN of its first line."""
    if not recorded.path.startswith("/tunnel"):
        return body
    head, _, rest = body.partition(b"\n")
    header = json.loads(head)
    header["dsn"] = project["dsn"]
    return json.dumps(header).encode() + b"\n" + rest


@pytest.fixture(scope="module")
def stored(server: Server) -> dict[str, dict[str, Any]]:
    """All recorded requests sent and drained: the stored events by id, as the JSON API prints them."""
    project = server.create_project("corpus")
    answers = {recorded.name: send(server, project, recorded) for recorded in POSTS}
    assert {name: code for name, code in answers.items() if code != 200} == {}
    server.drain()
    lines = server.command("events", "--project", "corpus", "--limit", "100000", "--json").splitlines()
    printed = {event["event_id"]: event for event in map(json.loads, lines)}
    api = Api(server)
    answered = {event_id: api.event(project["id"], event_id) for event_id in printed}
    assert answered == printed, "the command line and the API print the same"
    return answered


def _sent_id(recorded: Recorded) -> str:
    from catchall.wire import sentry
    from catchall.wire.encoding import inflate_head

    head = inflate_head(recorded.body[:4096], recorded.headers.get("content-encoding", ""), 8192)
    return sentry.frame(head, complete=False).event_id


@pytest.mark.parametrize("recorded", [one for one in POSTS if one.expect["events"]], ids=lambda one: one.name)
def test_the_event_is_what_the_program_raised(stored: dict[str, dict[str, Any]], recorded: Recorded) -> None:
    (expected,) = recorded.expect["events"]
    event = stored[_sent_id(recorded)]
    assert problems(event, expected, expected.get("pii_on_wire", [])) == []


def test_every_request_is_accounted_for(server: Server, stored: dict[str, dict[str, Any]]) -> None:
    ledger = server.ledger()
    assert ledger["balanced"], ledger["differences"]
    assert ledger["requests"] == {"accepted": len(POSTS), "committed": len(POSTS), "waiting": 0}
    assert ledger["items"]["dead"] == 0
    assert ledger["items"]["stored"] >= len(stored)


def test_the_same_requests_again_change_nothing_but_the_count_of_duplicates(
    server: Server, stored: dict[str, dict[str, Any]]
) -> None:
    key = json.loads(server.command("key", "list", "corpus", "--json").splitlines()[0])
    project = {"id": int(key["dsn"].rpartition("/")[2]), "key": key["key"], "dsn": key["dsn"]}
    before = server.ledger()["items"]
    for recorded in POSTS:
        if recorded.expect["events"]:
            assert send(server, project, recorded) == 200
    server.drain()
    after = server.ledger()
    assert after["balanced"], after["differences"]
    assert after["items"]["stored"] == before["stored"]
    assert after["items"]["duplicate"] >= before["duplicate"] + len(stored)
