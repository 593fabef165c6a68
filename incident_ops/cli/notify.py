"""`incident-ops notify`: a notice sent by hand, from a laptop too, on the day GitHub is down."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import click

from incident_ops.adapters import clock
from incident_ops.app.channels import shared_ledger, sinks
from incident_ops.app.edit_record import find_record, record_of
from incident_ops.app.workspace import Opened, with_repository
from incident_ops.cli.options import complete_incident, finish, format_option
from incident_ops.domain.as_of import as_of
from incident_ops.domain.fence import evaluate_one
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import INCIDENT_CHANNEL, Message
from incident_ops.domain.policy import LevelPolicy
from incident_ops.domain.record import Record
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.notifications.deliver import Delivered, deliver, delivery_exit_code
from incident_ops.notifications.plan import plan_deliveries
from incident_ops.notifications.recipients import notices
from incident_ops.render.findings import inert, inert_lines, json_text
from incident_ops.sla.obligations import incident_obligations
from incident_ops.sla.targets import level_of

_MARK = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
_AUDIENCES = ("internal", "executive", "public")


@click.command()
@click.argument("incident", metavar="[INC]", required=False, shell_complete=complete_incident)
@click.option("--mark", metavar="WORD", required=True, help="What it is about, e.g. declared, warning, breach, test.")
@click.option("--channel", "channels", metavar="NAME", multiple=True, help="Only these. Default: those of the level.")
@click.option("--audience", type=click.Choice(_AUDIENCES), default="internal", show_default=True, help="For whom.")
@click.option("--text", metavar="TEXT", help="What else to say.")
@click.option("--no-wait", is_flag=True, help="Send ranks 3 and 4 too when the ledger cannot be reached.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@format_option
@with_repository
def notify(
    opened: Opened,
    incident: str | None,
    mark: str,
    channels: tuple[str, ...],
    audience: str,
    text: str | None,
    no_wait: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Send a notice about an incident, once for each mark and channel.

    A channel's address is an apprise URL in INCIDENT_OPS_CHANNEL_<NAME>. The
    ledger on the remote keeps two people from sending the same. Ranks 1 and 2
    are sent even when it cannot be reached, the others wait for it.

    Where the automation owes notices with this mark, those are sent, under
    its keys: it does not send them again. Else the record's facts are.

    Exit code 4 when a notice was not sent or nobody can tell; 2 when a
    channel is not set up.

    \b
    Examples:
      incident-ops notify INC-20250126-120500 --mark declared
      incident-ops notify 120500 --mark test --channel slack --dry-run
      incident-ops notify --mark update --text "Login works again for half"
    """
    record = _record(opened, incident)
    found = record.incident
    policy, _ = opened.judged_by
    level = level_of(found, policy)
    names = _channels(opened, level, channels)
    held = "--dry-run: nothing is sent" if dry_run else "the policy's mode is observe" * (policy.mode == "observe")
    wanted = evaluate_one(record, lambda one: _owed(opened, one.incident, _marked(mark), audience, channels))
    wanted = wanted or [_message(found, level, mark, audience, name) for name in names]
    ledger, seen, unread = shared_ledger(opened)
    planned = plan_deliveries([_by_hand(one, text, held) for one in wanted], seen, clock.now(), may_wait=not no_wait)
    way = sinks(opened, [found], os.environ)
    done, unnoted = deliver(planned, ledger, way, clock.now, unreadable=unread, may_wait=not no_wait)
    click.echo(_json(found, mark, done) if form == "json" else _text(done), nl=False)
    for told in dict.fromkeys(str(one) for one in (unread, unnoted) if one is not None):
        click.echo(f"ledger: {inert(told)}", err=True)
    finish(delivery_exit_code(done))


def _record(opened: Opened, asked: str | None) -> Record:
    path = find_record(opened, asked)
    raw = opened.store.read(path)
    if not isinstance(raw, bytes):
        raise UserError("the record cannot be read", where=path, hint="see `incident-ops validate`")
    return record_of(path, raw)


def _owed(opened: Opened, found: Incident, mark: str, audience: str, channels: Sequence[str]) -> list[Message]:
    """What the automation owes with this mark, under its keys, so that it is not sent a second time later."""
    policy, services = opened.judged_by
    owed = [
        one
        for one in incident_obligations(as_of(found, opened.now), policy)
        if mark in (one.mark, one.kind) and not one.superseded
    ]
    told = notices(owed, {found.id: found}, policy, services, opened.now)
    return [one for one in told.deliverable if one.audience == audience and (not channels or one.channel in channels)]


def _marked(mark: str) -> str:
    if not _MARK.fullmatch(mark):
        raise UserError(f"--mark {mark!r} is no mark", hint="a word of small letters, e.g. declared, breach, test")
    return mark


def _channels(opened: Opened, level: LevelPolicy, asked: Sequence[str]) -> list[str]:
    """The channels that are meant; UserError where there is none, or one that the policy does not know."""
    notify = opened.judged_by[0].notify
    known = {*notify.channels, *level.channels}
    known |= {name for one in opened.judged_by[0].levels for name in one.channels}
    known |= {name for person in opened.judged_by[0].contacts.people.values() for name in person.channels}
    known |= {INCIDENT_CHANNEL} if notify.incident_channel.create else set()
    for name in asked:
        if name not in known:
            hint = did_you_mean(name, known) or "policy notify.channels names those that exist"
            raise UserError(f"the policy has no channel {name!r}", hint=hint)
    wanted = [*dict.fromkeys(asked or level.channels)]
    if not wanted:
        raise UserError(f"level {level.id} has no channels", hint=f"--channel NAME, e.g. {min(known, default='chat')}")
    return wanted


def _message(one: Incident, level: LevelPolicy, mark: str, audience: str, channel: str) -> Message:
    restricted = one.visibility == "restricted"
    title = "restricted incident" if restricted else one.title
    subject = f"{'[DRILL] ' if one.drill else ''}[{level.id}] {one.id}: {title} ({mark})"
    key = f"{one.id}/notify/{len(one.cycles) + 1}/{mark}/{channel}/{audience}"
    words = "" if restricted else _facts(one)
    return Message(
        key, one.id, level.rank, mark, audience, channel, channel, inert(subject), words, one.drill, restricted
    )


def _facts(one: Incident) -> str:
    """What the record says that a person needs at once."""
    facts = [
        ("State", one.state),
        ("Services", ", ".join(one.services)),
        ("Commander", one.roles.commander or "nobody yet"),
        ("Declared", one.times.declared),
        ("Channel", one.links.channel),
        ("Bridge", one.links.bridge),
        ("Runbook", one.links.runbook),
    ]
    return inert_lines("\n".join(f"{name}: {value}" for name, value in facts if value))


def _by_hand(one: Message, text: str | None, held: str) -> Message:
    """What a person sends: quiet hours and snoozes hold nothing back, their own words stand first."""
    said = (inert_lines(text), "", one.text) if text else (one.text,)
    return one._replace(held=held, text="\n".join(said).rstrip())


def _text(done: Sequence[Delivered]) -> str:
    """One line a notice: what became of it, the channel, the subject, why."""
    lines = []
    for one in done:
        why = str(one.error) if one.error is not None else one.planned.why
        message = one.planned.message
        lines.append(f"{one.outcome:<9} {message.channel:<12} {message.subject}{f': {why}' if why else ''}")
    return inert_lines("\n".join(lines)) + "\n"


def _json(found: Incident, mark: str, done: Sequence[Delivered]) -> str:
    listed = [
        {
            "key": one.planned.message.key,
            "channel": one.planned.message.channel,
            "rank": one.planned.message.rank,
            "planned": one.planned.action,
            "outcome": one.outcome,
            "reason": str(one.error) if one.error is not None else one.planned.why,
        }
        for one in done
    ]
    return json_text({"schema": 1, "incident": found.id, "mark": mark, "notices": listed})
