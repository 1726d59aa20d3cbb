"""What makes events the same issue. Each version is one file, frozen once it was released.

A stored fingerprint starts with its version, so issues of different versions never meet by accident.
"""

from collections.abc import Callable

from catchall.core import limits
from catchall.core.event import Fingerprint
from catchall.core.fingerprint import v1
from catchall.core.fingerprint.v1 import NO_STACK, Facts, StackKey, needs_message, stack_key, template

VERSIONS: dict[str, Callable[[Facts], Fingerprint]] = {v1.VERSION: v1.fingerprint}
CURRENT = v1.VERSION

__all__ = ["CURRENT", "NO_STACK", "VERSIONS", "Facts", "StackKey", "needs_message", "stack_key", "title_of"]


def title_of(error_type: str, message: str, transaction: str) -> str:
    """What an issue is called: the type and the first line of the message, its variable parts left out."""
    shape = template(message)
    title = f"{error_type}: {shape}" if error_type and shape else error_type or shape or transaction
    return title[: limits.TITLE_CHARS_MAX]
