"""Realistic error events: a number of distinct faults, each with its own type, stack and place.

About 10 to 12 KB of JSON each, as Sentry SDKs send them: 20 frames with source lines and locals, breadcrumbs, tags.
Everything but ids and times is a function of the seed.
"""

import random
import time
import uuid
from itertools import accumulate
from typing import Any

WORDS = [
    "order",
    "user",
    "account",
    "invoice",
    "cart",
    "item",
    "price",
    "total",
    "session",
    "token",
    "cache",
    "queue",
    "batch",
    "record",
    "ledger",
    "report",
    "export",
    "import",
    "index",
    "shard",
    "worker",
    "retry",
    "limit",
    "offset",
    "cursor",
    "buffer",
    "stream",
    "header",
    "payload",
    "schema",
    "field",
    "value",
    "result",
    "status",
    "config",
    "feature",
    "flag",
    "region",
    "tenant",
    "bucket",
    "object",
    "upload",
]
PYTHON_ERRORS = [
    "ValueError",
    "KeyError",
    "TypeError",
    "AttributeError",
    "RuntimeError",
    "TimeoutError",
    "ConnectionError",
    "IndexError",
    "PermissionError",
    "ZeroDivisionError",
    "LookupError",
    "IntegrityError",
    "OperationalError",
    "ValidationError",
    "HTTPError",
]
BROWSER_ERRORS = [
    "TypeError",
    "ReferenceError",
    "RangeError",
    "SyntaxError",
    "ChunkLoadError",
    "AxiosError",
    "DOMException",
]
PYTHON_LIBRARIES = [
    "django/core/handlers/exception",
    "django/core/handlers/base",
    "django/views/generic/base",
    "django/db/models/query",
    "celery/app/trace",
    "sqlalchemy/engine/base",
    "requests/sessions",
    "urllib3/connectionpool",
]
BROWSER_LIBRARIES = ["react-dom/client", "axios/lib/core/dispatchRequest", "lodash/lodash", "next/dist/client/router"]
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML) Version/17.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
)
TAGS = ("shop", "plan", "cluster", "zone", "locale", "currency", "channel", "theme", "rollout", "carrier")
"""None of them sounds like a secret: events full of secrets are another load."""
FRAMES = 20
CONTEXT_LINES = 3
SKEW = 0.7  # few faults make most events, as in life


class Fault:
    """One distinct error. Half of them carry ids and numbers in their message."""

    def __init__(self, number: int, seed: str, browser: bool) -> None:
        chance = random.Random(f"{seed}-{number}")
        self.browser = browser
        self.number = number
        self.words = chance.choice(WORDS), chance.choice(WORDS)
        self.error_type = chance.choice(BROWSER_ERRORS if browser else PYTHON_ERRORS)
        first, second = self.words
        self.transaction = f"/{first}s/:id/{second}/{number}" if browser else f"shop.{first}s.views.{second}_{number}"
        self.frames = [_frame(chance, browser, in_app=position >= 13 or position == 4) for position in range(FRAMES)]
        self.frames[-1]["function"] = f"{first}_{second}_{number}"
        # letters, not digits: what masks numbers for grouping must still keep the faults apart
        self.code = "".join(chr(97 + (number // 26**place) % 26) for place in range(3))
        self.varies = number % 2 == 0
        self.release = f"shop@{chance.randint(1, 3)}.{chance.randint(0, 9)}.{chance.randint(0, 20)}"

    def message(self, chance: random.Random) -> str:
        """What this occurrence says."""
        first, second = self.words
        text = f"cannot {first} the {second} of fault {self.code}"
        return f"{text}: {first} {chance.randint(1, 10**6)} took {chance.randint(1, 9000)} ms" if self.varies else text

    def event(self, chance: random.Random, event_id: str, now: float) -> dict[str, Any]:
        """One occurrence as a client sends it."""
        kind = "react" if self.browser else "django"
        stack = {"frames": self.frames}
        mechanism = {"type": "generic", "handled": bool(chance.getrandbits(1))}
        raised = {"type": self.error_type, "value": self.message(chance), "mechanism": mechanism, "stacktrace": stack}
        return {
            "event_id": event_id,
            "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1e6):06d}Z",
            "platform": "javascript" if self.browser else "python",
            "level": "error",
            "transaction": self.transaction,
            "release": self.release,
            "environment": chance.choice(("production", "production", "staging")),
            "server_name": f"web-{chance.randint(1, 12)}",
            "exception": {"values": [raised]},
            "breadcrumbs": {"values": [_breadcrumb(chance, now - 8 + step) for step in range(8)]},
            "request": _request(chance, *self.words),
            "user": _user(chance),
            "tags": _tags(chance),
            "contexts": _contexts(chance, "node" if self.browser else "CPython"),
            "extra": {"attempt": chance.randint(1, 5), "elapsed": chance.random()},
            "sdk": {"name": f"sentry.{'javascript' if self.browser else 'python'}.{kind}", "version": "8.30.0"},
            "modules": {} if self.browser else {"django": "5.1.1", "requests": "2.32.3", "celery": "5.4.0"},
        }


def _request(chance: random.Random, first: str, second: str) -> dict[str, Any]:
    agent, request_id = chance.choice(AGENTS), f"{chance.getrandbits(128):032x}"
    return {
        "url": f"https://shop.example.com/{first}s/{chance.randint(1, 99999)}/{second}",
        "method": chance.choice(("GET", "POST")),
        "query_string": f"page={chance.randint(1, 50)}",
        "headers": {"Host": "shop.example.com", "User-Agent": agent, "X-Request-Id": request_id},
        "env": {"REMOTE_ADDR": f"203.0.113.{chance.randint(1, 254)}"},
    }


def _user(chance: random.Random) -> dict[str, Any]:
    number = chance.randint(1, 50_000)
    return {"id": str(number), "email": f"user{number}@example.com", "ip_address": "198.51.100.7"}


def _contexts(chance: random.Random, runtime: str) -> dict[str, Any]:
    trace = {"trace_id": f"{chance.getrandbits(128):032x}", "span_id": f"{chance.getrandbits(64):016x}"}
    return {
        "runtime": {"name": runtime, "version": "3.11.7"},
        "os": {"name": "Linux", "version": "6.1.0"},
        "trace": trace,
    }


def _tags(chance: random.Random) -> dict[str, str]:
    """Fifteen tags, two of them with many values."""
    few = {f"{name}.kind": f"{name}-{chance.randint(1, 9)}" for name in TAGS}
    return {
        **few,
        "region": chance.choice(("eu-1", "us-1", "ap-1")),
        "tenant": f"t{chance.randint(1, 40)}",
        "queue": chance.choice(WORDS),
        "order_id": f"o-{chance.randint(1, 10**6)}",
        "build": f"{chance.getrandbits(32):08x}",
    }


def _line(chance: random.Random) -> str:
    one, two, three = (chance.choice(WORDS) for _ in range(3))
    forms = (
        f"    {one}_{two} = self.{three}.get({one}_id)",
        f"    if not {one}.{two}:",
        f"    return {one}_{two}({three}, **kwargs)",
        f"    for {one} in {two}_{three}s:",
        f'    {one}.save(update_fields=["{two}"])',
        f"    with {one}_lock({two}):",
    )
    return chance.choice(forms)


def _frame(chance: random.Random, browser: bool, *, in_app: bool) -> dict[str, Any]:
    one, two = chance.choice(WORDS), chance.choice(WORDS)
    if browser:
        file = f"./src/{one}s/{two}.tsx" if in_app else f"./node_modules/{chance.choice(BROWSER_LIBRARIES)}.js"
        frame: dict[str, Any] = {"filename": f"webpack-internal:///{file}", "colno": chance.randint(1, 90)}
    else:
        module = f"shop.{one}s.{two}" if in_app else chance.choice(PYTHON_LIBRARIES).replace("/", ".")
        file = module.replace(".", "/") + ".py"
        root = "/srv/app/" if in_app else "/srv/venv/lib/python3.11/site-packages/"
        frame = {"filename": file, "abs_path": root + file, "module": module}
    frame |= {"function": f"{one}_{two}", "lineno": chance.randint(3, 900), "in_app": in_app}
    frame["pre_context"] = [_line(chance) for _ in range(CONTEXT_LINES)]
    frame["context_line"] = _line(chance)
    frame["post_context"] = [_line(chance) for _ in range(CONTEXT_LINES)]
    if in_app and not browser:
        frame["vars"] = {
            "self": f"<shop.{one}s.{two}.{one.title()} object at 0x7f{chance.randrange(16**10):010x}>",
            one: repr(chance.randint(1, 10**6)),
            two: repr(f"{one}-{two}-{chance.randint(1, 999)}"),
            "kwargs": {one: "None", two: "True"},
        }
    return frame


def _breadcrumb(chance: random.Random, at: float) -> dict[str, Any]:
    table, column = chance.choice(WORDS), chance.choice(WORDS)
    return {
        "timestamp": at,
        "type": "default",
        "level": "info",
        "category": "query",
        "message": f"SELECT {table}.{column} FROM {table}s WHERE {table}.id = {chance.randint(1, 99999)}",
        "data": {"duration_ms": chance.randint(1, 400)},
    }


class Faults:
    """So many distinct faults, which happen again and again: few of them often, as in life."""

    def __init__(self, count: int, seed: str = "1") -> None:
        self._known = [Fault(number, seed, browser=number < count * 0.3) for number in range(count)]
        self._weights = list(accumulate(1 / (rank + 1) ** SKEW for rank in range(count)))
        self._chance = random.Random(f"{seed}-events")
        self._happened = 0

    def happen(self, now: float | None = None) -> tuple[int, dict[str, Any]]:
        """A fault's number and an event of it at `now` (epoch seconds). First each fault happens once."""
        first = self._happened < len(self._known)
        fault = (
            self._known[self._happened] if first else self._chance.choices(self._known, cum_weights=self._weights)[0]
        )
        self._happened += 1
        return fault.number, fault.event(self._chance, uuid.uuid4().hex, time.time() if now is None else now)
