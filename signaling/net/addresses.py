"""The IPv4 addresses of this machine, loopback included: what a node without TONGTANG_MEDIA_ADDRESSES offers to
browsers.
"""

from __future__ import annotations

import ifaddr


def local_addresses() -> tuple[str, ...]:
    """Real addresses first, loopback last: browsers try candidates in the order of their priority."""
    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return tuple(sorted(dict.fromkeys(found), key=lambda address: address.startswith("127.")))
