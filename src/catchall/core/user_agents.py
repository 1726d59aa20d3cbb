"""Browsers and systems by their User-Agent header. Patterns: ua-parser's (github.com/ua-parser/uap-core).

Its patterns for devices are left out: they take 15 MB in each process and know what an Android header says itself.
"""

from functools import cache, lru_cache
from typing import NamedTuple

from ua_parser import Parser
from ua_parser.loaders import load_builtins
from ua_parser.regex import Resolver

from catchall.core import limits

_APPLE_MODELS = ("iPhone", "iPad", "iPod")


class Agent(NamedTuple):
    """What a User-Agent says; empty where it does not. Versions up to the second number."""

    browser: str = ""
    os: str = ""
    model: str = ""


@cache
def _parser() -> Parser:
    browsers, systems, _ = load_builtins()
    return Parser(Resolver((browsers, systems, [])))


def load() -> None:
    """Compile the patterns now (0.2 s, 20 MB): a parent that forks workers calls it once, and they share it."""
    agent_of("Mozilla/5.0")


@lru_cache(limits.USER_AGENTS_REMEMBERED_MAX)
def agent_of(header: str) -> Agent:
    """Read a User-Agent header."""
    header = header[: limits.USER_AGENT_PARSED_CHARS_MAX]
    found = _parser().parse(header)
    browser, system = found.user_agent, found.os
    return Agent(
        browser=_versioned(browser.family, browser.major, None) if browser else "",
        os=_versioned(system.family, system.major, system.minor) if system else "",
        model=_model_of(header),
    )


def _versioned(name: str, major: str | None, minor: str | None) -> str:
    version = f"{major}.{minor}" if major and minor else major
    return f"{name} {version}" if version else name


def _model_of(header: str) -> str:
    """The device: `SM-S918B` of `(Linux; Android 14; SM-S918B Build/UP1A)`, `iPhone` of `(iPhone; CPU ...)`."""
    _, opened, inside = header.partition("(")
    parts = [part.strip() for part in inside.partition(")")[0].split(";")] if opened else []
    if parts and parts[0] in _APPLE_MODELS:
        return parts[0]
    for at, part in enumerate(parts[:-1]):
        if part.startswith("Android "):
            return parts[at + 1].partition(" Build/")[0]
    return ""
