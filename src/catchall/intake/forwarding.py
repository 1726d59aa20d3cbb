"""What of a request goes on to the web process, and what of its answer comes back: header fields only, no I/O.

Hop-by-hop fields end at each hop: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
"""

from collections.abc import Iterable, Mapping

import h11

from catchall.intake.addresses import AddressList
from catchall.intake.asgi import Headers, Scope

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Who the client is, is said by us alone. `expect` was answered by our own server.
_OURS = frozenset({b"forwarded", b"x-real-ip", b"expect", b"host", b"content-length"})
_FORWARDED = b"x-forwarded-"
_PROTOCOLS = frozenset({b"http", b"https"})


def request_of(scope: Scope, fields: Mapping[bytes, bytes], proxies: AddressList) -> h11.Request:
    """The request as the web process gets it. `fields`: the header by name. Raises h11.LocalProtocolError."""
    peer = _peer(scope)
    trusted = peer in proxies
    host = fields.get(b"host", b"localhost")
    protocol = scope["scheme"].encode()
    if trusted:
        host = fields.get(b"x-forwarded-host", host)
        claimed = fields.get(b"x-forwarded-proto", protocol).lower()
        protocol = claimed if claimed in _PROTOCOLS else protocol
    client = proxies.client(peer, fields.get(b"x-forwarded-for"))
    gone = _named_in_connection(fields)
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in _HOP_BY_HOP
        and name not in _OURS
        and name not in gone
        and not name.startswith(_FORWARDED)
        and b"_" not in name  # a CGI environment cannot tell X_Forwarded_For from X-Forwarded-For
    ]
    headers.append((b"Host", host))
    headers.append((b"X-Forwarded-For", client.encode("latin-1")))
    headers.append((b"X-Forwarded-Proto", protocol))
    headers.append((b"X-Forwarded-Host", host))
    if b"transfer-encoding" in fields:
        headers.append((b"Transfer-Encoding", b"chunked"))
    elif b"content-length" in fields:
        headers.append((b"Content-Length", fields[b"content-length"]))
    return h11.Request(method=scope["method"], target=target_of(scope), headers=headers)


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def target_of(scope: Scope) -> bytes:
    """Path and query as the client sent them."""
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def _named_in_connection(fields: Mapping[bytes, bytes]) -> frozenset[bytes]:
    value = fields.get(b"connection")
    if value is None:
        return frozenset()
    return frozenset(name.strip().lower() for name in value.split(b","))


def answer_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The header fields of an answer as the client gets them."""
    fields = list(headers)
    gone = _named_in_connection(dict(fields))
    return [
        (name, value) for name, value in fields if name not in _HOP_BY_HOP and name not in gone and name != b"server"
    ]
