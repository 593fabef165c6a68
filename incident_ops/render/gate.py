"""A gate's verdict for people and as the JSON of `gate check` (docs/contract.md#json)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from incident_ops.deploy_gate.holds import BURNING
from incident_ops.deploy_gate.verdict import (
    CONFIG_ERROR,
    DEPLOY_FREEZE,
    ERROR_BUDGET,
    FAIL,
    FROZEN,
    INCIDENT_REPO_UNREACHABLE,
    INCONCLUSIVE,
    MAINTENANCE_WINDOW,
    NO_DATA,
    OFF_WINDOW,
    OPEN_INCIDENT,
    OVERRIDDEN,
    OVERRIDE,
    PASS,
    ROLLBACK_ALLOWED,
    UNREADABLE_RECORD,
    Hold,
    Verdict,
)
from incident_ops.domain.time import spell_duration, spell_minute, stamp
from incident_ops.render.findings import command, inert, json_text
from incident_ops.render.text import DEFAULT_WIDTH, Style, cut_line, fold

GATE_HEADLINES = {
    OPEN_INCIDENT: "deploys of {service} are held by an open incident",
    MAINTENANCE_WINDOW: "deploys of {service} are held by a maintenance window",
    DEPLOY_FREEZE: "deploys of {service} are held by a freeze",
    OFF_WINDOW: "deploys of {service} are held outside deploy hours",
    ERROR_BUDGET: "deploys of {service} are held by its error budget",
    UNREADABLE_RECORD: "cannot tell whether deploys of {service} are held",
    INCIDENT_REPO_UNREACHABLE: "cannot tell whether deploys of {service} are held",
    NO_DATA: "cannot tell whether deploys of {service} are held",
    OVERRIDE: "a person lets this commit of {service} through",
    ROLLBACK_ALLOWED: "this commit of {service} passed before and is never held",
}
_ALSO = {MAINTENANCE_WINDOW: "a maintenance window", DEPLOY_FREEZE: "a freeze"}
_GRAVER = {MAINTENANCE_WINDOW: (OPEN_INCIDENT,), DEPLOY_FREEZE: (OPEN_INCIDENT, MAINTENANCE_WINDOW)}
RESUME = {
    OPEN_INCIDENT: "{id} is resolved",
    MAINTENANCE_WINDOW: "maintenance {id} is over, or closed if it is late",
    DEPLOY_FREEZE: "freeze {id} is over, or lifted with `incident-ops unfreeze {id}`",
    OFF_WINDOW: "calendar {id} opens",
    ERROR_BUDGET: "older impact has left the budget's window",
    BURNING: "the budget burns slower, in one of the two windows at least",
}
"""What ends a hold: by its reason code, or by its state for a budget that burns too fast."""
FIX = (
    "To deploy a fix sooner, the commander asks with `--fixes {id} --sha SHA`, and only that answer lets it through. A"
    " pipeline, or anybody else, needs an override, which counts once it is merged:"
    ' `incident-ops override {id} -s {service} --sha SHA --reason "..."`'
)
ONE_COMMIT = (
    "To deploy one commit in spite of a freeze or a window:"
    ' `incident-ops override -s {service} --sha SHA --reason "..."`, a file that somebody else reviews and merges.'
)
MOST_HOLDS, MOST_COMMANDS = 20, 4
"""So many holds are listed; JSON has all of them."""
READ_FIRST = "Fix what could not be read, then ask again; `incident-ops validate` shows it."


VERDICT_COLOURS = {PASS: "green", OVERRIDDEN: "green", FROZEN: "red", FAIL: "red", INCONCLUSIVE: "yellow"}


def to_text(verdict: Verdict, style: Style = lambda _, line: line, width: int = DEFAULT_WIDTH) -> str:
    """The verdict, what holds, what could not be read, and what to do; at most `width` columns except for paths.

    The tone of the first lines is the verdict.
    """
    head = fold(_headline(verdict), "", "  ", width)
    out = []
    if verdict.release is not None:
        release = verdict.release
        who = f"by {release.by}, " if release.by else ""
        second = f"approved by {release.approved_by}, " if release.approved_by else ""
        until = f"until {spell_minute(release.expires)}, " if release.expires else ""
        out += _sentence(f"{who}{second}{until}recorded in {release.source}", "  ", "  ", width)
        out += [cut_line(f"  reason: {release.reason}", width)] if release.reason else []
        out += ["  it passes in spite of:"] if verdict.holds else []
    out += [cut_line(_hold(hold), width) for hold in verdict.holds[:MOST_HOLDS]]
    if (more := len(verdict.holds) - MOST_HOLDS) > 0:
        out.append(f"  and {more} more: `--format json` has all of them")
    if verdict.unread:
        out += ["Cannot be used:", *(f"  {record.path}: {record.reason}" for record in verdict.unread)]
    out += [line for note in verdict.notes for line in _sentence(note, "  ", "  ", width)]
    if verdict.not_merged:
        out += ["Not merged, does not hold yet:", *(cut_line(_hold(hold), width) for hold in verdict.not_merged)]
    if verdict.looked_at:
        out += fold(f"looked at: {verdict.looked_at}", "  ", "  ", width)
    if verdict.reason_code == UNREADABLE_RECORD:
        out += _sentence(READ_FIRST, width=width)
    elif verdict.verdict == FROZEN:
        out += _resume(verdict, width)
    whole = [*(style(verdict.verdict, line) for line in head), *map(inert, out)]
    return "".join(f"{line}\n" for line in whole)


def _headline(verdict: Verdict) -> str:
    what = f"{verdict.service} to {verdict.environment}" if verdict.environment else verdict.service
    headline = GATE_HEADLINES.get(verdict.reason_code, "nothing holds deploys of {service}").format(service=what)
    return inert(f"{verdict.verdict}: {headline}{_also(verdict)} ({verdict.reason_code})")


def _also(verdict: Verdict) -> str:
    """` and a freeze`: what else holds besides what the reason code names."""
    if verdict.verdict != FROZEN:
        return ""
    codes = {hold.reason_code for hold in verdict.holds}
    return "".join(
        f" and {name}" for code, name in _ALSO.items() if code in codes and verdict.reason_code in _GRAVER[code]
    )


def hold_lines(verdict: Verdict) -> tuple[str, ...]:
    """One line for each hold, so many as are listed at most."""
    return tuple(inert(_hold(hold).strip()) for hold in verdict.holds[:MOST_HOLDS])


def to_json(verdict: Verdict) -> str:
    """The JSON of `gate check`; title and person of a restricted incident are not in it.

    Only where there is something to say: `override`, `unread`, `not_merged`, `notes`.
    """
    return json_text(_verdict_data(verdict))


def verdict_outputs(verdict: Verdict) -> dict[str, str]:
    """The outputs of a workflow step; `report` is the JSON in one line."""
    return {
        "verdict": verdict.verdict,
        "reason-code": verdict.reason_code,
        "incident-id": next(iter(verdict.incident_ids), ""),
        "report": json.dumps(_verdict_data(verdict), ensure_ascii=True),
    }


def verdict_summary(verdict: Verdict) -> str:
    """The verdict as Markdown for the summary of a workflow step."""
    from incident_ops.documents.markdown import inline

    unread = (f"{one.path}: {one.reason}" for one in verdict.unread)
    place = (f"looked at: {verdict.looked_at}",) if verdict.looked_at else ()
    lines = [*hold_lines(verdict), *unread, *verdict.notes, *place]
    return "\n".join(
        [f"## Gate: {inline(_headline(verdict))}", "", *(f"- {inline(inert(line))}" for line in lines), ""]
    )


def verdict_annotation(verdict: Verdict) -> str:
    """One annotation of a workflow for a verdict other than a pass."""
    return command("error", {"title": f"Gate {verdict.verdict}"}, _headline(verdict)) + "\n"


def _verdict_data(verdict: Verdict) -> dict[str, Any]:
    data = _shape(verdict.verdict, verdict.reason_code, verdict.incident_ids)
    data |= {
        "service": verdict.service,
        "environment": verdict.environment or None,
        "at": None if verdict.at is None else stamp(verdict.at),
        "looked_at": verdict.looked_at or None,
        "holds": [_hold_data(hold) for hold in verdict.holds],
    }
    if verdict.release is not None:
        release = verdict.release
        expires = None if release.expires is None else stamp(release.expires)
        data["override"] = {"by": release.by or None, "expires": expires, "source": release.source}
    if verdict.unread:
        from incident_ops.render.sla import unread_data  # slow to import, and rarely needed

        data["unread"] = unread_data(verdict.unread)
    if verdict.not_merged:
        data["not_merged"] = [_hold_data(hold) for hold in verdict.not_merged]
    if verdict.notes:
        data["notes"] = [*verdict.notes]
    return data


def _conditions(verdict: Verdict) -> list[str]:
    """What has to be true for deploys to resume: every hold is named where they are few, and what was not read."""
    conditions = [*dict.fromkeys(_condition(hold) for hold in verdict.holds)]
    if (count := len(verdict.holds)) > MOST_HOLDS:
        conditions = [f"none of these {count} holds any more"]
    if verdict.unread:
        conditions.append("what was not read can be read; `incident-ops validate` shows it")
    return conditions


def ends_of_holds(verdict: Verdict) -> list[str]:
    """When deploys resume, as sentences; none where nothing is known to hold."""
    return [f"Deploys resume when {condition}." for condition in _conditions(verdict)] if verdict.holds else []


def _resume(verdict: Verdict, width: int) -> Iterator[str]:
    """When deploys resume, and how one commit goes through before."""
    conditions = _conditions(verdict)
    if len(conditions) == 1:
        yield from _sentence(f"Deploys resume when {conditions[0]}.", width=width)
    elif conditions:
        yield "Deploys resume when all of this is true:"
        for condition in conditions:
            yield from _sentence(condition, "  - ", "    ", width)
    incidents = [hold.id for hold in verdict.holds if hold.reason_code == OPEN_INCIDENT]
    if incidents:
        named = incidents[0] if len(incidents) == 1 and incidents[0] else "INC"
        yield from _sentence(inert(FIX.format(id=named, service=verdict.service)), width=width)
        for one in filter(None, incidents if 1 < len(incidents) <= MOST_COMMANDS else ()):
            yield inert(f"  incident-ops gate check -s {verdict.service} --fixes {one} --sha SHA")
    if any(hold.reason_code in (DEPLOY_FREEZE, MAINTENANCE_WINDOW) for hold in verdict.holds):
        yield from _sentence(inert(ONE_COMMIT.format(service=verdict.service)), width=width)


def _sentence(text: str, first: str = "", rest: str = "", width: int = DEFAULT_WIDTH) -> list[str]:
    """Lines of at most `width` columns, with each `command` whole on one of them."""
    joined = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", "\0"), text)
    return [line.replace("\0", " ") for line in fold(joined, first, rest, width)]


def _condition(hold: Hold) -> str:
    """What ends a hold, without the id or text of a restricted one."""
    if hold.reason_code == ERROR_BUDGET and hold.text is None:  # gate.json does not say why it holds
        return "the budget burns slower, or older impact has left it"
    key = BURNING if hold.state == BURNING else hold.reason_code
    return inert(RESUME[key].format(id=hold.id or "the restricted incident"))


def lines_of_holds(verdict: Verdict, lead: timedelta | None) -> list[str]:
    """What holds a rollout that takes `lead`, a line each, and that what begins in this time does so, too."""
    lines = [*hold_lines(verdict)]
    if lead and any(hold.reason_code in (MAINTENANCE_WINDOW, DEPLOY_FREEZE, OFF_WINDOW) for hold in verdict.holds):
        takes = spell_duration(round(lead.total_seconds()))
        lines.append(f"The rollout may take {takes}, and nothing of this may be on in that time.")
    return lines


def begin_lines(verdict: Verdict, lead: timedelta) -> list[str]:
    """Whether a rollout that takes `lead` may begin now, and what holds it."""
    takes = spell_duration(round(lead.total_seconds()))
    what = f"A rollout of {verdict.service} to {verdict.environment} that takes {takes}"
    if not verdict.exit_code:
        return [f"{what} may begin now ({verdict.reason_code})."]
    can = "cannot begin now" if verdict.verdict == FROZEN else "may have to wait: it is unknown what holds it"
    return [f"{what} {can} ({verdict.reason_code}).", *map(inert, (*lines_of_holds(verdict, lead), *verdict.notes))]


def config_error() -> str:
    """The JSON where the question cannot be asked: a wrong name, a broken policy. The words are on the error stream."""
    return json_text(_shape(INCONCLUSIVE, CONFIG_ERROR, []))


def _shape(verdict: str, reason: str, ids: list[str]) -> dict[str, Any]:
    return {
        "schema": 1,
        "verdict": verdict,
        "reason_code": reason,
        "metrics": [],
        "stopped_at_seconds": None,
        "needed_requests": None,
        "incident_ids": ids,
    }


def _hold_data(hold: Hold) -> dict[str, Any]:
    begin, end = (None if at is None else stamp(at) for at in (hold.begin, hold.end))
    is_titled = hold.reason_code in (OPEN_INCIDENT, MAINTENANCE_WINDOW)
    used, allowed = hold.spent or (None, None)
    return {
        "reason_code": hold.reason_code,
        "id": hold.id or None,
        "title": hold.text if is_titled else None,
        "reason": None if is_titled else hold.text,
        "by": hold.by or None,
        "state": " ".join(hold.state.split()) or None,
        "service": hold.needed or None,
        "from": begin,
        "until": end,
        "used": used,
        "allowed": allowed,
    }


def _hold(hold: Hold) -> str:
    title = "(restricted)" if hold.is_restricted else hold.text or ""
    until = f"until {spell_minute(hold.end)}" if hold.end else ""
    needed = f"on {hold.needed}" if hold.needed else ""
    who = f"{'led by' if hold.reason_code == OPEN_INCIDENT else 'by'} {hold.by}" if hold.by else ""
    shown = "".join(char for char in title if char.isprintable())
    parts = (hold.id, hold.state.replace("_", " "), needed, until, who, shown)
    return "  " + "  ".join(part for part in parts if part)
