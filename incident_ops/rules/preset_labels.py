"""The labels of the presets' schemes: they look alike and mean different things, so none is ever translated."""

from __future__ import annotations

from incident_ops.shipped import preset, preset_names


def other_homes(label: str, scheme: str) -> str:
    """The presets besides `scheme` that have this label, as words: `itil-p1-p4 and sev1-3`; "" where none has."""
    return " and ".join(name for name in preset_names() if name != scheme and label in preset(name).labels)
