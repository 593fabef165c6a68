"""Connections of `requests` that go where they were told, and not where a second look at the DNS would send them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

Choose = Callable[[str, int], str]
"""(host, port) -> the address to connect to."""


class PinnedAdapter(HTTPAdapter):
    """Sends over connections to the address that `choose` gives; names in certificates and headers stay the host's."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **words: Any) -> None:
        """Called by `requests` to make its connections."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **words)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self._choose),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self._choose),
        }


def _pool(pool: Any, connection: Any, choose: Choose) -> Any:
    def connect(self: Any) -> socket.socket:
        host = self._dns_host
        self._dns_host = choose(host, self.port)
        try:
            return connection._new_conn(self)  # type: ignore[no-any-return]
        finally:
            self._dns_host = host

    pinned = type("Pinned", (connection,), {"_new_conn": connect})
    return type("PinnedPool", (pool,), {"ConnectionCls": pinned})
