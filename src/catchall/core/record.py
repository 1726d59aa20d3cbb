"""What intake writes to the log: the bytes as received, and the facts of their arrival."""

import msgspec

PROTOCOL_REFUSALS = "catchall.refusals"  # one record a second: what intake refused, counted


class RawRecord(msgspec.Struct, array_like=True, gc=False, kw_only=True):
    """One accepted request. Fields are positional on disk: append new ones at the end, with a default.

    `received_at`: microseconds since the epoch. `event_id`: 32 hex, the id that the answer promised, or empty.
    `encoding`: Content-Encoding as sent, lower case. `spool`: file name in the spool folder that holds the body when
    it was too large for the log; then `body` is empty.
    """

    protocol: str
    project_id: int
    key_id: int
    received_at: int
    peer: str = ""
    event_id: str = ""
    encoding: str = ""
    content_type: str = ""
    user_agent: str = ""
    body: bytes = b""
    spool: str = ""


class Refusal(msgspec.Struct, array_like=True, gc=False):
    """How often intake refused something for one reason within the last second. `project_id` 0: unknown key."""

    project_id: int
    category: str
    reason: str
    count: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RawRecord)
_refusals = msgspec.msgpack.Decoder(list[Refusal])


def encode_record(record: RawRecord) -> bytes:
    """The bytes of a record, as they lie in the log."""
    return _encoder.encode(record)


def decode_record(data: bytes) -> RawRecord:
    """Read a record's bytes. Raises msgspec.DecodeError when they are not a record."""
    return _decoder.decode(data)


def encode_refusals(refusals: list[Refusal]) -> bytes:
    """The body of a refusals record."""
    return _encoder.encode(refusals)


def decode_refusals(data: bytes) -> list[Refusal]:
    """Read the body of a refusals record. Raises msgspec.DecodeError when it is not one."""
    return _refusals.decode(data)


def partition_of(event_id: str, partitions: int) -> int:
    """The virtual partition of an event id: the same id always goes to the same one. `event_id`: hex digits."""
    return int(event_id[-2:], 16) % partitions
