"""A schedule is named as its file.

`oncall:primary` elsewhere means the file oncall/primary.yaml, and nobody has to open it to know.

    before: name: secondary      # in oncall/primary.yaml
    after:  name: primary
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level
from incident_ops.rules.oncall import ScheduleFile

ID = "oncall-name"
LEVEL = Level.ERROR
TIMED = False


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """Another name, or a file that ends in .yml."""
    stem = subject.file.rpartition("/")[2].rpartition(".")[0]
    wanted = f"{subject.schedule.name}.yaml"
    if subject.file.rpartition("/")[2] != wanted:
        message = f"the schedule is named {subject.schedule.name!r}, and its file is not {wanted}"
        yield subject.finding(ID, LEVEL, ("name",), message, f"name: {stem}; or rename the file")
