"""A certificate that nobody trusts by itself, for servers on this machine."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

CERTIFICATE, KEY = "certificate.pem", "key.pem"


def make_certificate(folder: Path, host: str) -> Path:
    """Writes CERTIFICATE and KEY for `host` into `folder` -> the path of the certificate."""
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-keyout", str(folder / KEY), "-out", str(folder / CERTIFICATE), "-days", "2"]
    words += ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    subprocess.run(words, check=True, capture_output=True)
    return folder / CERTIFICATE


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS of a server with the certificate in `folder`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    return context
