"""One field of a planned change, old -> new, as lines for a terminal or of a diff; long ones are cut with a count."""

from __future__ import annotations

from collections.abc import Sequence

from incident_ops.reconcile.field_changes import FieldChange, spell_value
from incident_ops.render.findings import inert, plural
from incident_ops.render.text import cut_line, fold_record

_LINES, _CHARACTERS = 8, 300
"""Of one text that is shown in a terminal, and of one value, wherever it is shown."""
_SET_IN = "      "
HIDDEN_LINES = "only what is hidden changes"


def field_lines(field: FieldChange, width: int, *, is_verbose: bool) -> list[str]:
    """A field as lines of at most `width` columns, set in below its change; whole with `is_verbose`."""
    if field.added or field.removed:
        names = " ".join([*(f"+{name}" for name in field.added), *(f"-{name}" for name in field.removed)])
        return fold_record(f"{field.name}: {names}", _SET_IN, _SET_IN + "  ", width)
    if field.is_value:
        whole = [spell_value(field.was), spell_value(field.now)]
        was, now = whole if is_verbose else map(cut_value, whole)
        return fold_record(f"{field.name}: {was} -> {now}", _SET_IN, _SET_IN + "  ", width)
    if not field.lines:
        return [f"{_SET_IN}{field.name}: {HIDDEN_LINES}"]
    signs = {line[0] for line in field.lines}
    done = "added" if signs == {"+"} else "removed" if signs == {"-"} else "changed"
    head = f"{_SET_IN}{field.name}: {plural(len(field.lines), 'line')} {done}"
    return [head, *shortened(field.lines, _SET_IN + "  ", width, is_verbose=is_verbose)]


def shortened(lines: Sequence[str], first: str, width: int, *, is_verbose: bool) -> list[str]:
    """Lines of a text, each cut where it does not fit; not all of them, but for `is_verbose`."""
    shown = lines if is_verbose or len(lines) <= _LINES + 1 else lines[:_LINES]
    if is_verbose:
        out = [line for text in shown for line in fold_record(text, first, f"{first}  ", width)]
    else:
        out = [cut_line(first + inert(line), width) for line in shown]
    more = len(lines) - len(shown)
    return [*out, f"{first}... {plural(more, 'more line')} (-v shows them)"] if more else out


def cut_value(text: str) -> str:
    """A value, or its beginning and how many characters there are more."""
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}... (+{len(text) - _CHARACTERS:,} characters)"


def diff_lines(field: FieldChange, most: int) -> list[str]:
    """A field as lines of a diff: its name, what goes, what comes; of a text `most` lines at most."""
    if field.is_value:
        lines = [f"- {spell_value(field.was)}", f"+ {spell_value(field.now)}"]
        lines = [line for line, value in zip(lines, (field.was, field.now), strict=True) if value is not None]
    else:
        lines = [*(f"- {name}" for name in field.removed), *(f"+ {name}" for name in field.added), *field.lines]
    more = [f"  ... {plural(len(lines) - most, 'more line')}"] if len(lines) > most else []
    name = field.name if lines else f"{field.name}: {HIDDEN_LINES}"
    return [f"  {inert(name)}", *(inert(cut_value(line)) for line in lines[:most]), *more]
