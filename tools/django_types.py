"""Django's settings for the type checker only: its plugin reads a module, and catchall makes them in code."""

from pathlib import Path
from typing import Any, cast

from catchall.web.services import WebServices
from catchall.web.settings import settings_of

_NOTHING = cast("Any", None)

globals().update(
    settings_of(
        WebServices(
            hot=_NOTHING,
            events=_NOTHING,
            blobs=_NOTHING,
            data_dir=Path("data"),
            base_url="http://localhost:8300",
            secret=bytes(32),
            status=_NOTHING,
            clock=lambda: 0,
        )
    )
)
