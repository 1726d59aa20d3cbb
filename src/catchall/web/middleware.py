"""What every answer gets: an id to quote, and headers that leave a hostile page nothing to use."""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from catchall.web.services import current

_ALLOWED = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{what} {where}" for what, where in _ALLOWED.items())
PROTECTION = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "private, no-store",  # pages hold other people's errors: no copy in a shared or disk cache
}
STRICT_TRANSPORT = "max-age=31536000"
REQUEST_ID_BYTES = 8


def request_id(request: HttpRequest) -> str:
    """The id that an error page shows and our own log holds."""
    return str(request.META.get("catchall.request_id", ""))


def identify_and_protect(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Outermost middleware: number the request, protect the answer (also the error answers)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.META["catchall.request_id"] = identity = secrets.token_hex(REQUEST_ID_BYTES)
        response = get_response(request)
        for name, value in PROTECTION.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-ID"] = identity
        if current().base_url.startswith("https://"):
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
        return response

    return middleware
