"""The first start as a stranger sees it: what is printed leads to a first error and to the pages."""

import time
import urllib.request
from pathlib import Path

from bench.server import Server


def printed_link(server: Server) -> str:
    """The one-time login link that the start printed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for line in server.own_log().splitlines():
            if "/login/link/" in line:
                return line.split()[-1]
        time.sleep(0.05)
    raise AssertionError(server.own_log()[-2000:])


def test_the_start_prints_address_dsn_and_a_login_link_that_works(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        link = printed_link(server)
        text = server.own_log()
        assert f"http://localhost:{server.port}" in text
        assert "DSN" in text and "sentry_sdk.init" in text
        server.wait_for("/readyz")
        with urllib.request.urlopen(link, timeout=10) as answer:
            page = answer.read().decode()
        assert answer.status == 200 and "password" in page.lower()


def test_metrics_and_health_answer(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        server.wait_for("/readyz")
        with urllib.request.urlopen(server.url + "/metrics", timeout=10) as answer:
            text = answer.read().decode()
        assert "catchall_requests_accepted_total 0" in text
        assert "catchall_ledger_balanced 1" in text
        assert "catchall_intake_accepted_total 0" in text
