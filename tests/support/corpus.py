"""Reads the recorded requests of real clients and holds events to what is expected of them."""

import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

CORPUS = Path(__file__).parent.parent / "data" / "corpus"
KEY = "c0ffee00c0ffee00c0ffee00c0ffee00"


class Recorded(NamedTuple):
    """One request as it went over the wire, its chunks joined; `expect` is the expectation beside it."""

    name: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    expect: dict[str, Any]


def recordings() -> list[Recorded]:
    """All requests of the corpus."""
    return [read(path) for path in sorted(CORPUS.glob("*/*.http"))]


def read(path: Path) -> Recorded:
    """One request."""
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _joined(body)
    parts = urlsplit(target)
    expect = json.loads((path.parent / (path.name.removesuffix(".http") + ".expect.json")).read_bytes())
    name = f"{path.parent.name}/{path.name.removesuffix('.http')}"
    return Recorded(name, method, parts.path, parse_qs(parts.query), headers, body, expect)


def _joined(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            break
        parts.append(body[:length])
        body = body[length + 2 :]
    return b"".join(parts)


def problems(event: dict[str, Any], expected: dict[str, Any], secrets: list[str]) -> list[str]:
    """What is wrong with an event (as the API prints it), in words; empty when all is as expected."""
    found: list[str] = []

    def same(what: str, got: object, want: object) -> None:
        if got != want:
            found.append(f"{what}: {got!r} instead of {want!r}")

    for ours, theirs in (
        ("error_type", "error_type"),
        ("platform", "platform"),
        ("environment", "environment"),
        ("release_version", "release"),
        ("logger", "logger"),
        ("transaction", "transaction"),
    ):
        if expected.get(theirs) is not None:
            same(ours, event.get(ours, ""), expected[theirs])
    if expected.get("message") is not None and not secrets:
        same("message", event.get("message", ""), expected["message"])
    if expected.get("level"):
        want = {"fatal": "critical"}.get(expected["level"], expected["level"])
        same("severity", event.get("severity", "error"), want)
    if expected.get("handled") is not None:
        same("handled", event.get("handled"), expected["handled"])
    _check_stack(event, expected, same, found)
    _check_context(event, expected, same, found)
    text = json.dumps(event, ensure_ascii=False)
    found.extend(f"secret kept: {secret!r}" for secret in secrets if secret in text)
    return found


def _check_stack(event: dict[str, Any], expected: dict[str, Any], same: Any, found: list[str]) -> None:
    frames = event.get("stack_trace", [])
    if expected.get("frames") is not None:
        same("frames", len(frames), expected["frames"])
    top = expected.get("top_frame")
    if top and not frames:
        found.append("no frames")
    elif top:
        frame = frames[-1]
        for name in ("function", "lineno", "abs_path"):
            if top.get(name) is not None:
                same(f"top_frame.{name}", frame.get(name), top[name])
        if top.get("filename") and not frame.get("filename", "").endswith(top["filename"]):
            found.append(f"top_frame.filename: {frame.get('filename')!r} does not end with {top['filename']!r}")
    chain = [[one.get("error_type", ""), one.get("message", "")] for one in event.get("exceptions", [])]
    if expected.get("chain") is not None:
        same("chain", chain, [list(pair) for pair in expected["chain"]])
    found.extend(
        f"not in the chain: {pair}" for pair in expected.get("chain_contains") or [] if list(pair) not in chain
    )


def _check_context(event: dict[str, Any], expected: dict[str, Any], same: Any, found: list[str]) -> None:
    tags = event.get("tags", {})
    for key, value in (expected.get("tags") or {}).items():
        same(f"tags.{key}", tags.get(key), str(value))
    request = event.get("http_context") or {}
    if expected.get("url"):
        same("url", request.get("url", "").partition("?")[0], expected["url"].partition("?")[0])
    if expected.get("method"):
        same("method", request.get("method"), expected["method"])
    crumbs = len(event.get("breadcrumbs", []))
    if crumbs < (expected.get("breadcrumbs_min") or 0):
        found.append(f"only {crumbs} breadcrumbs")
    if expected.get("user_id") and not event.get("user_id"):
        found.append("no user_id")
    if expected.get("fingerprint"):
        same("client_fingerprint", event.get("client_fingerprint"), expected["fingerprint"])
