"""What each process loads: memory is paid per process, and a command that loads Django does not start in 0.3 s."""

import json
import subprocess
import sys

import pytest

from tests.tidy.sources import ROOT

HEAVY = {
    "allauth",
    "celery",
    "fastapi",
    "flask",
    "hypothesis",
    "numpy",
    "playwright",
    "pytest",
    "sentry_sdk",
    "symbolic",
}
WEB_ONLY = {"django", "jinja2", "ninja", "pydantic", "waitress"}
TERMINAL_ONLY = {"typer"}  # structlog loads rich by itself

# module -> packages that importing it may not load
ROLES = {
    "catchall.core.event": HEAVY | WEB_ONLY | TERMINAL_ONLY,
    "catchall.queue.base": HEAVY | WEB_ONLY | TERMINAL_ONLY,
    "catchall.store.base": HEAVY | WEB_ONLY | TERMINAL_ONLY,
    "catchall.supervisor": HEAVY | WEB_ONLY | TERMINAL_ONLY,
    "catchall.worker.loop": HEAVY | WEB_ONLY | TERMINAL_ONLY,
    "catchall.cli.main": HEAVY | WEB_ONLY,
}


@pytest.mark.parametrize("module", sorted(ROLES))
def test_a_role_loads_nothing_it_does_not_need(module):
    code = f"import {module}, json, sys; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ROLES[module] & set(json.loads(answer.stdout)) == set()
