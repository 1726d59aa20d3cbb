"""Faults of an invented shop, as clients of the Sentry protocol tell them: what the pages are drawn with."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Source = tuple[list[str], str, list[str]]  # lines before the faulty one, itself, lines after
CHARGE: Source = (
    ["    def charge(self, order: Order, card: Card) -> Receipt:", "        payload = self._payload(order, card)"],
    "        answer = self.session.post(self.url, json=payload, timeout=self.timeout)",
    ["        answer.raise_for_status()", "        return Receipt.from_json(answer.json())"],
)
PAY = (
    ["    card = wallet.card(request.user)", "    try:"],
    "        receipt = client.charge(order, card)",
    ["    except ReadTimeout as error:", '        raise PaymentError(f"could not charge order {order.id}") from error'],
)
RAISE = (
    ["        receipt = client.charge(order, card)", "    except ReadTimeout as error:"],
    '        raise PaymentError(f"could not charge order {order.id}") from error',
    ["    order.paid(receipt)", "    return receipt"],
)
VIEW: Source = (
    ["@require_POST", "def checkout(request):", "    order = Order.of(request)"],
    "    return pay(request, order)",
    [],
)
TOTAL: Source = (
    ["def total(lines: list[Line], rates: Rates) -> Money:", "    amount = sum(line.amount for line in lines)"],
    '    return Money(amount, rates[lines[0].country]["currency"])',
    [],
)
DRAWER = (
    ["export function CartDrawer({ cart }: Props) {", "  const { t } = useText();"],
    "  const count = cart.content.items.length;",
    ["  return <Drawer title={t('cart', { count })}>{rows(cart)}</Drawer>;", "}"],
)
ROWS = (
    ["        for row in csv.reader(file):"],
    "            yield Product.from_row(row)",
    ["    except UnicodeDecodeError:"],
)


CHARGED = {"url": "https://pay.example/v1/charge", "method": "POST", "status_code": 504}


def frame(function: str, module: str, line: int, source: Any = None, **values: Any) -> dict[str, Any]:
    """A frame of a Python program; with `source` it is one of the program's own."""
    path = module.replace(".", "/") + ".py"
    found: dict[str, Any] = {"function": function, "module": module, "filename": path, "lineno": line}
    if source is None:
        return {**found, "abs_path": f"/usr/lib/python3/dist-packages/{path}", "in_app": False}
    before, at, after = source
    own = {"abs_path": f"/srv/shop/{path}", "in_app": True, "pre_context": before, "context_line": at}
    return {**found, **own, "post_context": after, "vars": values}


def django(*own: dict[str, Any]) -> list[dict[str, Any]]:
    """The program's frames below those of its framework."""
    return [
        frame("inner", "django.core.handlers.exception", 55),
        frame("_get_response", "django.core.handlers.base", 197),
        frame("wrapped_view", "django.views.decorators.csrf", 65),
        *own,
    ]


def error(
    kind: str, text: str, frames: list[dict[str, Any]], module: str = "", *, handled: bool = True
) -> dict[str, Any]:
    """One exception of a chain."""
    mechanism = {"type": "django" if not handled else "logging", "handled": handled}
    stack = {"stacktrace": {"frames": frames}} if frames else {}
    return {"type": kind, "value": text, "module": module, "mechanism": mechanism, **stack}


@dataclass(slots=True)
class Story:
    """One fault: where it happens, how often, since when, and what a client sends of it."""

    project: str
    exceptions: Callable[[random.Random], list[dict[str, Any]]]
    count: int
    days: float = 13.0
    ends_hours_ago: float = 0.05
    level: str = "error"
    message: str = ""
    logger: str = ""
    transaction: str = ""
    releases: tuple[str, ...] = ("shop@2.4.0", "shop@2.4.0", "shop@2.4.0", "shop@2.3.9")
    environments: tuple[str, ...] = ("production", "production", "production", "production", "staging")
    users: int = 60
    platform: str = "python"
    surge: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def _payment(chance: random.Random) -> list[dict[str, Any]]:
    order = chance.randint(70_000, 99_999)
    values = {
        "order": {"id": order, "total": "129.90", "currency": "EUR", "lines": [{"sku": "A-1", "quantity": 2}]},
        "self": "<PaymentClient pay.example>",
        "card": {"number": "4111 1111 1111 1111", "holder": "A. Lovelace"},
        "retries": 3,
        "deadline": None,
    }
    post = [frame("post", "requests.sessions", 637), frame("send", "requests.adapters", 713)]
    cause = "HTTPSConnectionPool(host='pay.example', port=443): Read timed out. (read timeout=5)"
    own = [
        frame("checkout", "shop.views", 88, VIEW, request="<WSGIRequest: POST '/checkout/pay'>"),
        frame("pay", "shop.payments.flow", 41, RAISE, order=values["order"], attempt=3),
    ]
    inner = [
        frame("pay", "shop.payments.flow", 39, PAY),
        frame("charge", "shop.payments.client", 132, CHARGE, **values),
    ]
    return [
        error("ReadTimeout", cause, [*inner, *post], "requests.exceptions"),
        error("PaymentError", f"could not charge order {order}", django(*own), "shop.errors", handled=False),
    ]


def _currency(chance: random.Random) -> list[dict[str, Any]]:
    lines = [{"sku": "B-7", "country": chance.choice(["GB", "CH"])}]
    own = frame("total", "shop.cart", 23, TOTAL, lines=lines, amount="84.00")
    return [error("KeyError", "'currency'", django(frame("cart", "shop.views", 61, VIEW), own), handled=False)]


def _drawer(chance: random.Random) -> list[dict[str, Any]]:
    def script(function: str, file: str, line: int, source: Any = None) -> dict[str, Any]:
        found = {"function": function, "filename": file, "abs_path": f"https://shop.example/{file}", "lineno": line}
        if source is None:
            return {**found, "colno": 77_312, "in_app": False}
        before, at, after = source
        return {**found, "colno": 30, "in_app": True, "pre_context": before, "context_line": at, "post_context": after}

    frames = [
        script("HTMLUnknownElement.callCallback", "node_modules/react-dom/cjs/react-dom.js", 4164),
        script("renderWithHooks", "node_modules/react-dom/cjs/react-dom.js", 14985),
        script("CartDrawer", "src/cart/CartDrawer.tsx", 18, DRAWER),
    ]
    mechanism = {"type": "onerror", "handled": False}
    text = "Cannot read properties of undefined (reading 'items')"
    return [{"type": "TypeError", "value": text, "mechanism": mechanism, "stacktrace": {"frames": frames}}]


def _simple(kind: str, text: str, own: dict[str, Any]) -> Callable[[random.Random], list[dict[str, Any]]]:
    return lambda chance: [error(kind, text.replace("#", str(chance.randint(100, 999))), [own])]


def _nothing(_: random.Random) -> list[dict[str, Any]]:
    return []


def _decode(chance: random.Random) -> list[dict[str, Any]]:
    own = frame("products", "importer.csv", 57, ROWS, path=f"/in/catalogue-{chance.randint(1, 40)}.csv", row=None)
    text = f"'utf-8' codec can't decode byte 0xe9 in position {chance.randint(1, 9000)}: invalid continuation byte"
    return [error("UnicodeDecodeError", text, [frame("run", "importer.main", 19, VIEW), own], handled=False)]


STORIES = (
    Story("checkout-api", _payment, 260, transaction="/checkout/pay", surge=True, users=140),
    Story("checkout-api", _currency, 46, transaction="/cart", days=1.2, releases=("shop@2.4.0",)),
    Story(
        "checkout-api",
        _simple(
            "OperationalError",
            'connection to server at "db-3.internal", port 5432 failed: timeout expired',
            frame("acquire", "shop.db.pool", 71, PAY),
        ),
        90,
        level="fatal",
        ends_hours_ago=0.4,
        users=30,
    ),
    Story(
        "checkout-api",
        _nothing,
        40,
        level="warning",
        message="Slow answer of pay.example: 4,812 ms",
        logger="shop.payments",
    ),
    Story(
        "checkout-api",
        _simple(
            "ValidationError",
            "postcode: “# AB” does not match the pattern of NL",
            frame("validate", "shop.address", 44, TOTAL),
        ),
        31,
        level="info",
        users=25,
    ),
    Story(
        "checkout-api",
        _simple("ZeroDivisionError", "division by zero", frame("mean", "reports.average", 12, TOTAL)),
        9,
        ends_hours_ago=60,
        users=2,
        transaction="reports.nightly",
    ),
    Story("web-shop", _drawer, 180, platform="javascript", users=150, ends_hours_ago=0.02, transaction="/cart"),
    Story(
        "web-shop",
        _simple(
            "ChunkLoadError",
            "Loading chunk # failed. (error: https://shop.example/assets/#.js)",
            frame("load", "app", 3),
        ),
        64,
        platform="javascript",
        users=64,
        releases=("web@81", "web@80"),
        ends_hours_ago=2,
    ),
    Story("importer", _decode, 22, users=0, ends_hours_ago=5, releases=("importer@1.9",), transaction="catalogue"),
    Story(
        "importer",
        _simple("MemoryError", "", frame("read_all", "importer.files", 30, ROWS)),
        3,
        users=0,
        level="fatal",
        releases=("importer@1.9",),
        ends_hours_ago=26,
    ),
)


def event_id(story: Story, number: int) -> str:
    """The same for the same story: a page can be asked for by address."""
    what = f"{STORIES.index(story)}:{number}"
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def times(story: Story, now: float, chance: random.Random) -> list[float]:
    """When it happened (epoch seconds), oldest first; a surge has half of it within the last hours."""
    end = now - story.ends_hours_ago * 3600
    start = now - story.days * 86_400
    found = [chance.uniform(start, end) for _ in range(story.count)]
    if story.surge:
        found = [*found[: story.count // 2], *(end - chance.expovariate(1 / 9_000) for _ in range(story.count // 2))]
    return sorted([*found[:-1], end])


def event_of(story: Story, number: int, at: float, chance: random.Random) -> dict[str, Any]:
    """One event as a client would send it."""
    exceptions = story.exceptions(chance)
    release = story.releases[-1] if number < 3 else chance.choice(story.releases)
    found: dict[str, Any] = {
        "event_id": event_id(story, number),
        "timestamp": at,
        "platform": story.platform,
        "level": story.level,
        "release": release,
        "environment": chance.choice(story.environments),
        "server_name": f"web-{chance.randint(1, 8)}",
        "transaction": story.transaction,
        "tags": {
            "region": chance.choice(["eu-west", "eu-west", "us-east"]),
            "plan": chance.choice(["free", "free", "pro"]),
            "payment_provider": "acme",
            "feature.new_checkout": chance.choice(["on", "off"]),
        },
        "sdk": {"name": "sentry.python.django", "version": "2.20.0"},
        "contexts": _contexts(chance),
        "breadcrumbs": {"values": _breadcrumbs(at, chance)},
        "extra": {"cart_age_s": chance.randint(5, 4000), "experiments": ["one-page", "express"]},
    }
    if exceptions:
        found["exception"] = {"values": exceptions}
    else:
        found["logentry"] = {"formatted": story.message}
        found["logger"] = story.logger
    if story.users:
        found["user"] = {"id": str(chance.randint(1, story.users)), "email": "ada@example.com"}
    if story.transaction.startswith("/"):
        found["request"] = _request(story)
    return found


def _contexts(chance: random.Random) -> dict[str, Any]:
    browser = chance.choice([("Firefox", "130.0"), ("Chrome", "150.0"), ("Safari", "18.1")])
    return {
        "browser": {"name": browser[0], "version": browser[1]},
        "os": {"name": chance.choice(["Linux", "Windows", "macOS"]), "version": "14"},
        "runtime": {"name": "CPython", "version": "3.11.7"},
        "trace": {"trace_id": f"{chance.getrandbits(128):032x}", "span_id": f"{chance.getrandbits(64):016x}"},
    }


def _breadcrumbs(at: float, chance: random.Random) -> list[dict[str, Any]]:
    kinds: list[dict[str, Any]] = [
        {"category": "auth", "message": "session renewed", "level": "info"},
        {"category": "query", "message": "SELECT id, total FROM orders WHERE id = %s", "data": {"ms": 3}},
        {"category": "httplib", "type": "http", "data": CHARGED},
        {"category": "shop.payments", "type": "log", "level": "warning", "message": "charge took 5,003 ms"},
        {"category": "ui.click", "message": "button#pay", "level": "info"},
    ]
    length = chance.randint(6, 22)
    return [{"timestamp": at - (length - n) * 1.7 - chance.random(), **kinds[n % len(kinds)]} for n in range(length)]


def _request(story: Story) -> dict[str, Any]:
    headers = {
        "Accept": "application/json",
        "Authorization": "Bearer abcdef0123456789abcdef",
        "Content-Type": "application/json",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    }
    return {
        "method": "POST",
        "url": f"https://shop.example{story.transaction}",
        "query_string": "step=3&coupon=SPRING",
        "headers": headers,
        "data": {"order": 81_723, "method": "card", "cvv": "123"},
    }


def envelope(event: dict[str, Any], at: float) -> bytes:
    """The body of the request that carries an event."""
    sent = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    head = json.dumps({"event_id": event["event_id"], "sent_at": sent})
    item = json.dumps(event, ensure_ascii=False).encode()
    kind = json.dumps({"type": "event", "length": len(item)})
    return head.encode() + b"\n" + kind.encode() + b"\n" + item + b"\n"
