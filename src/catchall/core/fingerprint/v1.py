"""Fingerprint version 1: the exception's types and the user's own frames, else the shape of the message.

Frozen once released: events are grouped by what this file computes, so a change of one value splits every issue. A
better idea is version 2. Nothing here is shared with code that may change; tests/data holds values to compare with.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import re2

from catchall.core.event import Fingerprint, Frame

VERSION = "v1"
DEFAULT = "{{ default }}"

_DIGEST_BYTES = 16
_FRAMES_MAX = 100
_PARTS_MAX = 8
_PART_CHARS_MAX = 120
_REMEMBERED_MAX = 8192
_HEX = frozenset("0123456789abcdefABCDEF")
_HASH_CHARS_MIN = 7
_GENERATED_DIGITS_MIN = 3
_SHORT_NAME_CHARS = 2
_PATH_PARTS = 3
_SCRIPT_PLATFORMS = frozenset(("javascript", "node"))
_ANONYMOUS = frozenset(("", "?", "<anonymous>", "anonymous", "<unknown>", "(anonymous)", "{anonymous}", "<lambda>"))


class Facts(NamedTuple):
    """What is known of an event. `types`: of the chain, root cause first, the primary one last."""

    types: Sequence[str]
    stack: "StackKey"
    message: str
    transaction: str = ""
    client: Sequence[str] = ()


class StackKey(NamedTuple):
    """What counts of a stack. `names`: of frames, outermost first, each once. `own`: they are the user's own code.

    `weak`: the names say too little (minified or anonymous functions), so the message counts too.
    """

    names: tuple[str, ...] = ()
    own: bool = False
    weak: bool = False


NO_STACK = StackKey()


def fingerprint(facts: Facts) -> Fingerprint:
    """The fingerprint of an event: the client's own if it gave one, else the default one."""
    if not facts.client or list(facts.client) == [DEFAULT]:
        return _default(facts)
    parts = [_expanded(part, facts) for part in facts.client]
    reason = "same fingerprint set by the client"
    if any(part != given for part, given in zip(parts, facts.client, strict=True)):
        reason += ", with values of the event put in"
    return _fingerprint(["client", *parts], reason, parts)


def _expanded(part: str, facts: Facts) -> str:
    """A part of a client's fingerprint, with what a variable stands for."""
    name = part.strip()
    if not (name.startswith("{{") and name.endswith("}}")):
        return part
    match name[2:-2].strip():
        case "default":
            return _default(facts).value
        case "type" | "error.type":
            return facts.types[-1] if facts.types else ""
        case "value" | "error.value" | "message":
            return template(facts.message)
        case "transaction":
            return facts.transaction
        case _:
            return part


def _default(facts: Facts) -> Fingerprint:
    types = list(dict.fromkeys((facts.types[0], facts.types[-1]))) if facts.types else []
    types = [name for name in types if name]
    stack = facts.stack
    shape = template(facts.message) if needs_message(facts) else ""
    named = [f"type: {name}" for name in types]
    shown = named + [f"frame: {name}" for name in stack.names[-(_PARTS_MAX - len(named) - 1) :]]
    if shape:
        shown.append(f"message: {shape}")
    return _fingerprint(
        ["types", *types, "frames", *stack.names, "message", shape], _reason(types, stack, shape), shown
    )


def needs_message(facts: Facts) -> bool:
    """Whether types and stack say too little, so that the message counts too."""
    return bool(facts.client) or facts.stack.weak or not facts.stack.names or not any(facts.types)


def _reason(types: list[str], stack: StackKey, shape: str) -> str:
    """Why events are the same, for people."""
    same = []
    if types:
        same.append(f"exception type {types[-1]}")
        if len(types) > 1:
            same.append(f"root cause {types[0]}")
    if stack.names:
        kind = "in-app frame" if stack.own else "frame"
        number = len(stack.names)
        same.append(f"{number} {kind}{'s' * (number > 1)} ending in {stack.names[-1]}")
    if shape:
        same.append(f'message like "{shape}"')
    return f"same {' and '.join(same)}" if same else "nothing that tells it from other events"


def _fingerprint(key: list[str], reason: str, parts: Sequence[str]) -> Fingerprint:
    digest = hashlib.sha256("\x1f".join(key).encode("utf-8", "replace")).digest()[:_DIGEST_BYTES]
    return Fingerprint(
        value=f"{VERSION}:{digest.hex()}",
        version=VERSION,
        reason=reason[: 2 * _PART_CHARS_MAX],
        parts=[part[:_PART_CHARS_MAX] for part in parts[:_PARTS_MAX]],
    )


def stack_key(frames: Sequence[Frame], platform: str) -> StackKey:
    """What counts of a stack: its in-app frames, or all when there are none. Line numbers, addresses, hashes and
    numbers that compilers make up do not count; what recursion repeats counts once."""
    own = [frame for frame in frames if frame.in_app]
    found = dict.fromkeys(frame_name(frame, platform) for frame in own or frames)
    names = [name for name in found if name][-_FRAMES_MAX:]
    told = any(not name.endswith(".?") for name in names)
    return StackKey(tuple(names), own=bool(own), weak=not told)


def frame_name(frame: Frame, platform: str) -> str:
    """A frame as `module.function`, cleaned; `?` for a function without a name. Empty: nothing is known of it."""
    where = _clean_module(frame.module) if frame.module else _clean_path(frame.filename or frame.abs_path)
    function = _clean_function(frame.function, platform in _SCRIPT_PLATFORMS)
    if not where and function == "?":
        return ""
    return f"{where}.{function}" if where else function


@lru_cache(_REMEMBERED_MAX)
def _clean_function(name: str, script: bool) -> str:
    """A function's name without what changes from build to build."""
    name = name.strip()
    if name in _ANONYMOUS:
        return "?"
    if "(" in name and not name.startswith("("):
        name = name.partition("(")[0]  # C++ and Swift: arguments
    name = _without_generated(name)
    if script:
        name = name.removeprefix("async ").removeprefix("new ").removeprefix("Object.").removeprefix("Module.")
        if len(name) <= _SHORT_NAME_CHARS:
            return "?"  # minified
    return "?" if name in _ANONYMOUS else name


@lru_cache(_REMEMBERED_MAX)
def _clean_module(name: str) -> str:
    """A module or class without generated parts: `Cart$$EnhancerBySpringCGLIB$$1a2b` is `Cart`, `$Proxy12` `$Proxy`."""
    return _without_generated(name.partition("$$")[0].partition("/0x")[0])


@lru_cache(_REMEMBERED_MAX)
def _clean_path(path: str) -> str:
    """A file's name with its nearest folders, without host, query, hashes and versions."""
    path = path.replace("\\", "/").partition("?")[0].partition("#")[0]
    _, scheme, rest = path.rpartition("://")
    if scheme:
        path = rest.partition("/")[2]
    parts = [_without_hashes(part) for part in path.split("/") if part not in (".", "..")]
    return "/".join([part for part in parts if part][-_PATH_PARTS:])


def _without_hashes(part: str) -> str:
    """`main-38b2c6f9.chunk.js` is `main.chunk.js`; so are numbers of builds gone."""
    kept = [piece for piece in _pieces(part, "-._") if not _is_generated(piece.strip("-._"))]
    return "".join(kept).lstrip("-._")


def _without_generated(name: str) -> str:
    """`lambda$main$3` is `lambda$main`, `handler_1732412345` is `handler`, `<>c__DisplayClass4_0` stays one name."""
    if not any(letter.isdigit() for letter in name):
        return name
    pieces = [piece.rstrip("0123456789") if piece[0] == "$" else piece for piece in _pieces(name, "$_@-")]
    kept = [piece for piece in pieces if not _is_generated(piece.strip("$_@-"))]
    return "".join(kept).rstrip("$_@-") or "*"


def _pieces(text: str, joints: str) -> list[str]:
    """The text cut before each joint, so that joining gives it back."""
    pieces = [""]
    for letter in text:
        if letter in joints and pieces[-1] not in joints:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _is_generated(piece: str) -> bool:
    """Numbers with three and more digits, and hashes: digits among hex letters."""
    if piece.isdigit():
        return len(piece) >= _GENERATED_DIGITS_MIN
    piece = piece.removeprefix("0x")
    return len(piece) >= _HASH_CHARS_MIN and any(letter.isdigit() for letter in piece) and _HEX.issuperset(piece)


def _latin_1() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return options


_VARIABLE = re2.compile(
    rb"\"[^\"\n]*\"|\B'[^'\n]*'\B|`[^`\n]*`"  # what is quoted
    rb"|[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>]+"  # addresses
    rb"|[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]+"
    rb"|\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"
    rb"|\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]+)?"
    rb"(?:Z|[+\-][0-9]{2}:?[0-9]{2})?)?"
    rb"|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?\b"
    rb"|(?:[A-Za-z]:)?(?:[/\\][\w.@%+\-~]+){2,}[/\\]?"  # paths
    rb"|\b0[xX][0-9A-Fa-f]+\b"
    rb"|\b[0-9A-Fa-f]{7,}\b"
    rb"|\bv?[0-9]+(?:[.,:][0-9]+)*|[0-9]{4,}",
    _latin_1(),
)
_UUID_DASHES = 4
_TEMPLATE_CHARS_MAX = 1000


@lru_cache(_REMEMBERED_MAX // 4)
def template(message: str) -> str:
    """The first line of a message with its variable parts replaced: numbers, ids, quoted texts, paths, addresses."""
    line = message.strip().partition("\n")[0][:_TEMPLATE_CHARS_MAX].rstrip()
    data = line.encode("utf-8", "replace")
    pieces: list[bytes] = []
    at = 0
    for found in _VARIABLE.finditer(data):
        start, end = found.span()
        pieces += (data[at:start], _placeholder(data[start:end]))
        at = end
    if not at:
        return line
    pieces.append(data[at:])
    return b"".join(pieces).decode("utf-8", "replace")


def _placeholder(found: bytes) -> bytes:
    """What stands for a variable part: its kind, as far as its form tells."""
    first = found[:1]
    if first in (b'"', b"'", b"`"):
        return b"<text>"
    if b"://" in found:
        return b"<url>"
    if first in (b"/", b"\\") or (found[1:2] == b":" and first.isalpha()):
        return b"<path>"
    if b"@" in found:
        return b"<email>"
    if found[4:5] == b"-" and found[7:8] == b"-" and found[:4].isdigit():
        return b"<time>"
    if found.isalpha():
        return found  # a word that happens to be made of the letters a to f
    has_letters = any(chr(byte).isalpha() for byte in found.removeprefix(b"v"))
    return b"<id>" if has_letters or found.count(b"-") == _UUID_DASHES else b"<n>"
