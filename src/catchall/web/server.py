"""Serves the pages on a Unix socket: only the front process of this installation can reach it."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from catchall.core.limits import WEB_BODY_BYTES_MAX, WEB_DRAIN_SECONDS_MAX
from catchall.web.application import build
from catchall.web.services import WebServices

log = logging.getLogger("catchall.web")

SOCKET_MODE = "600"
PROXY_HEADERS = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
LOOP_SECONDS = 0.2
CHANNEL_SECONDS = 120  # an idle connection of the front process
CONNECTIONS_MAX = 200


def run(services: WebServices, socket_path: Path, *, threads: int = 4, beat: Callable[[], bool]) -> None:
    """Serve for as long as `beat` (asked several times a second) says so; then finish the answers under way and return.

    The socket is made readable for this user only. Forwarding headers are believed: nobody but our own front process
    can open the socket, and it sets them itself.
    """
    channels: dict[int, Any] = {}
    server = _listen(build(services), socket_path, threads, channels)
    log.info("pages are served on %s by %d threads", socket_path, threads)
    while beat():
        wasyncore.loop(timeout=LOOP_SECONDS, use_poll=True, map=channels, count=1)
    _drain(server, channels)
    socket_path.unlink(missing_ok=True)


def _listen(application: Any, socket_path: Path, threads: int, channels: dict[int, Any]) -> Any:
    previous = os.umask(0o177)  # between bind and chmod, too
    try:
        return create_server(
            application,
            map=channels,
            unix_socket=str(socket_path),
            unix_socket_perms=SOCKET_MODE,
            threads=threads,
            trusted_proxy="*",
            trusted_proxy_count=1,
            trusted_proxy_headers=PROXY_HEADERS,
            clear_untrusted_proxy_headers=True,
            max_request_body_size=WEB_BODY_BYTES_MAX,
            channel_timeout=CHANNEL_SECONDS,
            connection_limit=CONNECTIONS_MAX,
            ident=None,
        )
    finally:
        os.umask(previous)


def _drain(server: Any, channels: dict[int, Any]) -> None:
    server.accepting = False
    server.del_channel()  # the listening socket leaves the loop: new connections wait in vain, open ones go on
    server.socket.close()
    deadline = time.monotonic() + WEB_DRAIN_SECONDS_MAX
    while time.monotonic() < deadline and _busy(server):
        wasyncore.loop(timeout=LOOP_SECONDS, use_poll=True, map=channels, count=1)
    server.task_dispatcher.shutdown()


def _busy(server: Any) -> bool:
    return any(
        channel.requests or channel.request is not None or channel.total_outbufs_len
        for channel in list(server.active_channels.values())
    )
