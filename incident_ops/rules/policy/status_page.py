"""The existing status page of this policy shows less than it should, or nothing.

`publish.to: statuspage` needs the id of the page. Each service needs the id of its component there: one without stays
green while its incident is open, and the incident itself is published all the same.

Before:

    extends: sev0-3
    publish: {to: statuspage}

After:

    extends: sev0-3
    publish: {to: statuspage, page: kctbh9vrtdwd, components: {auth: 8kbf7d35c070}}
"""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules.policy import PolicyFile

ID = "status-page"
LEVEL = Level.ERROR


def check(policy_file: PolicyFile) -> Iterator[Finding]:
    """A page without an id, components of services that nobody has, and services without a component."""
    publish, services = policy_file.policy.publish, policy_file.services
    if publish.to is None:
        if publish.page or publish.components:
            hint = "set publish.to: statuspage, or leave the others out"
            yield policy_file.error(ID, ("publish",), "publish.to is not set, so nothing is published", hint)
        return
    if publish.page is None:
        hint = "its id is in the address of its page in Statuspage: manage.statuspage.io/pages/ID"
        yield policy_file.error(ID, ("publish", "to"), "publish.page is not set, so nothing is published", hint)
    for name in publish.components if services else ():
        if name not in services:
            hint = did_you_mean(name, services) or "write the name that services.yaml has"
            message = f"publish.components names {name!r}, which is not in services.yaml"
            yield policy_file.warning(ID, ("publish", "components", name), message, hint)
    if missing := sorted(set(services) - set(publish.components)):
        message = f"without a component on the status page: {', '.join(missing)}"
        hint = "add it to publish.components, if the page has one"
        where = policy_file.where("publish", "components" if publish.components else "to")
        yield Finding(ID, Level.NOTE, where, message, hint)
