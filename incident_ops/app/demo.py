"""The whole loop over the worked incidents of the playbooks, in a scratch folder and without a network."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from incident_ops import resources
from incident_ops.app.edit_record import edited_content, read_for_edit
from incident_ops.app.gate_check import GateRequest, check_gate
from incident_ops.app.notify import NoticeSender
from incident_ops.app.plan import PlanOptions, plan_changes
from incident_ops.app.render import render_documents
from incident_ops.app.workspace import local_tracker, open_workspace
from incident_ops.app.write_back import write_locally
from incident_ops.documents import incident_facts
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record
from incident_ops.domain.time import spell_duration
from incident_ops.domain.tracker import LOCAL
from incident_ops.edits.action_items import finish_item
from incident_ops.errors import UserError, WriteFailed
from incident_ops.reconcile.apply import apply_changes
from incident_ops.reconcile.changes import NOTIFY
from incident_ops.records.history import every_record
from incident_ops.records.store import INCIDENTS, Store, record_path
from incident_ops.render.findings import findings_line, plural
from incident_ops.render.sla import clock_rows
from incident_ops.sla.status import clock_report
from incident_ops.validation import validate_records


class Scene(NamedTuple):
    """The example repository of a preset: its fixed clock, the service a pipeline asks about, what is worth opening."""

    preset: str
    story: str
    clock: str
    service: str
    incident: str
    document: str


class DemoStep(NamedTuple):
    """A step of the loop with its result in a line; `late` are the clocks that are at risk or breached."""

    name: str
    result: str
    is_bad: bool = False
    late: tuple[str, ...] = ()


class Shown(NamedTuple):
    """Something that the demo made or would change, as people see it: what it is, its first lines, and whether
    these are those of a diff."""

    title: str
    lines: tuple[str, ...]
    is_change: bool = False


MOST_LINES = 9
_COMMENT = re.compile(r" ?<!--.*?-->")

ShowIssues = Callable[[int], AbstractContextManager[Callable[[str], object]]]
"""Shows how issues are made: called with how many there will be -> what is called with the key of each."""


def scenes() -> list[Scene]:
    """The scenes of all presets that have one."""
    presets = [resources.preset(name) for name in resources.preset_names()]
    return [Scene(preset.name, **preset.demo) for preset in presets if preset.demo]


def copy_examples(into: str | None, played: list[Scene]) -> Path:
    """Copies the repositories of the scenes into a new or empty folder -> the folder. UserError for any other."""
    folder = Path(into).absolute() if into is not None else Path(tempfile.mkdtemp(prefix="incident-ops-demo-"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError("the folder is not empty", where=str(folder), hint="give a new one; nothing there was changed")
    try:
        for scene in played:
            shutil.copytree(resources.folder("examples") / scene.preset, folder / scene.preset)
            shutil.copytree(resources.folder("schemas"), folder / scene.preset / "schemas")
    except OSError as error:
        for scene in played:
            shutil.rmtree(folder / scene.preset, ignore_errors=True)
        why = error.strerror or "not every file could be written"
        hint = "check its permissions and free space, or give another folder with --into"
        raise WriteFailed(f"the examples could not be copied: {why}", where=str(folder), hint=hint) from error
    return folder


class Playing:
    """One scene, played step by step; `totals` counts over all scenes."""

    def __init__(self, scene: Scene, folder: Path, totals: Counter[str]) -> None:
        around = open_workspace({"repo": str(folder), "rev": None, "at": scene.clock})
        # a git repository around the folder is not ours
        self._workspace = replace(around, git=None, store=Store(folder, None))
        self._scene, self._totals = scene, totals
        self._records: list[Record] = []

    @property
    def incident(self) -> Incident:
        """The incident that the scene is about, once the steps have been played."""
        return next(record.incident for record in self._records if record.incident.id == self._scene.incident)

    def steps(self, show_issues: ShowIssues) -> Iterator[DemoStep]:
        """Each step once it is done."""
        yield self._validate()
        self._records = list(every_record(self._workspace.store, self._workspace.catalogue))
        self._totals["incidents"] += len(self._records)
        self._totals["action items"] += sum(len(record.incident.action_items) for record in self._records)
        yield from self._reconcile(show_issues)
        yield self._check_clocks()
        yield self._check_gate()
        yield self._render()

    def shown(self) -> tuple[Shown, Shown, Shown]:
        """The issue of the scene's incident, the beginning of its document, and what one command changes in it."""
        return self._issue(), self._document(), self._diff()

    def _issue(self) -> Shown:
        named = (issue for issue in local_tracker(self._workspace).owned() if str(issue.key) == self._scene.incident)
        issue = next(named)
        labels = f"{issue.title} [{', '.join(issue.labels)}]"
        return Shown("An issue, as people read it", (labels, *_first_lines(_COMMENT.sub("", issue.body))))

    def _document(self) -> Shown:
        path = f"{INCIDENTS}/{self._scene.incident}/{self._scene.document}"
        text = (self._workspace.root / path).read_text(encoding="utf-8")
        return Shown(f"A document: {path}", _first_lines(text))

    def _diff(self) -> Shown:
        before = read_for_edit(self._workspace, record_path(self._scene.incident))
        item = before.record.incident.open_items[0]
        step = finish_item(before.record.incident, self._workspace.now, item.owner, item.id, None, None)
        after = edited_content(self._workspace, before, step.edits).content
        was, will_be = before.raw.decode().splitlines(), after.decode().splitlines()
        changed = [*unified_diff(was, will_be, n=2, lineterm="")][3:]
        return Shown(f"A change: incident-ops action done {item.id} --by {item.owner}", tuple(changed), is_change=True)

    def _validate(self) -> DemoStep:
        opened = self._workspace
        report = validate_records(opened.store, opened.setting, opened.catalogue, opened.now)
        self._totals["errors"] += report.errors
        return DemoStep("validate", findings_line(report.findings, report.files), is_bad=bool(report.errors))

    def _reconcile(self, show_issues: ShowIssues) -> Iterator[DemoStep]:
        tracker = local_tracker(self._workspace)
        run = plan_changes(self._workspace, PlanOptions(tracker=LOCAL))
        planned = run.plan
        created = [change for change in planned.changes if change.is_on_tracker]
        notices = sum(1 for change in planned.changes if change.action == NOTIFY)
        due_now = f", {plural(notices, 'notice')} due" if notices else ""
        alone = len({kept.key for kept in planned.kept if kept.key in run.desired.issues})
        to_leave = f", {alone} to leave alone" if alone else ""
        yield DemoStep("plan", f"{plural(len(created), 'issue')} to create{to_leave}{due_now}")
        with show_issues(len(created)) as show:
            for done in apply_changes(planned.changes, tracker, run.desired):
                show(done.change.key)
        write_locally(self._workspace, planned.record_edits)
        NoticeSender(run, planned.changes).send_rest({})
        self._totals["issues"] += len(tracker.owned())
        left = len(plan_changes(self._workspace, PlanOptions(tracker=LOCAL)).plan.changes)
        self._totals["errors"] += left
        second = f"{left} changes left" if left else "a second plan finds nothing to do"
        yield DemoStep("apply", f"{plural(len(created), 'issue')} created; {second}", is_bad=bool(left))

    def _check_clocks(self) -> DemoStep:
        policy = self._workspace.judged_by[0]
        table = clock_rows(clock_report(self._records, policy, self._workspace.now, everything=True))
        counted = Counter(row.status for row in table)
        result = ", ".join(f"{count} {word}" for word, count in counted.items()) or "no clock runs"
        late = [row for row in table if row.status in ("at risk", "breached")]
        lines = tuple(f"{row.incident} {row.clock}: {row.time}, due {row.due} UTC" for row in late)
        return DemoStep("sla check", result, late=lines)

    def _check_gate(self) -> DemoStep:
        verdict = check_gate(self._workspace, GateRequest(self._scene.service))
        holds = " ".join(verdict.incident_ids) or verdict.reason_code.replace("_", " ")
        held = f", held by {holds}" if verdict.holds else ""
        return DemoStep("gate check", f"deploy {self._scene.service}? {verdict.verdict}{held}")

    def _render(self) -> DemoStep:
        written = render_documents(self._workspace).total
        self._totals["documents"] += written
        return DemoStep("render", f"{plural(written, 'document')} beside {plural(len(self._records), 'record')}")


def _first_lines(text: str) -> tuple[str, ...]:
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("| ---"))
    return tuple(islice(lines, MOST_LINES))


def incident_headline(incident: Incident) -> str:
    """An incident in a line: its level, its impact, its action items."""
    impact = incident_facts.first_impact(incident)
    items = f"{len(incident.action_items)} action items, {len(incident.open_items)} open"
    label = " ".join(filter(None, (incident.priority, incident.severity)))
    return f"{incident.id}: {label}, impact {spell_duration(impact.seconds)}, {items}"
