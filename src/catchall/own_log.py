"""catchall's own log: one line for each fact, JSON for machines, text for a terminal. No user data goes into it."""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer


def configure_log(level: str, form: str) -> None:
    """Set the log up for this process and those forked from it. `form`: "json", "text" or "auto" (by terminal)."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    lines = [plain] if as_text else [_exceptions(), structlog.processors.JSONRenderer()]
    number = getattr(logging, level.upper())
    logging.basicConfig(level=number, format="%(message)s", stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *lines,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _exceptions() -> structlog.processors.ExceptionRenderer:
    """Never with local variables: they may hold what clients sent, unscrubbed."""
    return structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
