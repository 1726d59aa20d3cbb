"""What goes wrong around intake: slow and broken clients, full and failing logs, the end of the process."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from catchall.core.errors import QueueFailed, QueueFull, Reason
from catchall.intake.acks import Acks
from catchall.intake.body import Bodies
from catchall.queue.base import Lane, Settle
from catchall.queue.memory import MemoryLog
from catchall.queue.segments import SegmentWriter
from tests.integration.intake_front import DEADLINE, ID, KEY, RunningFront, envelope, until

HEAD = b"POST /api/1/envelope/?sentry_key=%b HTTP/1.1\r\nHost: x\r\n" % KEY.encode()


def received(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    return found


# --- clients ------------------------------------------------------------------------------------------------------
def test_a_body_that_trickles_is_given_up(tmp_path):
    with RunningFront(tmp_path, bodies=Bodies(patience=0.4), gate={"discard_seconds": 0.3}) as front:
        connection = front.raw(HEAD + b"Content-Length: 1000\r\n\r\n{")
        stop = threading.Event()

        def trickle() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.05):
                    connection.sendall(b" ")

        sender = threading.Thread(target=trickle)
        sender.start()
        begun = time.monotonic()
        answer = received(connection)
        assert time.monotonic() - begun < DEADLINE / 2
        stop.set()
        sender.join()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "body_timeout"
        until(lambda: front.refusals() == {(1, "body_timeout"): 1})
        assert front.send().status == 200
        assert front.bodies.reading.begun == {}
        assert front.bodies.late == set()


def test_a_slow_body_within_its_time_is_taken(tmp_path):
    with RunningFront(tmp_path, bodies=Bodies(patience=30)) as front:
        body = envelope()
        connection = front.raw(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
        for at in range(0, len(body), 10):
            connection.sendall(body[at : at + 10])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert front.records()[0].body == body


def test_a_body_cut_off_is_dropped_and_counted(tmp_path):
    with RunningFront(tmp_path) as front:
        front.raw(HEAD + b"Content-Length: 1000\r\n\r\n" + envelope()[:50]).close()
        until(lambda: front.refusals() == {(1, "body_truncated"): 1})
        assert front.metrics.truncated == 1
        assert front.records() == []


def test_an_announced_body_that_is_too_large_is_not_read(tmp_path):
    with RunningFront(tmp_path, bodies=Bodies(bytes_max=10_000), gate={"discard_seconds": 0.3}) as front:
        connection = front.raw(HEAD + b"Content-Length: 10001\r\nExpect: 100-continue\r\n\r\n")
        answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in answer
        assert b"100 Continue" not in answer
        until(lambda: front.refusals() == {(1, "too_large"): 1})


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_gets_its_answer_while_it_is_sent(tmp_path, announced):
    with RunningFront(tmp_path, bodies=Bodies(bytes_max=100_000), gate={"discard_seconds": 0.5}) as front:
        framing = b"Content-Length: 9000000\r\n\r\n" if announced else b"Transfer-Encoding: chunked\r\n\r\n"
        connection = front.raw(HEAD + framing)
        connection.sendall(b"{}\n" if announced else b"3\r\n{}\n\r\n")
        chunk = b"x" * 50_000 if announced else b"c350\r\n" + b"x" * 50_000 + b"\r\n"
        for _ in range(20):
            connection.sendall(chunk)
        answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b'"error":"too_large"' in answer
        assert front.bodies.buffered == 0


def test_the_rest_of_a_refused_body_is_not_waited_for_for_ever(tmp_path):
    with RunningFront(tmp_path, gate={"discard_seconds": 0.2}) as front:
        refused = front.raw(HEAD.replace(KEY.encode(), b"b" * 32) + b"Content-Length: 1000\r\n\r\n{")
        assert received(refused).startswith(b"HTTP/1.1 401 ")  # returns: the server closed


def test_large_bodies_are_bounded_together(tmp_path):
    with RunningFront(tmp_path, bodies=Bodies(buffered_max=1_000_000)) as front:
        first = front.raw(HEAD + b"Content-Length: 2000000\r\n\r\n{}\n" + b"x" * 900_000)
        until(lambda: front.bodies.buffered >= 900_000)
        answer = front.ask(
            "POST", f"/api/1/envelope/?sentry_key={KEY}", iter([b"{}\n", *[b"y" * 60_000] * 4]), encode_chunked=True
        )
        assert (answer.status, answer.error, answer.headers["Retry-After"]) == (503, "busy", "5")
        first.close()
        until(lambda: front.bodies.buffered == 0)
        assert front.send().status == 200


def test_a_head_that_trickles_is_given_up(tmp_path):
    with RunningFront(tmp_path, gate={"head_seconds": 0.3}) as front:
        assert received(front.raw(HEAD)).startswith(b"HTTP/1.1 408 ")
        assert received(front.raw()) == b""  # nothing sent at all: closed without a word
        assert front.metrics.heads_given_up == 2
        connection = front.connect()
        for _ in range(2):  # and neither does the wait between two requests count as one
            connection.request("GET", "/healthz")
            assert connection.getresponse().read() == b"ok\n"
            quiet_until = time.monotonic() + 0.8  # well past the bound of a head
            until(partial(passed, quiet_until))
        connection.close()


def passed(moment: float) -> bool:
    """Is it later than that?"""
    return time.monotonic() > moment


def test_a_head_without_end_is_refused(tmp_path):
    with RunningFront(tmp_path) as front:
        connection = front.raw(HEAD)
        with contextlib.suppress(OSError):
            for _ in range(2000):
                connection.sendall(b"X-Pad: " + b"x" * 1000 + b"\r\n")
        assert received(connection).startswith((b"HTTP/1.1 431 ", b""))
        until(lambda: front.metrics.heads_given_up == 1)
        assert front.send().status == 200


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS where none is spoken
        b"POST /api/1/envelope/ HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/1/envelope/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /api/1/envelope/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/1/envelope/ HTTP/1.1\r\nHost: \x00\r\n\r\n",
        b"POST http://[::1/api/1/envelope/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 500,
    ],
)
def test_what_is_no_http_is_refused_and_disturbs_nobody(tmp_path, junk):
    with RunningFront(tmp_path, gate={"discard_seconds": 0.2, "head_seconds": 0.3}) as front:
        assert received(front.raw(junk))[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 408")
        assert front.send().status == 200


def test_too_many_connections_are_told_so(tmp_path):
    with RunningFront(tmp_path, gate={"connections_max": 3}) as front:
        kept = [front.connect() for _ in range(3)]
        for connection in kept:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        answer = received(front.raw())
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in answer
        assert front.metrics.connections_refused == 1
        for connection in kept:
            connection.close()
        until(lambda: _accepted(front))


def _accepted(front: RunningFront) -> bool:
    try:
        return front.send().status == 200
    except OSError:
        return False


# --- the log ------------------------------------------------------------------------------------------------------
class Stuck(MemoryLog):
    """A log whose disk hangs, fails or is full, as told."""

    mode = "full"

    def __init__(self, _folder: Path, settle: Settle) -> None:
        super().__init__(settle)
        self._told = settle
        self.tickets: list[object] = []

    def append(self, lane: Lane, partition: int, payload: bytes, ticket: object, *, internal: bool = False) -> None:
        if self.mode == "full":
            raise QueueFull(Reason.LOG_FULL, 7.4)
        if self.mode == "fails":
            self._told([ticket], QueueFailed("the disk says no"))
        elif self.mode == "hangs":
            self.tickets.append(ticket)
        else:
            super().append(lane, partition, payload, ticket, internal=internal)

    def close(self, timeout: float = 0.0) -> None:
        """Nothing is pending."""


@pytest.mark.parametrize(
    ("mode", "reason", "again"),
    [("full", "log_full", "7"), ("fails", "log_unavailable", "5"), ("hangs", "log_unavailable", "5")],
)
def test_what_the_log_does_not_take_is_not_acknowledged(tmp_path, mode, reason, again):
    with RunningFront(tmp_path, writer=Stuck, acks=Acks(patience=0.3)) as front:
        log = front.parts.appender.writer
        assert isinstance(log, Stuck)
        log.mode = mode
        answer = front.send()
        assert (answer.status, answer.error, answer.headers["Retry-After"]) == (503, reason, again)
        assert front.acks.waiting.begun == {} or mode == "hangs"  # the refusals' own record hangs, too
        log.mode = "well"
        assert front.send().status == 200
        until(lambda: not front.parts.refusals)  # counts that could not be written are written later


def test_refusals_that_were_not_written_count_later(tmp_path):
    full = {"is": True}

    class Full(SegmentWriter):
        def append(self, lane, partition, payload, ticket, *, internal=False):
            if full["is"]:
                raise QueueFull(Reason.DISK_FULL, 1)
            super().append(lane, partition, payload, ticket, internal=internal)

    with RunningFront(tmp_path, writer=Full) as front:
        assert [front.send().error for _ in range(3)] == ["disk_full"] * 3
        until(lambda: front.metrics.refusals_not_written > 1)
        assert front.refusals() == {}
        full["is"] = False
        until(lambda: front.refusals() == {(1, "disk_full"): 3})


def test_a_full_log_leaves_no_body_in_the_spool(tmp_path):
    with RunningFront(tmp_path, writer=Stuck) as front:
        body = envelope(payload=b"[" + b" " * 1_200_000 + b"]")
        assert front.send(body).error == "log_full"
        until(lambda: not list((tmp_path / "spool").iterdir()))


def test_a_spool_that_cannot_be_written_is_told(tmp_path):
    with RunningFront(tmp_path) as front:
        os.rmdir(tmp_path / "spool")
        answer = front.send(envelope(payload=b"[" + b" " * 1_200_000 + b"]"))
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert front.records() == []


# --- the end ------------------------------------------------------------------------------------------------------
def test_at_the_end_what_is_under_way_is_finished(tmp_path):
    with RunningFront(tmp_path) as front:
        body = envelope()
        connection = front.raw(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body[:50])
        until(lambda: front.bodies.reading.begun != {})
        front.wanted = False
        until(lambda: _refused(front))
        connection.sendall(body[50:])
        assert received(connection).startswith(b"HTTP/1.1 200 ")
        front.stop()
    assert [record.event_id for record in front.records()] == [ID]


def _refused(front: RunningFront) -> bool:
    try:
        front.raw().close()
    except OSError as error:  # a reset: it waited to be accepted when the socket was closed; ask again
        return isinstance(error, ConnectionRefusedError)
    return False


def test_at_the_end_nobody_is_waited_for_for_ever(tmp_path):
    with RunningFront(tmp_path, drain_seconds=1.0) as front:
        connection = front.raw(HEAD + b"Content-Length: 1000\r\n\r\n{")
        until(lambda: front.bodies.reading.begun != {})
        begun = time.monotonic()
        front.stop()
        assert time.monotonic() - begun < 8
        connection.close()


def test_at_the_end_the_last_refusals_are_written(tmp_path):
    with RunningFront(tmp_path, refusals_seconds=3600.0) as front:
        front.send(key="b" * 32)
        front.send(key="b" * 32)
        assert front.refusals() == {}
        front.stop()
        assert front.refusals() == {(0, "key_unknown"): 2}


def test_no_acknowledged_record_is_lost_when_it_ends_under_load(tmp_path):
    acked: list[str] = []

    def sender(front: RunningFront, base: int) -> None:
        connection = front.connect()
        with contextlib.suppress(OSError, Exception):
            for number in range(base, base + 100_000):
                connection.request("POST", f"/api/1/envelope/?sentry_key={KEY}", envelope(f"{number:032x}"))
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    acked.append(f"{number:032x}")

    with RunningFront(tmp_path) as front:
        threads = [threading.Thread(target=sender, args=(front, base)) for base in (10**6, 10**7, 10**8)]
        for thread in threads:
            thread.start()
        until(lambda: len(acked) > 300)
        front.stop()
        for thread in threads:
            thread.join(DEADLINE)
    stored = [record.event_id for record in front.records()]
    assert set(acked) <= set(stored)
    assert len(stored) == len(set(stored))


PROGRAM = """
import sys
from pathlib import Path
from tests.integration.intake_front import RunningFront
from catchall.intake.server import run

running = RunningFront(Path(sys.argv[1]))
front = running.prepare()
front.beat = None
front.started = lambda: print(running.port, flush=True)
run(front)
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_without_a_supervisor_a_signal_ends_it_in_good_order(tmp_path, number):
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        front = RunningFront(tmp_path)
        front.port = int(process.stdout.readline())
        assert front.send().status == 200
        process.send_signal(number)
        assert process.stdout.readline() == "ended\n"
        assert process.wait(DEADLINE) == 0
        assert len(front.records()) == 1
    finally:
        process.kill()
        process.wait()


# --- TLS ----------------------------------------------------------------------------------------------------------
def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for localhost."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def served(front: RunningFront) -> bytes:
    """The certificate that a new connection gets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with front.raw() as bare, context.wrap_socket(bare) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        found = connection.getpeercert(binary_form=True)
        assert found is not None
        return found


def test_a_certificate_is_renewed_without_a_restart(tmp_path):
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    live = tmp_path / "live.pem", tmp_path / "live.key"
    for new, path in zip(first, live, strict=True):
        path.write_bytes(new.read_bytes())
    with RunningFront(tmp_path, tls=live) as front:
        before = served(front)
        live[0].write_bytes(second[0].read_bytes())  # half replaced: the key does not fit
        until(lambda: front.metrics.tls_reload_errors > 0)
        assert served(front) == before
        live[1].write_bytes(second[1].read_bytes())
        until(lambda: front.metrics.tls_reloads == 1)
        after = served(front)
        assert before == ssl.PEM_cert_to_DER_cert(first[0].read_text())
        assert after == ssl.PEM_cert_to_DER_cert(second[0].read_text())
