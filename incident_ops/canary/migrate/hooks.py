"""Webhooks and alerts of Flagger: those that check something as a command, the others with the way on."""

from __future__ import annotations

import shlex
from typing import Any

from incident_ops.canary.migrate.notebook import SourcePart
from incident_ops.canary.migrate.sources import Migration

_REVIEWERS = "let a person decide: an environment with required reviewers, or gate wait before it"
_AS_METRIC = "make it a metric: type: threshold, provider: {command: {name: NAME}}, and --command NAME='...'"
_HOOKS = {
    "rollout": "run it from the pipeline or by --on-step: a gate makes no load",
    "confirm-rollout": _REVIEWERS,
    "confirm-traffic-increase": f"{_REVIEWERS}; --step-state ends the job with each step",
    "confirm-promotion": f"{_REVIEWERS}; --on-pass CMD comes after it",
    "post-rollout": "run it by --on-pass or --on-fail CMD",
    "rollback": "end the job, or freeze the service: what holds a deploy is asked again before each step",
    "event": "name a channel in policy.yaml: notices of canary_started, canary_failed and canary_waiting",
}


def hooks(analysis: SourcePart, migration: Migration) -> list[tuple[SourcePart, dict[str, Any]]]:
    """Metrics for the webhooks that check something before the rollout; the others are refused with the way."""
    made = []
    for hook in analysis.parts("webhooks"):
        kind = hook.text("type") or "rollout"
        if kind == "pre-rollout":
            made.append((hook, _as_command(hook, migration)))
            continue
        for key in list(hook.data):
            hook.whole(key)
        text, place = f"webhook {hook.text('name')}: a gate calls no webhook", "type" if "type" in hook else "name"
        if kind == "rollout" and not _only_makes_load(hook.data.get("metadata")):
            hook.refused(place, f"{text}, and this one can fail the canary", _AS_METRIC, weakens=True)
        else:
            hook.refused(place, text, _HOOKS.get(kind, "run it from the pipeline"))
    return made


def _only_makes_load(metadata: Any) -> bool:
    """Whether Flagger's load tester only begins what the webhook names, and never says how it ended."""
    return isinstance(metadata, dict) and bool(metadata.get("cmd")) and metadata.get("type", "cmd") == "cmd"


def _as_command(hook: SourcePart, migration: Migration) -> dict[str, Any]:
    name = migration.metric_name(hook)
    url = hook.text("url")
    metadata = hook.whole("metadata")
    hook.whole("timeout")
    hook.whole("muteAlert")
    hook.whole("retries")
    words = metadata.get("cmd") if isinstance(metadata, dict) else None
    ran = str(words) if words else f"curl --fail -X POST {shlex.quote(url)}"
    migration.sources.commands[name] = ran
    text = "its exit code decides, once, as the run begins; Flagger calls the webhook before any traffic moves"
    hook.differs("type", f"provider: {{command: {{name: {name}}}}}", text, f"canary run --command {name}='...'")
    return {
        "name": name,
        "type": "threshold",
        "provider": {"command": {"name": name}},
        "count": 1,
        "initialDelay": "0s",
    }


def refuse_alerts(analysis: SourcePart) -> None:
    """Alerts go where the policy sends notices."""
    for alert in analysis.parts("alerts"):
        for key in list(alert.data):
            alert.whole(key)
        way = "channels of policy.yaml get canary_started, canary_failed and canary_waiting"
        alert.refused("providerRef", "who hears of a canary is set in the policy", way)
