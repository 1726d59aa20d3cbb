"""Real programs with an unmodified sentry-sdk: each ends as an issue with a readable stack."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.server import Server

INIT = "import sentry_sdk\nsentry_sdk.init({dsn!r}, environment='test', release='shop@1.2.3')\n"
PROGRAMS = {
    "plain": """
def divide(amount):
    password = "hunter2-secret"
    return amount / 0
divide(12)
""",
    "logging": """
import logging
def book():
    try:
        {}["order"]
    except KeyError:
        logging.getLogger("shop").exception("booking failed")
book()
""",
    "flask": """
from flask import Flask
app = Flask("shop")
@app.route("/cart")
def cart():
    raise ValueError("empty cart")
app.test_client().get("/cart")
""",
    "fastapi": """
from fastapi import FastAPI
from fastapi.testclient import TestClient
app = FastAPI()
@app.get("/pay")
def pay():
    raise RuntimeError("declined")
TestClient(app, raise_server_exceptions=False).get("/pay")
""",
    "django": """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], DEBUG=False, SECRET_KEY="x" * 50)
django.setup()
from django.urls import path
from django.test import Client
def checkout(request):
    raise LookupError("no such basket")
urlpatterns = [path("checkout", checkout)]
Client(raise_request_exception=False).get("/checkout")
""",
    "celery": """
from celery import Celery
app = Celery("shop")
app.conf.task_always_eager = True
@app.task
def send_invoice():
    raise OSError("printer on fire")
send_invoice.delay()
""",
}
EXPECTED = {
    "plain": ("ZeroDivisionError", "divide"),
    "logging": ("KeyError", "book"),
    "flask": ("ValueError", "cart"),
    "fastapi": ("RuntimeError", "pay"),
    "django": ("LookupError", "checkout"),
    "celery": ("OSError", "send_invoice"),
}


def newest(server: Server, project: str, seconds: float = 15.0) -> dict[str, Any]:
    """The newest event of a project, waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = server.command("events", "--project", project, "--limit", "1", "--json").splitlines()
        if found:
            event: dict[str, Any] = json.loads(found[0])
            return event
        time.sleep(0.1)
    raise AssertionError(f"no event came: {server.own_log()[-3000:]}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_s_error_becomes_an_issue(server: Server, tmp_path: Path, name: str) -> None:
    project = server.create_project(name)
    program = tmp_path / "program.py"
    program.write_text(INIT.format(dsn=project["dsn"]) + PROGRAMS[name])
    subprocess.run([sys.executable, program], check=False, capture_output=True, timeout=60)
    event = newest(server, name)
    error_type, function = EXPECTED[name]
    own = [frame["function"] for frame in event["stack_trace"] if frame.get("in_app")]
    assert event["error_type"] == error_type
    assert own[-1].endswith(function), own
    assert event["environment"] == "test" and event["release_version"] == "shop@1.2.3"
    assert "hunter2-secret" not in json.dumps(event)
    (issue,) = map(json.loads, server.command("issues", "--project", name, "--json").splitlines())
    assert issue["issue_id"] == event["issue_id"] and issue["events"] == 1
