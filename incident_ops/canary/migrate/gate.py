"""The objects of a file -> the gate that they ask for, and what is said of each of their lines."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from incident_ops.canary.config import DURATION, FULL, INTERVAL
from incident_ops.canary.migrate.argo import argo_metric, dry_run_names, refuse_value, template_arguments
from incident_ops.canary.migrate.flagger import CanaryNames, canary_analysis, canary_metric, canary_plan
from incident_ops.canary.migrate.hooks import hooks, refuse_alerts
from incident_ops.canary.migrate.notebook import ImportLine, ImportOutcome, Notebook, SourcePart, shown_source
from incident_ops.canary.migrate.pairs import pairs_of_arguments
from incident_ops.canary.migrate.ratios import RatioAlternative
from incident_ops.canary.migrate.reading import ImportArguments, name_in_gate, spelled
from incident_ops.canary.migrate.rollout import rollout_steps
from incident_ops.canary.migrate.sources import Migration, NamedSources
from incident_ops.domain.time import duration
from incident_ops.errors import UserError
from incident_ops.findings import Route

ANALYSIS_TEMPLATES = ("AnalysisTemplate", "ClusterAnalysisTemplate")
ROLLOUT, CANARY, METRIC_TEMPLATE = "Rollout", "Canary", "MetricTemplate"
MOST_METRICS = 20
SHORTEST_RUN = 60.0

_GROUPS = {ROLLOUT: "argoproj.io/", CANARY: "flagger.app/", METRIC_TEMPLATE: "flagger.app/"} | dict.fromkeys(
    ANALYSIS_TEMPLATES, "argoproj.io/"
)


class SourceObject(NamedTuple):
    """An object of the file: its document, the route of it there, and what it says."""

    document: int
    route: Route
    data: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Its kind where it is one of those that are imported, else ""."""
        kind, version = self.data.get("kind"), self.data.get("apiVersion")
        if not isinstance(kind, str) or not isinstance(version, str) or kind not in _GROUPS:
            return ""
        return kind if version.startswith(_GROUPS[kind]) else ""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, empty where there are none."""
        found = self.data.get("metadata")
        return found if isinstance(found, Mapping) else {}

    @property
    def name(self) -> str:
        """Its name, "" where it has none."""
        return str(self.metadata.get("name") or "")


class ImportWish(NamedTuple):
    """What a person asks for: the object's name (None: the one there is), data sources by kind, and values."""

    name: str | None
    sources: Mapping[str, str]
    values: Mapping[str, str]


@dataclass
class ImportedGate:
    """A gate, its metrics beside the places they came from, and what there is to say of the source.

    `tool` and `source`: whose analysis it is, and which object. `ran`: command metrics -> what the source ran.
    """

    tool: str
    source: str
    name: str
    spec: dict[str, Any]
    metrics: list[tuple[SourcePart, dict[str, Any]]]
    notebook: Notebook
    alternatives: list[RatioAlternative]
    policy: dict[str, dict[str, Any]]
    ran: dict[str, str]

    def sources(self) -> dict[str, dict[str, Any]]:
        """The data sources that its metrics ask, with what policy.yaml has to say of each."""
        named = [fields.get("datasource") for _, metric in self.metrics for fields in metric["provider"].values()]
        return {name: block for name, block in self.policy.items() if name in named}

    def ratios(self) -> list[RatioAlternative]:
        """The alternatives of its metrics."""
        kept = {metric["name"] for _, metric in self.metrics}
        return [one for one in self.alternatives if one.metric in kept]

    def commands(self) -> dict[str, str]:
        """Its command metrics -> what the source ran."""
        named = [fields.get("name") for _, metric in self.metrics for fields in metric["provider"].values()]
        return {name: ran for name, ran in self.ran.items() if name in named}

    @property
    def lines(self) -> list[ImportLine]:
        """What is said, in the order of the source."""
        return self.notebook.lines

    def data(self) -> dict[str, Any]:
        """The gate file as data. UserError where no metric is left."""
        if not self.metrics:
            raise UserError("no metric of it can be taken over", hint="the lines above say why, and the way on")
        first = next(iter(self.metrics))[1]["provider"]
        metrics = []
        for _, metric in self.metrics:
            own = dict(metric)
            if own["provider"] == first:
                del own["provider"]
            metrics.append(own)
        spec = {"provider": first, **self.spec, "metrics": metrics}
        return {
            "apiVersion": "incident-ops/v1",
            "kind": "CanaryAnalysis",
            "metadata": {"name": self.name},
            "spec": spec,
        }


class ImportedFile(NamedTuple):
    """The gate of a file and its text ("" where nothing of it could be taken over), and what is said of the source by
    the number of its line. `missing`: data sources that the policy has to get."""

    gate: ImportedGate
    text: str
    lines: tuple[tuple[int, ImportLine], ...]
    file: str
    missing: Mapping[str, dict[str, Any]]

    @property
    def exit_code(self) -> int:
        """1 where something that the source checks is not checked by the gate."""
        return int(not self.text or any(line.weakens for _, line in self.lines))


def import_objects(objects: Sequence[SourceObject], wish: ImportWish) -> ImportedGate:
    """The gate that the objects of a file ask for. UserError where none of them is an analysis, or more than one may be
    meant."""
    known = [one for one in objects if one.kind]
    canaries = [one for one in known if one.kind == CANARY]
    templates = [one for one in known if one.kind in ANALYSIS_TEMPLATES]
    migration = Migration(Notebook(), ImportArguments(wish.values), NamedSources(wish.sources))
    if canaries:
        made = _of_canary(_chosen(canaries, wish.name), known, migration)
    elif templates:
        made = _of_templates(templates, [one for one in known if one.kind == ROLLOUT], wish.name, migration)
    else:
        hint = (
            "expected: an AnalysisTemplate of Argo Rollouts, or a Canary of Flagger, as kubectl get -o yaml prints it"
        )
        raise UserError("the file contains no analysis", hint=hint)
    _say_unread(migration.notebook, known)
    return made


def _chosen(found: Sequence[SourceObject], name: str | None) -> SourceObject:
    fitting = [one for one in found if name in (None, one.name)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(one.name for one in found)
    problem = f"there are {len(found)} of them: {names}" if name is None else f"none of that name: {names}"
    raise UserError(problem, hint="name one: --name NAME")


def _part(one: SourceObject, notebook: Notebook) -> SourcePart:
    whole = SourcePart(notebook, one.document, one.route, one.data)
    for key in ("apiVersion", "kind", "metadata", "status"):
        whole.whole(key)
    return whole.part("spec")


def _of_templates(
    templates: list[SourceObject], rollouts: list[SourceObject], name: str | None, migration: Migration
) -> ImportedGate:
    metrics: list[tuple[SourcePart, dict[str, Any]]] = []
    steps: list[dict[str, Any]] = []
    if rollouts and name is None:
        rollout = _chosen(rollouts, None)
        source = rollout
        spec = _part(rollout, migration.notebook)
        for part, value in _rollout_arguments(spec):
            if value:
                migration.arguments.add(part, value)
        migration.pairs += pairs_of_arguments(rollout.data)

        def measure(analysis: SourcePart, offset: float) -> float:
            return _measured(analysis, templates, migration, metrics, offset)

        steps = rollout_steps(spec, migration, measure)
    else:
        source = _chosen(templates if name else _not_named_by_others(templates), name)
        metrics += _of_template(source, templates, migration, 0.0, ())
    timed = _timed(metrics, steps)
    _say_times(source, migration, timed)
    spec_data = {"warmup": "0s", **timed}
    return _made("Argo Rollouts", source, migration, spec_data, metrics)


def _say_times(source: SourceObject, migration: Migration, timed: Mapping[str, Any]) -> None:
    part = SourcePart(migration.notebook, source.document, (*source.route, "spec"), source.data.get("spec"))
    times = f"warmup: 0s, {'steps' if 'steps' in timed else 'duration: ' + timed['duration']}"
    text = (
        "the verdict comes at the end of this time. A run that is stopped before is inconclusive, in Argo successful; "
    )
    text += "no data (nothing, NaN) is never a success"
    part.differs("strategy" if "strategy" in part else "metrics", times, text)


def _not_named_by_others(templates: list[SourceObject]) -> list[SourceObject]:
    """The templates that no other one takes in."""
    named = set()
    for one in templates:
        spec = one.data.get("spec")
        references = spec.get("templates") if isinstance(spec, Mapping) else None
        for reference in references if isinstance(references, list) else ():
            if isinstance(reference, Mapping):
                named.add(str(reference.get("templateName")))
    return [one for one in templates if one.name not in named] or templates


def _rollout_arguments(spec: SourcePart) -> Iterator[tuple[str, str]]:
    """Values that a Rollout gives to its analyses, in the order in which they stand in it."""
    todo: list[Any] = [spec.data]
    while todo:
        data = todo.pop()
        if isinstance(data, Mapping):
            for one in data.get("args") or [] if "templates" in data and isinstance(data.get("args"), list) else ():
                if isinstance(one, Mapping) and isinstance(one.get("name"), str) and isinstance(one.get("value"), str):
                    yield one["name"], one["value"]
            todo += reversed(list(data.values()))
        elif isinstance(data, list):
            todo += reversed(data)


def _measured(
    analysis: SourcePart,
    templates: Sequence[SourceObject],
    migration: Migration,
    metrics: list[tuple[SourcePart, dict[str, Any]]],
    offset: float,
) -> float:
    """Adds the metrics of an analysis of a Rollout -> for how many seconds it measures where it counts."""
    filled: list[str] = []
    for argument in analysis.parts("args"):
        name = argument.text("name")
        filled.append(name)
        key = "valueFrom" if "valueFrom" in argument else "value"
        if migration.arguments.is_another(name, None if key == "valueFrom" else argument.text("value")):
            refuse_value(argument, key, name, migration)
        elif key == "valueFrom":
            argument.whole("valueFrom")
            migration.asked_for.add(name)
            way = f"canary run --arg {name}=VALUE, from the pipeline that knows it"
            argument.differs("valueFrom", f"args: {name}", "a gate cannot ask the cluster for it", way)
        else:
            argument.same("value", f"args: {name}")
    analysis.whole("startingStep")
    for key in ("dryRun", "measurementRetention", "analysisRunMetadata"):
        analysis.whole(key)
    added: list[tuple[SourcePart, dict[str, Any]]] = []
    for reference in analysis.parts("templates"):
        template = _referred(reference, templates, ())
        if template is not None:
            added += _of_template(template, templates, migration, offset, (), filled)
    metrics += added
    return max([0.0, *(_length(metric) - offset for _, metric in added if "count" in metric)])


def _referred(
    reference: SourcePart, templates: Sequence[SourceObject], above: Sequence[SourceObject]
) -> SourceObject | None:
    """The template that a reference means; None, and refused, where it is not there, or may be one of several."""
    name, kind = reference.text("templateName"), ANALYSIS_TEMPLATES[reference.text("clusterScope") == "true"]
    found = [one for one in templates if one.name == name]
    found = [one for one in found if one.kind == kind] or found
    if len(found) == 1 and found[0] not in above:
        return found[0]
    way = f"append it to this file: kubectl get {kind.lower()} {name} -o yaml"
    problem = f"template {name!r} is not in this file"
    if len(found) > 1:
        problem, way = f"there are {len(found)} templates {name!r} in this file", "leave the one that is meant"
    elif found:
        problem, way = f"template {name!r} takes in itself", "remove it there"
    reference.refused("templateName", problem, way, weakens=True)
    return None


def _of_template(
    one: SourceObject,
    templates: Sequence[SourceObject],
    migration: Migration,
    offset: float,
    above: Sequence[SourceObject],
    filled: Collection[str] = (),
) -> list[tuple[SourcePart, dict[str, Any]]]:
    spec = _part(one, migration.notebook)
    template_arguments(spec, migration, filled)
    dry = dry_run_names(spec)
    if "measurementRetention" in spec:
        spec.refused("measurementRetention", "every measurement counts and none is listed", "--state keeps the run")
    found = []
    for metric in spec.parts("metrics"):
        made = argo_metric(metric, migration, dry, offset)
        if made is not None:
            found.append((metric, made))
    for reference in spec.parts("templates"):
        inner = _referred(reference, templates, (*above, one))
        if inner is not None:
            found += _of_template(inner, templates, migration, offset, (*above, one), filled)
    return found


def _length(metric: Mapping[str, Any]) -> float:
    """Seconds until the last of a metric's counted measurements."""
    interval = duration(metric.get("interval", f"{int(INTERVAL)}s"))
    return float(duration(metric.get("initialDelay", "0s")) + (metric.get("count", 1) - 1) * interval)


def _timed(metrics: list[tuple[SourcePart, dict[str, Any]]], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """`interval` and `steps` or `duration` of the gate, and counts and limits that fit into it."""
    horizon = float(sum(duration(step["duration"]) for step in steps if step["weight"] < FULL))
    if not steps:
        lengths = [_length(metric) for _, metric in metrics if "count" in metric]
        lengths += [_length(metric) + _least(metric) for _, metric in metrics if "count" not in metric]
        open_ended = [DURATION for _, metric in metrics if "count" not in metric]
        horizon = max([SHORTEST_RUN, *lengths, *open_ended])
    for part, metric in metrics:
        _fit(part, metric, horizon)
    return {"steps": steps} if steps else {"duration": spelled(horizon)}


def _least(metric: Mapping[str, Any]) -> float:
    """Seconds that its limits need before one of them can decide."""
    wanted = max(metric.get("failureLimit", 0), 0) + metric.get("consecutiveSuccessLimit", 0)
    return float(wanted * duration(metric.get("interval", "15s")))


def _fit(part: SourcePart, metric: dict[str, Any], horizon: float) -> None:
    interval = duration(metric.get("interval", f"{int(INTERVAL)}s"))
    delay = duration(metric.get("initialDelay", "0s"))
    fits = math.floor((horizon - delay) / interval) + 1 if interval and horizon >= delay else 0
    if metric.get("count", 0) > fits > 0:
        text = f"{metric.pop('count')} measurements do not fit into the steps: it is measured until they end"
        part.differs("count", "", text, "lengthen the steps for all of them")
    most = metric.get("count", fits)
    for key in ("failureLimit", "inconclusiveLimit"):
        if metric.get(key, 0) > most > 0:
            text = f"only {most} measurements are taken: with a limit of {metric[key]} it could not be passed over"
            metric[key] = max(most - 1, 0)
            part.differs(key, f"{key}: {metric[key]}", text)


def _of_canary(one: SourceObject, known: Sequence[SourceObject], migration: Migration) -> ImportedGate:
    spec = _part(one, migration.notebook)
    names = CanaryNames.of(one.metadata, spec.data)
    plan = canary_plan(spec, migration)
    analysis = canary_analysis(spec)
    templates = {
        (str(other.metadata.get("namespace") or ""), other.name): _part(other, migration.notebook)
        for other in known
        if other.kind == METRIC_TEMPLATE
    }
    found = []
    for metric in analysis.parts("metrics"):
        made = canary_metric(metric, migration, names, templates, plan)
        if made is not None:
            found.append((metric, made))
    found += hooks(analysis, migration)
    refuse_alerts(analysis)
    times = {"steps": plan.steps} if plan.steps else {"duration": spelled(plan.duration)}
    spec_data = {"warmup": "0s", "interval": spelled(plan.interval), **times, "onNoData": "fail"}
    analysis.differs("metrics", "onNoData: fail", "no value is a failed check, as there; a server that does not answer "
                     "is an error here, and ends the run after five in a row")  # fmt: skip
    return _made("Flagger", one, migration, spec_data, found)


def _made(
    tool: str,
    source: SourceObject,
    migration: Migration,
    spec: dict[str, Any],
    metrics: list[tuple[SourcePart, dict[str, Any]]],
) -> ImportedGate:
    for part, _ in metrics[MOST_METRICS:]:
        part.refused("", f"a gate has {MOST_METRICS} metrics at most", "write a second gate", weakens=True)
    arguments = migration.arguments.in_gate()
    _say_used(migration)
    whole = {**({"args": arguments} if arguments else {}), **spec}
    return ImportedGate(
        tool,
        f"{source.data['kind']} {source.name}",
        name_in_gate(source.name),
        whole,
        metrics[:MOST_METRICS],
        migration.notebook,
        [one for one in migration.alternatives if isinstance(one, RatioAlternative)],
        migration.sources.blocks,
        migration.sources.commands,
    )


def _say_used(migration: Migration) -> None:
    """Corrects what was said of arguments that the gate does not have, because nothing in it uses them."""
    lines = []
    for line in dict.fromkeys(migration.notebook.lines):
        name = line.gate.removeprefix("args: ")
        if name != line.gate and name not in migration.arguments.used:
            text = "the gate does not take this argument: its value is written out where it is used"
            line = replace(line, outcome=ImportOutcome.DIFFERS, gate="", text=text, way="")
        lines.append(line)
    migration.notebook.lines = lines


def _say_unread(notebook: Notebook, objects: Sequence[SourceObject]) -> None:
    """Names every object, and every key below a `spec`, that nothing looked at: nothing is passed over in silence."""
    for one in objects:
        spec = (*one.route, "spec")
        if not notebook.was_opened(one.document, spec):
            text = "it is not part of this gate"
            shown = f"{one.kind} {one.name}"
            way = (
                "make a gate of its own from it: --name NAME"
                if one.kind in (CANARY, *ANALYSIS_TEMPLATES)
                else "nothing names it"
            )
            notebook.lines.append(ImportLine(one.document, one.route, ImportOutcome.REFUSED, shown, "", text, way))
            continue
        for route, value in list(notebook.unread(one.document, spec, one.data.get("spec"))):
            text, way = "no such key is known here, so nothing replaces it", "check its spelling, or what it is for"
            shown = shown_source(route, value)
            notebook.lines.append(ImportLine(one.document, route, ImportOutcome.REFUSED, shown, "", text, way))
