"""TLS by certificate files, renewed without a restart."""

import os
import ssl
from pathlib import Path

import structlog

from catchall.core.errors import ConfigError
from catchall.intake.metrics import FrontMetrics

log = structlog.get_logger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


class TlsFiles:
    """Keeps one context for the listener; each handshake gets the certificate that was read last.

    The new files are loaded into a context of their own first, because OpenSSL drops the old key when a new certificate
    does not fit it: a half-replaced pair of files never reaches a client.
    """

    def __init__(self, certificate: Path, key: Path, metrics: FrontMetrics) -> None:
        """Raises ConfigError when the files cannot be used."""
        self._paths = (certificate, key)
        self._metrics = metrics
        try:
            self._stamp = self._look()
            self._current = self._load()
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"tls_certificate {certificate}, tls_key {key}: they cannot be used: {error}") from error
        self.context = self._load()
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _look(self) -> _Stamp:
        found = [os.stat(path) for path in self._paths]
        return tuple((status.st_mtime_ns, status.st_ino, status.st_size) for status in found)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(*self._paths)
        return context

    def renew(self) -> bool:
        """Read the files again if they changed; what cannot be used is left alone. Returns whether it was renewed."""
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return False
            self._current = self._load()
        except (OSError, ssl.SSLError) as error:
            self._metrics.tls_reload_errors += 1
            log.warning("the new certificate cannot be used yet; the old one stays", error=str(error))
            return False
        self._stamp = stamp
        self._metrics.tls_reloads += 1
        log.info("certificate renewed")
        return True
