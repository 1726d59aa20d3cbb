"""What clients say in many ways, said in one: whose code a frame is, and where it happened."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from catchall.core import limits
from catchall.core.event import Frame

# Parts of paths (lower case, "/" for "\") that only code of others has, whatever the platform.
_FOREIGN_PATHS = (
    "/site-packages/", "/dist-packages/", "/lib/python", "/lib64/python", "/node_modules/", "/bower_components/",
    "/go/pkg/mod/", "/usr/local/go/src/", "/usr/lib/", "/usr/lib64/", "/lib/x86_64", "/lib/aarch64", "/gems/",
    "/rubygems/", "/lib/ruby/", "/rustc/", "/.cargo/registry/", "/deps/phoenix/", "/deps/plug", "/lib/elixir/",
    "/system/library/", "/windows/system32/", "/third_party/", "/.pub-cache/", "/flutter/packages/",
)  # fmt: skip
# How such paths begin.
_FOREIGN_STARTS = (
    "node:", "internal/", "node_modules/", "webpack/bootstrap", "webpack/runtime", "chrome-extension://",
    "moz-extension://", "safari-extension://", "safari-web-extension://", "<anonymous>", "<frozen ", "<internal:",
    "[internal", "[native code]", "native ", "dart:", "package:flutter/", "site-packages/", "dist-packages/",
    "lib/python", "python3.", "/lib/libc", "/lib64/libc",
)  # fmt: skip
_VENDOR_PLATFORMS = frozenset(("php", "go", "ruby", "native"))  # where a folder `vendor` holds code of others
# First parts of modules that belong to the language, its runtime or the usual frameworks.
_FOREIGN_MODULES: dict[str, tuple[str, ...]] = {
    "java": (
        "java.", "javax.", "jakarta.", "sun.", "com.sun.", "jdk.", "kotlin.", "kotlinx.", "scala.", "groovy.",
        "org.codehaus.groovy.", "clojure.", "android.", "androidx.", "com.android.", "dalvik.", "com.google.android.",
        "org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.jboss.", "io.netty.", "reactor.",
        "io.reactivex.", "com.fasterxml.", "org.junit.", "com.zaxxer.",
    ),
    "csharp": ("System.", "Microsoft.", "MS.", "Windows.", "Newtonsoft.", "Npgsql.", "Grpc."),
    "go": ("net/http", "reflect", "testing", "syscall", "internal/", "encoding/", "database/sql"),
    "rust": ("std::", "core::", "alloc::", "tokio::", "backtrace::", "<alloc::", "<core::", "<std::"),
    "elixir": ("Elixir.Plug.", "Elixir.Phoenix.", "Elixir.Ecto.", "erlang", "gen_server", "proc_lib"),
    "python": ("importlib.", "asyncio.", "concurrent.futures"),
    "dart": ("dart:", "package:flutter"),
}  # fmt: skip
# Modules that are theirs only when nothing follows: `runtime` of Go, not `runtime_checks`.
_FOREIGN_WHOLE: dict[str, frozenset[str]] = {
    "go": frozenset(("runtime", "sync", "runtime/debug", "os", "io", "context", "fmt", "errors")),
    "python": frozenset(("threading", "runpy", "asyncio", "importlib")),
}
_ALIASES = {
    "kotlin": "java", "scala": "java", "android": "java", "groovy": "java", "dotnet": "csharp", ".net": "csharp",
    "fsharp": "csharp", "vb": "csharp", "aspnetcore": "csharp", "golang": "go", "c": "native", "cocoa": "native",
    "objc": "native", "swift": "native", "erlang": "elixir", "flutter": "dart",
}  # fmt: skip
_NOWHERE: tuple[str, ...] = ()


def platform_family(word: str) -> str:
    """The family whose rules a platform follows: `dotnet` and `csharp` have the same."""
    return _ALIASES.get(word, word)


@lru_cache(limits.FRAMES_JUDGED_REMEMBERED_MAX)
def is_in_app(platform: str, module: str, filename: str, abs_path: str) -> bool:
    """Whether a frame is the user's own code, judged by where its file lies and how its module is called."""
    if not (module or filename or abs_path):
        return False  # nothing is known of it, so nobody can look it up
    family = platform_family(platform)
    for path in (abs_path, filename):
        place = path.replace("\\", "/").lower()
        if place.startswith(_FOREIGN_STARTS) or any(mark in place for mark in _FOREIGN_PATHS):
            return False
        if family in _VENDOR_PLATFORMS and (place.startswith("vendor/") or "/vendor/" in place):
            return False
    if module in _FOREIGN_WHOLE.get(family, _NOWHERE):
        return False
    return not module.startswith(_FOREIGN_MODULES.get(family, _NOWHERE))


def decide_in_app(frames: Iterable[Frame], platform: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
    """Say of each frame whether it is the user's own code: the project's lists win, then the client, then our rules.

    An entry of a list is the beginning of a module (`shop`, for `shop.cart`) or of a path, or a folder in one.
    """
    if not include and not exclude:
        for frame in frames:
            if frame.in_app is None:
                frame.in_app = is_in_app(platform, frame.module, frame.filename, frame.abs_path)
        return
    for frame in frames:
        if include and _listed(frame, include):
            frame.in_app = True
        elif exclude and _listed(frame, exclude):
            frame.in_app = False
        elif frame.in_app is None:
            frame.in_app = is_in_app(platform, frame.module, frame.filename, frame.abs_path)


def _listed(frame: Frame, names: tuple[str, ...]) -> bool:
    return any(
        _begins(frame.module, name) or _begins(frame.filename, name) or f"/{name.strip('/')}/" in frame.abs_path
        for name in names
        if name
    )


def _begins(text: str, name: str) -> bool:
    """Whether `name` is the first part, or the first parts, of a dotted name or a path."""
    if not text.startswith(name):
        return False
    return len(text) == len(name) or name[-1] in "/." or text[len(name)] in "/."


def place_of(frames: Sequence[Frame]) -> str:
    """Where it happened, in a line: the innermost frame of the user's own code, else the innermost. May be empty."""
    for frame in reversed(frames):
        if frame.in_app:
            return _place(frame)
    return _place(frames[-1]) if frames else ""


def _place(frame: Frame) -> str:
    where, function = (frame.module or frame.filename).strip(), frame.function.strip()
    place = f"{where} in {function}" if where and function else where or function
    return place[: limits.NAME_CHARS_MAX].rstrip()
