"""When memory that nobody needs is found and given back: by Python's collector, and by glibc's allocator, which keeps
as much as it ever needed unless it is told otherwise.

Where the C library is another one, nothing is done there. Source: mallopt(3), malloc_trim(3)
"""

import ctypes
import gc
from typing import Final

from catchall.core import limits

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 128 * 1024  # glibc's own start; left alone, it grows with the largest buffer that was freed
_FREE_BYTES_KEPT: Final = 1024 * 1024

_libc = ctypes.CDLL(None)


def return_large_buffers() -> None:
    """From now on a large buffer goes back to the system when it is freed, and so does a free end of the heap."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        _libc.mallopt(_TRIM_THRESHOLD, _FREE_BYTES_KEPT)


def collect_seldom() -> None:
    """Look for garbage in cycles only once there are more objects than a batch has. Ours makes hardly any; at the usual
    pace each event's objects are walked many times."""
    gc.set_threshold(limits.OBJECTS_BETWEEN_COLLECTIONS)


def return_what_is_free() -> None:
    """Collect garbage, and give back every page that nothing stands on. Takes a few milliseconds: for when there is
    nothing else to do."""
    gc.collect()
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
