"""An override that has begun stays as it was merged.

It says who was on call, and that is asked afterwards. New overrides go to the end and win from their own beginning on;
one that has not begun may be changed or taken out.

    before: - {from: 2025-01-08, to: 2025-01-09, who: "@cleo"}     # it was @ben
    after:  - {from: 2025-01-08, to: 2025-01-09, who: "@ben"}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.domain.oncall import OnCallSchedule, ShiftOverride, schedule_instant, schedule_zone
from incident_ops.findings import Finding, Level
from incident_ops.rules.oncall import ScheduleFile

ID = "oncall-override-kept"
LEVEL = Level.ERROR
TIMED = True
NEEDS_BASE = True


def check(subject: ScheduleFile) -> Iterator[Finding]:
    """Every merged override that had begun, against those of the file."""
    if subject.merged is None:
        return
    begun = [one for one in subject.merged.overrides if _has_begun(subject, one, subject.merged)]
    left = list(enumerate(subject.schedule.overrides))
    for was in begun:
        place = next((number for number, (_, now) in enumerate(left) if now == was), None)
        if place is not None:
            del left[: place + 1]
            continue
        index = next((index for index, now in left if (now.begin, now.who) == (was.begin, was.who)), None)
        route = ("overrides",) if index is None else ("overrides", index)
        message = f"the override of {was.who} from {was.begin} has begun, and was changed, moved or taken out"
        hint = "put it back; a new override at the end wins from its own beginning on"
        yield subject.finding(ID, LEVEL, route, message, hint, on_key=index is None)


def _has_begun(subject: ScheduleFile, one: ShiftOverride, schedule: OnCallSchedule) -> bool:
    try:
        return schedule_instant(one.begin, schedule_zone(schedule)) <= subject.now
    except ValueError:  # what could not be used put nobody on call
        return False
