"""Real programs with an unmodified @sentry/node: each ends as an issue with a readable stack, seen through the API."""

import json
from typing import Any, NamedTuple

import pytest

from bench.server import Server
from tests.support.api import Api
from tests.support.clients import require_clients, run_program


class Told(NamedTuple):
    """What an event must say. `line`: the source line of the innermost frame."""

    error_type: str
    message: str
    function: str
    line: str
    handled: bool


PROGRAMS = {
    "uncaught": Told(
        "TypeError",
        "Cannot read properties of undefined (reading 'length')",
        "totalOf",
        "return cart.lines.length + password.length;",
        False,
    ),
    "rejection": Told(
        "RangeError", "amount is negative", "chargeCard", 'throw new RangeError("amount is negative");', False
    ),
    "cause": Told(
        "TypeError",
        "order not placed",
        "placeOrder",
        'throw new TypeError("order not placed", { cause: error });',
        True,
    ),
    "http": Told(
        "Error", "no basket for GET", "showBasket", "throw new Error(`no basket for ${request.method}`);", True
    ),
}


@pytest.fixture(scope="module")
def api(server: Server) -> Api:
    require_clients()
    return Api(server)


def raised(server: Server, api: Api, name: str) -> dict[str, Any]:
    """The one event of a program."""
    project = server.create_project(name)
    run_program(f"{name}.mjs", project["dsn"])
    (event,) = api.events(project["id"], 1)
    (issue,) = api.issues(project["id"])
    assert (issue["issue_id"], issue["events"]) == (event["issue_id"], 1)
    return event


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_s_error_becomes_an_issue(server: Server, api: Api, name: str) -> None:
    event = raised(server, api, name)
    told = PROGRAMS[name]
    frame = event["stack_trace"][-1]
    assert (event["error_type"], event["message"], event["handled"]) == (told.error_type, told.message, told.handled)
    assert (frame["function"], frame["context"]["line"].strip(), frame["in_app"]) == (told.function, told.line, True)
    assert frame["lineno"] > 1 and frame["filename"].endswith(f"{name}.mjs")
    assert (event["environment"], event["release_version"], event["platform"]) == ("test", "shop@1.2.3", "node")
    assert event["client"]["name"] == "sentry.javascript.node"
    assert event["process"]["runtime"].startswith("node v")
    assert "hunter2-secret" not in json.dumps(event)
    assert server.ledger()["balanced"]


def test_a_chain_and_all_that_was_said_beside_it(server: Server, api: Api) -> None:
    project = server.create_project("scoped")
    run_program("cause.mjs", project["dsn"])
    (event,) = api.events(project["id"], 1)
    assert [(one["error_type"], one["message"]) for one in event["exceptions"]] == [
        ("Error", "connection to stock lost"),
        ("TypeError", "order not placed"),
    ]
    assert event["tags"]["region"] == "eu-1"
    assert event["extra_data"]["attempt"] == 3
    assert ("cart", "put a book into the cart") in [(one["category"], one["message"]) for one in event["breadcrumbs"]]
    assert len(event["user_id"]) == 16 and "u-4711" not in json.dumps(event)
    assert "jane.doe@" not in json.dumps(event)


def test_a_request_is_told_with_its_error(server: Server, api: Api) -> None:
    project = server.create_project("requests")
    run_program("http.mjs", project["dsn"])
    (event,) = api.events(project["id"], 1)
    http = event["http_context"]
    assert (http["method"], http["query_string"]) == ("GET", "page=2")
    assert http["url"].endswith("/basket?page=2") or http["url"].endswith("/basket")


def test_a_message_is_an_issue_too(server: Server, api: Api) -> None:
    event = raised(server, api, "message")
    assert (event["message"], event["severity"], event.get("error_type", "")) == ("stock is low", "warning", "")
