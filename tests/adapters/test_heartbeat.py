"""The address of the heartbeat is a secret, also where it is no address."""

from __future__ import annotations

import pytest

from incident_ops.adapters.heartbeat import ping
from incident_ops.errors import WriteFailed


@pytest.mark.parametrize(
    "url", ["https://[secret-token/ping", "https://h\u2100secret-token/ping", "https://example.org:secret-token/ping"]
)
def test_a_malformed_address_is_refused_and_not_printed(url: str) -> None:
    """Nothing of it, wherever it breaks."""
    with pytest.raises(WriteFailed) as raised:
        ping(url)
    assert "secret-token" not in str(raised.value)
    assert raised.value.__suppress_context__
    assert "INCIDENT_OPS_HEARTBEAT_URL" in str(raised.value)
