"""catchall's own log: one line for each fact, JSON for machines, text for a terminal. No user data goes into it."""

import logging
import sys

import structlog


def configure_log(level: str, form: str) -> None:
    """Set the log up for this process and those forked from it. `form`: "json", "text" or "auto" (by terminal)."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    number = getattr(logging, level.upper())
    logging.basicConfig(level=number, format="%(message)s", stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *([] if as_text else [structlog.processors.dict_tracebacks]),
            structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
