"""Whose address a request comes from, when proxies stand in between."""

import ipaddress
from collections.abc import Iterable

from catchall.core import limits

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(entries: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and networks. Raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(entry, strict=False) for entry in entries)


def plain_address(text: str) -> str:
    """An address without port, brackets and zone, IPv4 in IPv6 taken out; empty when it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


class AddressList:
    """Is an address in one of these networks? What was asked before is remembered, within a bound."""

    def __init__(self, entries: Iterable[Network]) -> None:
        self._networks = tuple(entries)
        self._seen: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        found = self._seen.get(address)
        if found is None:
            if len(self._seen) >= limits.ADDRESSES_CACHED_MAX:
                self._seen.clear()
            found = self._seen[address] = self._look(address)
        return found

    def _look(self, address: str) -> bool:
        plain = plain_address(address)
        if not plain:
            return False
        known = ipaddress.ip_address(plain)
        return any(known in network for network in self._networks)

    def client(self, peer: str, forwarded_for: bytes | None) -> str:
        """The client's address: the peer's or, when the peer is in the list, the last in X-Forwarded-For that is not.

        Whatever stands before an address outside the list was written by a stranger and is not looked at.
        """
        if not self._networks or forwarded_for is None or peer not in self:
            return peer
        client = peer
        hops = forwarded_for.decode("latin-1").rsplit(",", limits.FORWARDED_HOPS_MAX)[-limits.FORWARDED_HOPS_MAX :]
        for hop in reversed(hops):
            address = plain_address(hop)
            if not address:
                break
            client = address
            if address not in self:
                break
        return client
