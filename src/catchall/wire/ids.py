"""Event ids as clients write them."""

_BYTES = 16


def event_id_of(text: object) -> str:
    """An event id as 32 lower-case hex digits, also from the form with dashes; empty when it is none, or all zeros."""
    if not isinstance(text, str):
        return ""
    plain = text.replace("-", "") if len(text) > 2 * _BYTES else text
    if len(plain) != 2 * _BYTES:
        return ""
    try:
        found = bytes.fromhex(plain)
    except ValueError:
        return ""
    return found.hex() if len(found) == _BYTES and any(found) else ""
