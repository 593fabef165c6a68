"""The signature of AWS requests, against published figures and those of AWS' own library."""

from __future__ import annotations

from datetime import UTC, datetime

from incident_ops.adapters.metrics.cloudwatch import Credentials, _key, signed

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def test_the_signing_key_is_the_published_one() -> None:
    """AWS' documentation derives this key from its example secret for 2012-02-15, us-east-1, iam."""
    key = _key(SECRET, "20120215", "us-east-1", "iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


def test_a_whole_request_is_signed_as_botocore_signs_it() -> None:
    """botocore 1.44.5 gave this signature for the same request; names in order, the session's token among them."""
    at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    who = Credentials("AKIDEXAMPLE", SECRET, "token")
    found = signed(who, "us-east-1", "monitoring", "h.example", b"{}", {"Content-Type": "x", "X-Amz-Target": "t"}, at)
    assert found["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/monitoring/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
        "Signature=6b67569f0fbf431e0f591f43c125912fc14a6290e47576d9d0cdb0aebed66625"
    )
    assert found["x-amz-date"] == "20150830T123600Z"
    assert SECRET not in f"{found} {who!r}"
