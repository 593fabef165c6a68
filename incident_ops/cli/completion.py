"""What a shell completes: ids, services, levels, roles and people, action items, rules.

A shell waits for completions, not for errors: where the folder cannot be read there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from incident_ops.app.workspace import Workspace, open_workspace
from incident_ops.records.store import INCIDENTS, list_folder

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def _completes(words: Callable[[Workspace, click.Context], Iterable[str]]) -> Complete:
    """Those of the words that begin like what was typed, in any case."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # only a shell that completes needs it

        try:
            repo = (ctx.find_root().obj or {}).get("repo")
            found = [*words(open_workspace({"repo": repo, "rev": None, "at": None}), ctx)]
        except Exception:  # see above
            return []
        typed = incomplete.casefold()
        return [CompletionItem(word) for word in dict.fromkeys(found) if word.casefold().startswith(typed)]

    return complete


def _severities(workspace: Workspace, _ctx: click.Context) -> Iterable[str]:
    policy = workspace.judged_by[0]
    return policy.major_labels if policy.drives == "priority" else policy.labels


def _priorities(workspace: Workspace, _ctx: click.Context) -> Iterable[str]:
    policy = workspace.judged_by[0]
    return policy.labels if policy.drives == "priority" else ()


def _levels(workspace: Workspace, ctx: click.Context) -> Iterable[str]:
    return (*_priorities(workspace, ctx), *_severities(workspace, ctx))


def _people(workspace: Workspace, _ctx: click.Context) -> Iterable[str]:
    return workspace.judged_by[0].contacts.people


def _services(workspace: Workspace, _ctx: click.Context) -> Iterable[str]:
    return workspace.judged_by[1]


def _items(workspace: Workspace, _ctx: click.Context) -> Iterable[str]:
    """The open items by id, then by their whole keys, which two incidents never share."""
    found = [
        (record.incident.id, item.id) for record in workspace.catalogue.live() for item in record.incident.open_items
    ]
    yield from (item for _, item in found)
    yield from (f"{incident}/{item}" for incident, item in found)


def _rules(_workspace: Workspace, _ctx: click.Context) -> Iterable[str]:
    from incident_ops.render.postmortem_lint import lint_docs
    from incident_ops.render.rule_pages import catalogue  # every rule, which no other completion needs

    return (name for rules in (*catalogue().values(), lint_docs()) for name in rules)


complete_severity = _completes(_severities)
complete_priority = _completes(_priorities)
complete_level = _completes(_levels)
complete_person = _completes(_people)
complete_service = _completes(_services)
complete_item = _completes(_items)
complete_rule = _completes(_rules)


def complete_assignment(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """For `[ROLE] WHO [INC]`: first a role or a person, then a person or an incident."""
    from incident_ops.edits.respond import ROLES

    first = [] if ctx.params.get(param.name or "") else _completes(lambda *_: ROLES)(ctx, param, incomplete)
    rest = complete_incident(ctx, param, incomplete) if incomplete or not first else []
    return [*first, *complete_person(ctx, param, incomplete), *rest]


def complete_incident(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids that begin like what was typed, by the names of their folders; no record is read."""
    from click.shell_completion import CompletionItem  # only a shell that completes needs it

    try:
        repo = (ctx.find_root().obj or {}).get("repo")
        names = list_folder(open_workspace({"repo": repo, "rev": None, "at": None}).root, INCIDENTS)
    except Exception:  # see above
        return []
    typed = incomplete.upper()
    return [
        CompletionItem(name) for name in names if name.startswith("INC-") and name.startswith((typed, f"INC-{typed}"))
    ]
