"""Step 3: what follows from what is there: browser and system, ids in headers, the route, the service."""

from catchall.core.event import DeviceContext, EventDraft, HttpContext
from catchall.core.user_agents import agent_of
from catchall.pipeline.context import BatchContext
from catchall.pipeline.steps.validate import hex_id

_REQUEST_ID_HEADERS = (
    "x-request-id",
    "x-correlation-id",
    "request-id",
    "x-amzn-requestid",
    "x-ms-request-id",
    "cf-ray",
)
_REQUEST_ID_TAGS = ("request_id", "request.id", "requestId", "correlation_id")
_TRACE_HEADERS = ("traceparent", "sentry-trace")
_TRACE_ID_CHARS, _SPAN_ID_CHARS = 32, 16
_REQUEST_ID_CHARS_MAX = 128
_BROWSER_PLATFORMS = frozenset(("javascript", "browser"))
# Tags that say again what a field says.
_TAGS_OF_FIELDS = (
    ("environment", "environment"),
    ("release", "release_version"),
    ("server_name", "host_name"),
    ("level", "level"),
    ("logger", "logger"),
    ("transaction", "transaction"),
    ("service", "service_name"),
    ("service.name", "service_name"),
)
_REPEATING = frozenset(key for key, _ in _TAGS_OF_FIELDS)
# Environment variables that tell where a program runs and hold no secrets. Others are never kept.
_VARIABLES = frozenset(
    (
        "ASPNETCORE_ENVIRONMENT", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION", "AWS_REGION", "APP_ENV", "DJANGO_SETTINGS_MODULE", "DOTNET_ENVIRONMENT", "DYNO",
        "ENV", "ENVIRONMENT", "FLASK_APP", "FLASK_ENV", "FLY_APP_NAME", "FLY_REGION", "FUNCTION_NAME", "GOMAXPROCS",
        "GOOGLE_CLOUD_PROJECT", "HEROKU_APP_NAME", "HEROKU_SLUG_COMMIT", "HOSTNAME", "K_REVISION", "K_SERVICE", "LANG",
        "LC_ALL", "NODE_ENV", "NODE_NAME", "POD_NAME", "POD_NAMESPACE", "PORT", "PYTHON_VERSION", "RACK_ENV",
        "RAILS_ENV", "RENDER_SERVICE_NAME", "TZ", "VERCEL_ENV", "VERCEL_REGION", "WEBSITE_SITE_NAME", "WEB_CONCURRENCY",
    )
)  # fmt: skip


def enrich(draft: EventDraft, context: BatchContext) -> None:
    """Add what can be concluded; what the client said itself is never changed."""
    http = draft.http_context
    if http is not None:
        headers = {name.lower(): value for name, value in http.headers.items()}
        _add_ids(draft, headers)
        _add_device(draft, headers.get("user-agent", ""))
        _add_route(draft, http)
    if not draft.request_id:
        draft.request_id = next((draft.tags[key] for key in _REQUEST_ID_TAGS if key in draft.tags), "")
    _settle_tags(draft)
    if draft.process is not None and draft.process.environment:
        kept = {name: value for name, value in draft.process.environment.items() if name in _VARIABLES}
        draft.process.environment = kept


def _add_ids(draft: EventDraft, headers: dict[str, str]) -> None:
    if not draft.request_id:
        found = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), "")
        draft.request_id = found.strip()[:_REQUEST_ID_CHARS_MAX]
    if not draft.trace_id:
        value = next((headers[name] for name in _TRACE_HEADERS if headers.get(name)), "")
        draft.trace_id, span_id = _trace_of(value)
        draft.span_id = draft.span_id or span_id


def _trace_of(header: str) -> tuple[str, str]:
    """Trace and span id of `00-<trace>-<span>-01` (W3C Trace Context) or `<trace>-<span>-1` (sentry-trace)."""
    parts = header.strip().split("-")
    for at, part in enumerate(parts[:2]):
        if len(part) == _TRACE_ID_CHARS:
            return hex_id(part, _TRACE_ID_CHARS), hex_id(parts[at + 1], _SPAN_ID_CHARS) if at + 1 < len(parts) else ""
    return "", ""


def _add_device(draft: EventDraft, user_agent: str) -> None:
    if not user_agent:
        return
    agent = agent_of(user_agent)
    device = draft.device_context
    if device is None:
        draft.device_context = DeviceContext(os=agent.os, browser=agent.browser, model=agent.model)
        return
    device.browser = device.browser or agent.browser
    device.os = device.os or agent.os
    device.model = device.model or agent.model


def _add_route(draft: EventDraft, http: HttpContext) -> None:
    """The page of a browser's error: the path of its address."""
    if draft.platform not in _BROWSER_PLATFORMS or not http.url:
        return
    if draft.device_context is None:
        draft.device_context = DeviceContext()
    draft.device_context.route = draft.device_context.route or path_of(http.url)


def path_of(url: str) -> str:
    """The path of an address, without host and query; empty when it has none. Takes any text, and is quick."""
    if "?" in url or "#" in url:
        url = url.partition("?")[0].partition("#")[0]
    _, scheme, rest = url.partition("://")
    if not scheme:
        return f"/{url.removeprefix('/')}" if url else ""
    _, slash, path = rest.partition("/")
    return slash + path


def _settle_tags(draft: EventDraft) -> None:
    """A tag that repeats a field is left out; the distribution of a build becomes one."""
    tags = draft.tags
    if not _REPEATING.isdisjoint(tags):
        for key, field in _TAGS_OF_FIELDS:
            if key in tags and tags[key] == getattr(draft, field):
                del tags[key]
    if draft.dist and "dist" not in tags:
        tags["dist"] = draft.dist
