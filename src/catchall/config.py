"""Settings: one table, read from a TOML file and from CATCHALL_* variables, all checked before anything starts.

Order: the default, then DIR/catchall.toml (or CATCHALL_CONFIG), then CATCHALL_<NAME>, then CATCHALL_<NAME>_FILE (for
secrets and what an orchestrator mounts). A wrong value names the setting, where it came from and the legal values.
"""

import ipaddress
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from catchall.core import limits
from catchall.core.errors import ConfigError

CONFIG_FILE = "catchall.toml"
PREFIX = "CATCHALL_"
SETTING_BYTES_MAX = 64 * 1024

Check = Callable[[Any], str]
"""Says what is wrong with a value, or nothing."""


def _between(low: int, high: int) -> Check:
    def check(value: int) -> str:
        return "" if low <= value <= high else f"a number from {low} to {high}"

    return check


def _one_of(*words: str) -> Check:
    def check(value: str) -> str:
        return "" if value in words else "one of " + ", ".join(words)

    return check


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if host and port.isdigit() and 0 < int(port) < 65536:
        return ""
    return "HOST:PORT, as 127.0.0.1:8300 or [::1]:8300"


def _networks(value: list[str]) -> str:
    for entry in value:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return f"addresses or networks, as 10.0.0.0/8 ({entry!r} is neither)"
    return ""


def _url_or_empty(value: str) -> str:
    if not value or value.startswith(("http://", "https://")):
        return ""
    return "a URL that begins with http:// or https://"


def _readable_or_empty(value: str) -> str:
    return "" if not value or os.access(value, os.R_OK) else "a file that can be read"


def _setting(default: Any, about: str, check: Check | None = None) -> Any:
    metadata = {"about": about, "check": check}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of an installation. `about` of each is what the docs and `catchall settings` print."""

    bind: str = _setting("127.0.0.1:8300", "Address and port that the front process listens on.", _address)
    base_url: str = _setting(
        "", "Address that people and clients use, when it is not http://localhost:PORT.", _url_or_empty
    )
    trusted_proxies: list[str] = _setting([], "Proxies whose X-Forwarded-* are believed.", _networks)  # noqa: RUF009
    metrics_readers: list[str] = _setting(["127.0.0.0/8", "::1"], "Addresses that may read /metrics.", _networks)  # noqa: RUF009
    tls_certificate: str = _setting(
        "", "PEM file with the certificate chain; reloaded when it changes.", _readable_or_empty
    )
    tls_key: str = _setting("", "PEM file with the private key.", _readable_or_empty)
    workers: int = _setting(
        0,
        "Worker processes; 0 takes half of the cores, two at least where there are two.",
        _between(0, limits.LOG_PARTITIONS),
    )
    web_threads: int = _setting(4, "Threads that serve pages and the API.", _between(1, 64))
    log_level: str = _setting("info", "What catchall's own log holds.", _one_of("debug", "info", "warning", "error"))
    log_format: str = _setting(
        "auto", "Own log as json or text; auto is text on a terminal.", _one_of("auto", "json", "text")
    )
    log_bytes_max: int = _setting(
        limits.LOG_BYTES_MAX,
        "Bytes that each lane of the log may hold before intake answers 503.",
        _between(1 << 20, 1 << 50),
    )
    free_disk_bytes_min: int = _setting(
        limits.LOG_FREE_DISK_BYTES_MIN, "Free disk below which intake answers 503.", _between(0, 1 << 50)
    )
    retention_days: int = _setting(limits.RETENTION_DAYS, "Days that events are kept.", _between(1, 3650))
    retention_bytes: int = _setting(
        0, "Bytes that events may take; the oldest day goes first. 0: no bound.", _between(0, 1 << 60)
    )
    project_rate_per_minute: int = _setting(
        0, "Requests a minute that one project may send; 0: no bound.", _between(0, 10**9)
    )
    key_rate_per_minute: int = _setting(0, "Requests a minute that one key may send; 0: no bound.", _between(0, 10**9))
    development: bool = _setting(False, "Show /-/components, where all parts of the pages stand side by side.")

    @property
    def host(self) -> str:
        """The host part of `bind`, without brackets."""
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of `bind`."""
        return int(self.bind.rpartition(":")[2])

    @property
    def public_url(self) -> str:
        """Where people open the pages: `base_url`, or localhost (where passkeys work) with the port."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = "localhost" if self.host in ("127.0.0.1", "::1", "0.0.0.0", "::") else self.host  # noqa: S104
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.port}"

    def worker_count(self) -> int:
        """How many workers to start."""
        cores = os.cpu_count() or 1
        return self.workers or max(min(cores, 2), cores // 2)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load(data: Path, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None) -> Settings:
    """Read and check all settings of the installation in `data`. Raises ConfigError naming what is wrong."""
    values: dict[str, object] = {}
    values.update(_from_file(Path(environ.get(PREFIX + "CONFIG", data / CONFIG_FILE))))
    values.update(_from_environment(environ))
    values.update({name: _checked(name, value, "the command line") for name, value in (overrides or {}).items()})
    settings = Settings(**values)  # type: ignore[arg-type]
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ConfigError("tls_certificate and tls_key go together: give both or none")
    return settings


def _from_file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    return {name: _checked(name, value, str(path)) for name, value in found.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for entry in fields(Settings):
        name = variable(entry.name)
        if name in environ:
            values[entry.name] = _checked(entry.name, environ[name], name)
        if name + "_FILE" in environ:
            values[entry.name] = _checked(entry.name, _read(name + "_FILE", environ[name + "_FILE"]), name + "_FILE")
    return values


def _read(name: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(SETTING_BYTES_MAX).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}={path}: the file cannot be read: {error}") from error


def _checked(name: str, value: object, source: str) -> object:
    known = {entry.name: entry for entry in fields(Settings)}
    if name not in known:
        raise ConfigError(f"{source}: there is no setting {name!r}; there are " + ", ".join(sorted(known)))
    kind = known[name].type
    try:
        converted = _converted(value, kind)
    except ValueError as error:
        raise ConfigError(f"{source}: {name}={value!r}: it must be {error}") from None
    check: Check | None = known[name].metadata["check"]
    wrong = check(converted) if check else ""
    if wrong:
        raise ConfigError(f"{source}: {name}={value!r}: it must be {wrong}")
    return converted


def _converted(value: object, kind: object) -> object:
    if kind is int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError("a whole number")
        try:
            return int(value)
        except ValueError:
            raise ValueError("a whole number") from None
    if kind is bool:
        word = str(value).lower()
        if word not in ("true", "false", "1", "0"):
            raise ValueError("true or false")
        return word in ("true", "1")
    if kind is str:
        if not isinstance(value, str):
            raise ValueError("a text")
        return value
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    raise ValueError("a list of texts (in a variable: separated by commas)")
