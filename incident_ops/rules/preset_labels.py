"""The labels of the presets' schemes: they look alike and mean different things, so none is ever translated."""

from __future__ import annotations

_LABELS: dict[str, tuple[str, ...]] = {
    "sev0-3": ("SEV0", "SEV1", "SEV2", "SEV3"),
    "itil-p1-p4": ("P1", "P2", "P3", "P4", "SEV-1", "SEV-2", "SEV-3"),
    "sev1-3": ("SEV-1", "SEV-2", "SEV-3"),
    "p0-p3": ("P0", "P1", "P2", "P3"),
}


def other_homes(label: str, scheme: str) -> str:
    """The presets besides `scheme` that have this label, as words: `itil-p1-p4 and sev1-3`; "" where none has."""
    return " and ".join(name for name, labels in _LABELS.items() if label in labels and name != scheme)
