"""What a pin file says, in every form in which one is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.domain.pin_file import Pin, read_pins, tool_pin
from incident_ops.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
A, B = "a" * 64, "b" * 64


AT = "https://x.example/incident_ops-0.1.0-py3-none-any.whl"
HERE = "./wheels/incident_ops-0.2.0rc1-py3-none-any.whl"
OFF = "platform_python_implementation != 'PyPy'"


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        (
            f"click==8.1 \\\n    --hash=sha256:{A} \\\n    --hash=sha256:{B}\n    # via x\n",
            Pin("click", "8.1", digests=(A, B)),
        ),
        (f"cffi==2.1 ; {OFF} \\\n  --hash=sha256:{A}", Pin("cffi", "2.1", marker=OFF, digests=(A,))),
        ("Types_PyYAML==6\r\n", Pin("types-pyyaml", "6")),
        ("pyjwt[crypto]==2.15.1\n", Pin("pyjwt", "2.15.1")),
        (f"incident-ops @ {AT} \\\n --hash=sha256:{A}\n", Pin("incident-ops", "0.1.0", AT, digests=(A,))),
        (f"{HERE} --hash=sha256:{A}", Pin("incident-ops", "0.2.0rc1", HERE, digests=(A,))),
    ],
)
def test_a_line_is_a_package(text: str, pin: Pin) -> None:
    assert read_pins(f"# a comment\n\n--only-binary :all:\n{text}") == [pin]


@pytest.mark.parametrize(
    "text", ["click", "click>=8", f"click==8 --hash=md5:{A}", "click==8 --hash=sha256:ab", "<html>"]
)
def test_what_names_no_version_or_no_true_hash_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a package with its version and hashes"):
        read_pins(text)


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_our_own_files_are_read_whole(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pins = read_pins(text)
    assert len(pins) == text.count("==") - text.count("== '")
    assert sum(len(one.digests) for one in pins) == text.count("--hash=")
    assert tool_pin(pins) is None
