"""The front's ASGI application: errors go to the receiver, the rest to the web process.

/healthz and /metrics are answered here.
"""

import asyncio
from collections.abc import Callable

from catchall.core.errors import Reason
from catchall.intake.addresses import AddressList
from catchall.intake.answers import Cors, Refuse, send_method_refused, send_preflight, send_refusal
from catchall.intake.asgi import Headers, Receive, Scope, Send, answer, header_map
from catchall.intake.auth import key_from_query
from catchall.intake.origins import allowed
from catchall.intake.proxy import Proxy
from catchall.intake.receiver import ENVELOPE, STORE, Parts, Receiver, Route

_PROTOCOLS = {"envelope": ENVELOPE, "store": STORE}
_TUNNEL = Route(ENVELOPE, 0)
_TUNNELS = ("/tunnel", "/tunnel/", "/api/tunnel", "/api/tunnel/")
_ROUTES_MAX = 4096
_PROJECT_DIGITS_MAX = 18
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_METRICS_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


class Application:
    """`more_metrics`: what the other processes count, in Prometheus' format; it may block.

    `metrics_readers`: the addresses that may read /metrics.
    """

    def __init__(
        self,
        parts: Parts,
        proxy: Proxy,
        *,
        metrics_readers: AddressList,
        more_metrics: Callable[[], bytes] | None = None,
    ) -> None:
        self._parts = parts
        self._receiver = Receiver(parts)
        self._proxy = proxy
        self._metrics_readers = metrics_readers
        self._more_metrics = more_metrics
        self._routes: dict[str, Route] = dict.fromkeys(_TUNNELS, _TUNNEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        route = self._routes.get(path) or self._route(path)
        if route is not None:
            method = scope["method"]
            if method == "POST":
                await self._receiver.take(route, scope, receive, send)
            elif method == "OPTIONS":
                await self._preflight(route, scope, send)
            else:
                await send_method_refused(send)
        elif path == "/healthz" and scope["method"] in ("GET", "HEAD"):
            await answer(send, 200, [_TEXT, (b"cache-control", b"no-store")], b"ok\n")
        elif path == "/metrics" and scope["method"] in ("GET", "HEAD"):
            await self._send_metrics(scope, send)
        else:
            await self._proxy(scope, receive, send)

    def _route(self, path: str) -> Route | None:
        """`/api/<project>/envelope/` and `/store/`, remembered; None for what is not intake's."""
        parts = path.split("/", 5)
        if len(parts) not in (4, 5) or parts[0] or parts[1] != "api" or parts[4:] not in ([], [""]):
            return None
        project, protocol = parts[2], _PROTOCOLS.get(parts[3])
        if protocol is None or not project.isascii() or not project.isdigit() or len(project) > _PROJECT_DIGITS_MAX:
            return None
        if not int(project):
            return None
        if len(self._routes) >= _ROUTES_MAX:
            self._routes = dict.fromkeys(_TUNNELS, _TUNNEL)
        route = self._routes[path] = Route(protocol, int(project))
        return route

    async def _preflight(self, route: Route, scope: Scope, send: Send) -> None:
        """May this page send? The key is in the query or not known yet: then any key of the project may allow it."""
        self._parts.metrics.preflights += 1
        origin = header_map(scope["headers"]).get(b"origin")
        known = self._parts.keys.snapshot
        facts = self._parts.keys.get(key_from_query(scope["query_string"]))
        project_id = facts.project_id if facts is not None else route.project_id
        rules = facts.origins if facts is not None else (known.origins.get(project_id, ()) if known else ())
        if origin is not None and not allowed(origin.decode("latin-1"), rules):
            self._parts.refusals.add(project_id, Reason.ORIGIN_REFUSED)
            self._parts.metrics.refused[Reason.ORIGIN_REFUSED.value] += 1
            refuse = Refuse(Reason.ORIGIN_REFUSED, "no key of this project may be used by pages of this origin")
            await send_refusal(send, refuse, Cors(None), close=False)
            return
        await send_preflight(send, Cors(origin, rules))

    async def _send_metrics(self, scope: Scope, send: Send) -> None:
        headers = header_map(scope["headers"])
        client = scope.get("client")
        peer = self._parts.proxies.client(client[0] if client else "", headers.get(b"x-forwarded-for"))
        if peer not in self._metrics_readers:
            await answer(send, 403, [_TEXT], b"this address may not read the metrics\n")
            return
        body = self._parts.metrics.text()
        if self._more_metrics is not None:
            body += await asyncio.to_thread(self._more_metrics)
        fields: Headers = [_METRICS_TEXT, (b"cache-control", b"no-store")]
        await answer(send, 200, fields, body)

    def expire(self, now: float) -> None:
        """End the waits that lasted too long. To be called several times a second; `now` of the steady clock."""
        self._parts.bodies.expire(now)
        self._parts.acks.expire(now)

    def close(self) -> None:
        """End what runs beside the loop."""
        self._receiver.close()
        self._proxy.close()
