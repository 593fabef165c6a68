"""Words of other systems in our messages."""

from __future__ import annotations

from incident_ops.adapters.one_line import one_line


def test_words_of_others_come_on_one_printable_line() -> None:
    """No colour codes, no line ends, no workflow commands at the start of a line, no novel."""
    assert one_line("a\n::error::b\x1b[31m") == "a ::error::b [31m"
    assert len(one_line("x" * 1000)) == 300
    assert one_line("x" * 1000, 40) == "x" * 37 + "..."
