"""Write N valid incident records of about 4 KB, the same bytes for the same seed; with --git as a repository.

    python bench/make_records.py FOLDER --count 1000
    python bench/make_records.py FOLDER --count 100000 --git      # a repository, checked out
    python bench/make_records.py FOLDER --count 1000 --quoted     # instants in quotes, for readers that want them so
    python bench/make_records.py FOLDER --touch 50 --seed 3       # change 50 records of it, and commit that

Most incidents are closed, the last ones are open. Ids are instants, spread over ten years, each only once.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

FIRST = datetime(2015, 1, 5, 8, 0, tzinfo=UTC)
SPAN = timedelta(days=3_920)
OPEN_SHARE = 200  # one of so many, but at least three, is still open

SERVICES = ("auth", "billing", "catalog", "checkout", "mailer", "media", "search", "web")
PEOPLE = ("ada", "bruno", "chen", "dalia", "edwin", "fatou", "goran", "hana", "ivo", "juno")
THINGS = (
    "connection pool",
    "certificate",
    "cache",
    "index",
    "queue consumer",
    "DNS record",
    "feature flag",
    "rate limit",
)
FATES = (
    "ran full",
    "expired",
    "was emptied",
    "was rebuilt at noon",
    "fell behind",
    "pointed at a dead host",
    "was off",
)
CATEGORIES = ("deploy", "database", "third_party", "infrastructure", "configuration")
LESSONS = (
    "Alarms must fire on what users see",
    "A rollback must need no meeting",
    "Dashboards need an owner",
    "Old paths want a date of removal",
)
STATES = ("new", "triaged", "assigned", "in_progress", "resolved", "closed")

POLICY = "extends: sev0-3\nmode: observe\n"
SERVICES_FILE = "services:\n" + "".join(f'  {name}:\n    owner: "@acme/{name}"\n    tier: 2\n' for name in SERVICES)


def instants(count: int, rng: random.Random) -> Iterator[datetime]:
    """`count` different whole seconds in rising order."""
    step = int(SPAN.total_seconds()) // count
    for index in range(count):
        yield FIRST + timedelta(seconds=index * step + rng.randrange(max(step - 1, 1)))


class Incident(NamedTuple):
    """What the parts of one record say alike; `minutes` until it was restored."""

    declared: datetime
    is_open: bool
    service: str
    level: int
    thing: str
    fate: str
    people: list[str]
    minutes: int

    @property
    def name(self) -> str:
        """The id."""
        return f"INC-{self.declared:%Y%m%d-%H%M%S}"

    def at(self, offset: int) -> str:
        """The instant `offset` minutes after the declaration."""
        return f"{self.declared + timedelta(minutes=offset):%Y-%m-%dT%H:%M:%SZ}"


def record(rng: random.Random, declared: datetime, is_open: bool) -> tuple[str, str]:
    """(id, text) of one incident declared at `declared`."""
    service, level = rng.choice(SERVICES), rng.choices((0, 1, 2, 3), (1, 4, 10, 5))[0]
    thing, fate = rng.choice(THINGS), rng.choice(FATES)
    incident = Incident(declared, is_open, service, level, thing, fate, rng.sample(PEOPLE, 4), rng.randint(25, 90))
    lines = [
        *_head(rng, incident),
        *_times(incident),
        *_roles_and_triage(incident),
        *_impact(rng, incident),
        *_timeline(rng, incident),
        *_changes(incident),
    ]
    if not is_open:
        lines += [*_resolution(rng, incident), *_action_items(rng, incident), *_postmortem(rng, incident)]
    lines += [
        "links:",
        f"  dashboard: https://metrics.example.com/d/{service}",
        f"  channel: https://chat.example.com/{incident.name.lower()}",
    ]
    return incident.name, "\n".join(lines) + "\n"


def _head(rng: random.Random, incident: Incident) -> list[str]:
    _, is_open, service, level, thing, fate, *_ = incident
    return [
        "# Edit by pull request.",
        f"id: {incident.name}",
        f"title: The {thing} of {service} {fate}",
        f"description: Requests to {service} failed because its {thing} {fate}; an alert on the error rate told.",
        f"severity: SEV{level}",
        f"state: {'in_progress' if is_open else 'closed'}",
        "services:",
        f"- {service}",
        "detection:",
        "  source: alert",
        f"  detail: error rate of {service} above {rng.randint(2, 40)} % for five minutes",
    ]


def _roles_and_triage(incident: Incident) -> list[str]:
    roles = ("commander", "technical_lead", "communications_lead", "scribe")
    return [
        "roles:",
        *(f'  {role}: "@{who}"' for role, who in zip(roles, incident.people, strict=True)),
        "triage:",
        f"  users_percent: {(100, 60, 8, 1)[incident.level]}",
        f"  feature: {('core', 'core', 'secondary', 'cosmetic')[incident.level]}",
        "  data_risk: none",
    ]


def _impact(rng: random.Random, incident: Incident) -> list[str]:
    share = rng.randint(2, 90)
    return [
        "impact:",
        f"  summary: About {share} % of the requests to {incident.service} failed or took over five seconds.",
        "  users:",
        f"    count: {rng.randint(10, 90_000)}",
        f"    percent: {(100, 60, 8, 1)[incident.level]}",
        "  failed_requests: unknown",
        "  data_loss: none",
    ]


def _times(incident: Incident) -> list[str]:
    minutes = incident.minutes
    marks = [("started", -6), ("detected", -2), ("declared", 0), ("acknowledged", 3)]
    if not incident.is_open:
        half = minutes // 2
        marks += [
            ("diagnosed", half),
            ("mitigated", half + 5),
            ("restored", minutes),
            ("resolved", minutes + 15),
            ("verified", minutes + 60),
        ]
        marks += [("closed", minutes + 61)]
    return ["times:", *(f"  {name}: {incident.at(offset)}" for name, offset in marks)]


def _timeline(rng: random.Random, incident: Incident) -> list[str]:
    service, minutes = incident.service, incident.minutes
    told = (
        ("detection", -2, f"Alert on the error rate of {service}"),
        ("communication", 4, "Channel opened, support told what to answer"),
        ("diagnosis", minutes // 2, f"The {incident.thing} was found to be the cause"),
        ("decision", minutes // 2 + 1, f"Agreed to take {service} back to the last release"),
        ("action", minutes // 2 + 5, f"Release {rng.randint(100, 999)} of {service} rolled back"),
        ("status", minutes, "Error rate back to where it was in the morning"),
        ("note", minutes + 10, "Watched for ten minutes, nothing new"),
    )
    out = ["timeline:"]
    for kind, offset, event in told:
        by = rng.choice(incident.people)
        out += [f"- at: {incident.at(offset)}", f"  kind: {kind}", f"  event: {event}", f'  by: "@{by}"']
    return out


def _changes(incident: Incident) -> list[str]:
    offsets, who = (1, 2, 3, incident.minutes + 15, incident.minutes + 61), incident.people[0]
    steps = list(zip(STATES, STATES[1:], offsets, strict=False))[: 3 if incident.is_open else 5]
    out = ["changes:"]
    for old, new, offset in steps:
        out += [f"- at: {incident.at(offset)}", "  field: state", f"  from: {old}", f"  to: {new}", f'  by: "@{who}"']
    return out


def _resolution(rng: random.Random, incident: Incident) -> list[str]:
    service, thing = incident.service, incident.thing
    return [
        "cause:",
        f"  category: {rng.choice(CATEGORIES)}",
        f"  what: The {thing} of {service} {incident.fate}",
        f"  why: Nobody watched the {thing} since the team that set it up was split",
        "  where: production, all regions",
        "resolution:",
        f"  immediate: Took {service} back to the last release",
        f"  permanent: The {thing} has an alert and an owner",
        "outcome: fixed",
    ]


def _action_items(rng: random.Random, incident: Incident) -> list[str]:
    out = ["action_items:"]
    for number in range(1, rng.randint(2, 4) + 1):
        due = incident.declared + timedelta(days=7 * number)
        out += [
            f"- id: AI-{number}",
            f"  title: Make the {rng.choice(THINGS)} of {incident.service} tell when it is in trouble",
            f'  owner: "@{rng.choice(incident.people)}"',
            f"  due: {due:%Y-%m-%d}",
            f"  priority: P{rng.randint(1, 2)}",
            "  kind: preventative",
            "  status: done",
            f"  done_at: {due:%Y-%m-%d}T10:00:00Z",
        ]
    return out


def _postmortem(rng: random.Random, incident: Incident) -> list[str]:
    service, thing, people = incident.service, incident.thing, incident.people
    final = f"{incident.declared + timedelta(days=3):%Y-%m-%d}T12:00:00Z"
    duration = f"For {incident.minutes} minutes"
    return [
        "postmortem:",
        "  status: final",
        "  authors:",
        f'  - "@{people[0]}"',
        f"  summary: {duration} {service} failed for many because its {thing} {incident.fate}; a rollback ended it.",
        "  went_well:",
        "  - The alert came before the first customer",
        "  went_poorly:",
        f"  - The dashboard of the {thing} was empty",
        "  lessons:",
        "    process:",
        *(f"    - {lesson}" for lesson in rng.sample(LESSONS, 2)),
        "  reviewers:",
        f'  - "@{people[1]}"',
        f"  reviewed_at: {final}",
        f'  approved_by: "@{people[2]}"',
        f"  final_at: {final}",
    ]


def records(count: int, seed: int) -> Iterator[tuple[str, datetime, str]]:
    """(id, declared, text) of every record, oldest first."""
    rng = random.Random(seed)
    still_open = max(count // OPEN_SHARE, min(count, 3))
    for index, declared in enumerate(instants(count, rng)):
        name, text = record(rng, declared, index >= count - still_open)
        yield name, declared, text


def quoted(text: str) -> str:
    """The text with every bare instant and date in quotes."""
    return re.sub(r": ([0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:]{8}Z)?)$", r': "\1"', text, flags=re.MULTILINE)


def write(folder: Path, count: int, seed: int, in_quotes: bool = False) -> None:
    """The records as plain files."""
    for name, _, bare in records(count, seed):
        text = quoted(bare) if in_quotes else bare
        place = folder / "incidents" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "incident.yaml").write_text(text, encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "services.yaml").write_text(SERVICES_FILE, encoding="utf-8")


def write_repository(folder: Path, count: int, seed: int) -> None:
    """The records as a git repository of one commit, checked out.

    The blobs go in by `git fast-import`, the trees by `git mktree`: fast-import alone is quadratic in a folder's size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    names = _import_blobs(folder, count, seed)
    marks = (folder / ".git" / "marks").read_text().split()
    blobs = [
        blob for _, blob in sorted((int(mark[1:]), blob) for mark, blob in zip(marks[::2], marks[1::2], strict=True))
    ]
    each = git(
        folder, "mktree", "--batch", told="\n".join(f"100644 blob {blob}\tincident.yaml\n" for blob in blobs[2:])
    )
    incidents = zip(each.split(), names, strict=True)
    below = git(folder, "mktree", told="".join(f"040000 tree {tree}\t{name}\n" for tree, name in incidents)).strip()
    files = zip(blobs[:2], ("policy.yaml", "services.yaml"), strict=True)
    top = "".join(f"100644 blob {blob}\t{name}\n" for blob, name in files) + f"040000 tree {below}\tincidents\n"
    tree = git(folder, "mktree", told=top).strip()
    git(folder, "update-ref", "refs/heads/main", git(folder, "commit-tree", "-m", "Incidents", tree).strip())
    git(folder, "repack", "-a", "-d", "-q")
    git(folder, "checkout", "-q", "-f", "main")


def _import_blobs(folder: Path, count: int, seed: int) -> list[str]:
    """Policy, services and every record as blobs, marked in this order; the names of the records."""
    command = ["git", "fast-import", "--quiet", "--done", "--export-marks=.git/marks"]
    importer = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE)
    assert importer.stdin is not None
    names = []
    texts = itertools.chain(
        [("", POLICY), ("", SERVICES_FILE)], ((name, text) for name, _, text in records(count, seed))
    )
    for mark, (name, text) in enumerate(texts, 1):
        body = text.encode()
        importer.stdin.write(b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(body), body))
        names += [name] if name else []
    importer.stdin.write(b"done\n")
    importer.stdin.close()
    if importer.wait():
        raise SystemExit("git fast-import failed")
    return names


def git(folder: Path, *arguments: str, told: str | None = None) -> str:
    """Run git in `folder`; its output."""
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid", "-c", "gc.auto=0"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True, input=told
    ).stdout


def touch(folder: Path, count: int, seed: int, commit: bool = True) -> list[Path]:
    """Change `count` random records (a line more in `tags`), and commit that unless told otherwise."""
    rng = random.Random(seed)
    names = rng.sample(sorted(path.name for path in (folder / "incidents").iterdir()), count)
    files = [folder / "incidents" / name / "incident.yaml" for name in names]
    for file in files:
        text = file.read_text(encoding="utf-8")
        head = text if "\ntags:\n" in text else text + "tags:\n"
        file.write_text(f"{head}- run-{seed}\n", encoding="utf-8")
    if commit:
        git(folder, "commit", "-q", "-a", "-m", f"Touch {count} records")
    return files


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--git", action="store_true", help="make a git repository")
    parser.add_argument("--quoted", action="store_true", help="put instants and dates in quotes")
    parser.add_argument("--touch", type=int, default=0, metavar="N", help="change N records of an existing repository")
    chosen = parser.parse_args()
    if chosen.touch:
        touch(chosen.folder, chosen.touch, chosen.seed)
    elif chosen.git:
        write_repository(chosen.folder, chosen.count, chosen.seed)
    else:
        write(chosen.folder, chosen.count, chosen.seed, chosen.quoted)


if __name__ == "__main__":
    main()
