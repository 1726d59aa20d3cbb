"""Ids that are functions of what they name, so that a replay makes the same ones again."""

import hashlib
import hmac
from typing import NamedTuple

USER_ID_BYTES = 8
BLAKE2_KEY_BYTES_MAX = 64


class Position(NamedTuple):
    """Where an item lies for ever: log (its number in the store, for its UUID), offset of the record, index in it."""

    log: int
    offset: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here


def event_id_at(installation_key: bytes, log_uuid: bytes, offset: int, index: int) -> str:
    """The id of an item that came without one: keyed, so nobody outside can guess or collide with it."""
    what = b"event" + log_uuid + offset.to_bytes(8, "big") + index.to_bytes(4, "big")
    return hmac.digest(installation_key, what, "sha256")[:16].hex()


def user_id_of(installation_key: bytes, project_id: int, raw: str) -> str:
    """The keyed hash under which a user is counted: 16 hex digits, different in each project."""
    what = b"user" + project_id.to_bytes(8, "big") + raw.encode("utf-8", "surrogatepass")
    # keyed BLAKE2 (RFC 7693) is made for this, and costs 0.7 us where HMAC costs 4
    return hashlib.blake2b(what, key=installation_key[:BLAKE2_KEY_BYTES_MAX], digest_size=USER_ID_BYTES).hexdigest()


def issue_id_of(project_id: int, fingerprint: str) -> int:
    """The id of the issue of a fingerprint: 63 bits, known before anything is written."""
    what = project_id.to_bytes(8, "big") + fingerprint.encode()
    return int.from_bytes(hashlib.sha256(what).digest()[:8], "big") >> 1


def issue_id_text(issue_id: int) -> str:
    """How an issue's id is printed: 16 hex digits."""
    return f"{issue_id:016x}"


def issue_id_parse(text: str) -> int:
    """Read what `issue_id_text` printed. Raises ValueError for anything else."""
    if len(text) != 16:
        raise ValueError(f"an issue id has 16 hex digits, not {len(text)} characters")
    return int(text, 16)
