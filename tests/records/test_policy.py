"""policy.yaml and services.yaml: what is laid over what, and what is refused with one clear line."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.errors import UserError
from incident_ops.records.policy import load_policy, load_services, no_policy, policy_digest, preset, resolve_policy
from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.records.yaml_writer import to_yaml
from incident_ops.resources import preset_names


def the_finding(text: str) -> tuple[str, int, str, str]:
    loaded = load_policy(text)
    assert loaded.policy is None
    assert len(loaded.findings) == 1, loaded.findings
    finding = loaded.findings[0]
    return finding.rule, finding.where.line, finding.message, finding.hint


@pytest.mark.parametrize("name", preset_names())
def test_extends_alone_is_a_whole_policy(name: str) -> None:
    loaded = load_policy(f"extends: {name}\n")
    assert loaded.findings == []
    assert loaded.policy is not None
    assert loaded.policy.scheme.id == name
    assert loaded.resolved == {"extends": name, **preset(name)}


def test_maps_merge_key_by_key_and_null_sets_null() -> None:
    base = {"a": {"x": 1, "y": 2}, "b": 3}
    assert resolve_policy({"a": {"y": None}, "c": 4}, base) == {"a": {"x": 1, "y": None}, "b": 3, "c": 4}


def test_lists_of_entries_with_an_id_merge_by_id_and_keep_the_order_of_the_preset() -> None:
    base = {"levels": [{"id": "A", "n": 1}, {"id": "B", "n": 2, "m": {"k": 1}}]}
    own = {"levels": [{"id": "C", "n": 9}, {"id": "B", "m": {"l": 2}}]}
    wanted = [{"id": "A", "n": 1}, {"id": "B", "n": 2, "m": {"k": 1, "l": 2}}, {"id": "C", "n": 9}]
    assert resolve_policy(own, base)["levels"] == wanted


def test_other_lists_replace_and_an_empty_list_empties() -> None:
    base = {"steps": [10, 100], "tiers": [{"id": "a"}]}
    assert resolve_policy({"steps": [50], "tiers": []}, base) == {"steps": [50], "tiers": []}


json_like: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
maps = st.dictionaries(st.text(max_size=3), json_like, max_size=4)


@given(own=maps, base=maps)
def test_resolving_changes_neither_side_and_resolving_again_changes_nothing(
    own: dict[str, Any], base: dict[str, Any]
) -> None:
    before = copy.deepcopy((own, base))
    once = resolve_policy(own, base)
    assert (own, base) == before
    assert resolve_policy(own, once) == once


@pytest.mark.parametrize("name", preset_names())
def test_a_resolved_policy_is_itself_a_policy_that_resolves_to_the_same(name: str) -> None:
    own = (
        f"extends: {name}\ngate:\n  steps: [5, 100]\nlevels:\n- id: {preset(name)['levels'][0]['id']}\n  response: 7m\n"
    )
    once = load_policy(own)
    assert once.findings == []
    again = load_policy(to_yaml(once.resolved))
    assert again.findings == []
    assert again.resolved == once.resolved
    assert policy_digest(again.resolved) == policy_digest(once.resolved)


def test_the_digest_is_short_stable_and_moves_with_every_value() -> None:
    one = load_policy("extends: sev0-3\n").resolved
    other = load_policy("extends: sev0-3\ngate: {max_error_pct: 2}\n").resolved
    assert policy_digest(one) == policy_digest(dict(reversed(one.items())))
    assert policy_digest(one) != policy_digest(other)
    assert policy_digest(one).startswith("sha256:")
    assert len(policy_digest(one)) == len("sha256:") + 16


names = st.text(st.characters(categories=("L", "N", "P", "S")), max_size=200)
texts = st.dictionaries(
    names, st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text() | st.lists(st.text())
)


@given(texts)
def test_dumped_data_is_read_back_as_it_was(data: dict[str, Any]) -> None:
    found = read_yaml(to_yaml(data), "x.yaml")
    assert isinstance(found, Document), found
    assert found.data == data


@pytest.mark.parametrize(
    "word", ["1e3", "0o17", "0123", "on", "no", "12:30", "2025-01-01", "~", "", ".5", "0x1f", "a: b", "# c", "- d"]
)
def test_text_that_looks_like_something_else_stays_text_when_dumped(word: str) -> None:
    found = read_yaml(to_yaml({"text": word, word: 1}), "x.yaml")
    assert isinstance(found, Document)
    assert found.data == {"text": word, word: 1}


def test_an_unknown_preset_is_told_with_the_one_that_was_meant() -> None:
    assert the_finding("mode: active\nextends: sev03\n") == (
        "not-allowed",
        2,
        "there is no preset 'sev03'",
        "did you mean sev0-3?",
    )


@pytest.mark.parametrize("name", ["policy.yaml", "./policy.yaml"])
def test_a_policy_that_extends_itself_is_told_so(name: str) -> None:
    rule, line, message, hint = the_finding(f"extends: {name}\n")
    assert (rule, line, message) == ("not-allowed", 1, "the policy extends itself")
    assert "sev0-3" in hint


def test_a_policy_extends_a_preset_and_no_file() -> None:
    assert the_finding("extends: ../base.yaml\n")[2] == "a policy extends a preset, not the file '../base.yaml'"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}\n", "mode: active\n"])
def test_a_policy_without_extends_is_told_what_to_add(text: str) -> None:
    rule, _, message, hint = the_finding(text)
    assert (rule, message) == ("missing-key", "the policy does not say which preset it extends")
    assert "`extends: sev0-3`" in hint


@pytest.mark.parametrize(
    "text",
    [
        "extends: 3\n",
        "extends: [sev0-3]\n",
        "extends: null\n",
        "extends: {a: 1}\n",
        "- x\n",
        "a: [\n",
        "extends: &a sev0-3\n",
    ],
)
def test_what_is_no_policy_is_findings_and_never_a_crash(text: str) -> None:
    loaded = load_policy(text)
    assert loaded.policy is None
    assert loaded.findings


def test_a_misspelt_level_is_no_new_level() -> None:
    rule, line, message, hint = the_finding("extends: sev0-3\nlevels:\n- id: SEV-1\n  response: 5m\n")
    assert (rule, line, hint) == ("missing-key", 3, "did you mean SEV1?")
    assert message == "'SEV-1' is not in preset sev0-3, and as a new entry it needs `rank`"


def test_a_new_level_that_says_its_rank_is_taken() -> None:
    loaded = load_policy("extends: sev0-3\nlevels:\n- id: SEV4\n  rank: 5\n")
    assert loaded.policy is not None
    assert loaded.policy.labels == ["SEV0", "SEV1", "SEV2", "SEV3", "SEV4"]


def test_two_entries_with_one_id_are_refused() -> None:
    assert the_finding("extends: sev0-3\nlevels:\n- id: SEV1\n- id: SEV1\n")[:3] == (
        "limits",
        4,
        "'SEV1' appears twice in levels",
    )


@pytest.mark.parametrize(
    ("boxes", "line", "where"),
    [
        ("    - {id: a, text: x}\n    - {id: a, text: y}\n", 7, "tracker.checklists.items"),
        (
            "    - id: a\n      text: x\n      items:\n      - {id: b, text: y}\n      - {id: b, text: z}\n",
            10,
            "tracker.checklists.items.items",
        ),
    ],
)
def test_a_box_whose_id_is_taken_is_refused_at_any_depth(boxes: str, line: int, where: str) -> None:
    """A tick is kept under its id: two boxes of one id would be ticked together."""
    text = f"extends: sev0-3\ntracker:\n  checklists:\n  - id: sev0-first\n    items:\n{boxes}"
    rule, found, message, _ = the_finding(text)
    assert (rule, found) == ("limits", line)
    assert message.endswith(f"appears twice in {where}")


def test_a_checklist_of_a_preset_is_changed_by_its_ids() -> None:
    """A text changes, a box is added, and a list without items is gone; the rest stays."""
    loaded = load_policy(
        "extends: sev0-3\ntracker:\n  checklists:\n  - id: sev0-first\n    items:\n    - {id: page, text: Call us}\n"
        "    - {id: own, text: Own}\n  - {id: sev0-rest, items: []}\n"
    )
    assert loaded.policy is not None
    lists = {one.id: one for one in loaded.policy.tracker.checklists}
    assert next((item.id, item.text) for item in lists["sev0-first"].items) == ("page", "Call us")
    assert [item.id for item in lists["sev0-first"].items] == ["page", "channel", "status-page", "executives", "own"]
    assert (lists["sev0-first"].start, lists["sev0-first"].end) == ("0m", "5m")
    assert lists["sev0-rest"].items == []
    assert len(lists) == 4


def test_a_new_checklist_says_its_title_and_its_items() -> None:
    _, line, message, _ = the_finding("extends: sev0-3\ntracker:\n  checklists:\n  - {id: own, items: []}\n")
    assert (line, message) == (4, "'own' is not in preset sev0-3, and as a new entry it needs `title`")


def test_a_new_calendar_needs_a_zone() -> None:
    assert the_finding("extends: sev0-3\ncalendars:\n  plant: {}\n")[0] == "missing-key"


def test_a_policy_without_levels_is_refused() -> None:
    assert the_finding("extends: sev0-3\nlevels: []\n")[2] == "the policy has no levels"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("extends: sev0-3\ngatee: {}\n", 2),
        ("extends: sev0-3\ngate:\n  observe: 10 minutes\n", 3),
        ("extends: sev0-3\nlevels:\n- id: SEV1\n  response: PT5M\n", 4),
        ("extends: sev0-3\nmode: passive\n", 2),
        ("extends: sev0-3\ncalendars:\n  business:\n    hours:\n      monday: [9-17]\n", 5),
        ("extends: sev0-3\ncalendars:\n  business:\n    holidays: [2025-02-30]\n", 4),
        ("extends: sev0-3\npublish:\n  url: not an address\n", 3),
        ("extends: sev0-3\ntriage:\n  rules:\n  - when:\n      users_pct: 50\n    level: SEV1\n", 5),
    ],
)
def test_what_the_schema_forbids_is_found_on_its_line(text: str, line: int) -> None:
    assert the_finding(text)[1] == line


def test_a_missing_policy_says_how_to_begin() -> None:
    error = no_policy("/srv/repo")
    assert isinstance(error, UserError)
    assert error.exit_code == 2
    assert "incident-ops init" in str(error)


def test_an_unknown_preset_by_name_is_a_users_mistake() -> None:
    with pytest.raises(UserError, match="there is no preset 'p1-p4'"):
        preset("p1-p4")


def test_a_changed_copy_of_a_preset_never_reaches_the_next_caller() -> None:
    preset("sev0-3")["levels"].clear()
    load_policy("extends: sev0-3\n").resolved["levels"].clear()
    assert len(preset("sev0-3")["levels"]) == 4


NOW = datetime(2025, 1, 26, 14, tzinfo=UTC)


def test_people_in_contacts_are_the_keys_with_an_at() -> None:
    loaded = load_policy(
        'extends: sev0-3\ncontacts:\n  "@alice":\n    manager: "@dana"\n    channels: [chat]\n  executive: ["@alice"]\n'
    )
    assert loaded.policy is not None
    contacts = loaded.policy.contacts
    assert contacts.people["@alice"].manager == "@dana"
    assert contacts.handles("executive", NOW) == ["@alice"]
    assert contacts.handles("on_call", NOW) == []
    assert contacts.handles("@bob", NOW) == ["@bob"]


def test_a_major_incident_keeps_the_clocks_of_its_priority_and_takes_the_duties_of_its_severity() -> None:
    """C2: priority drives the clocks, severity the actions."""
    loaded = load_policy("extends: itil-p1-p4\n").policy
    assert loaded is not None
    both = loaded.duties("SEV-1", "P2")
    assert both is not None
    assert (both.id, both.rank, both.response, both.escalate_at) == ("P2", 1, "1h", "6h")
    assert (both.update.internal, both.ic_after, both.diagnosis) == ("15m", 0, "15m")
    assert loaded.duties(None, "P2") == loaded.level("P2")
    assert loaded.duties("SEV-1", None) is None


def test_labels_are_taken_letter_by_letter_and_never_by_likeness() -> None:
    """C1."""
    policy = load_policy("extends: sev0-3\n").policy
    assert policy is not None
    assert policy.level("SEV1") is not None
    assert [policy.level(label) for label in ("SEV-1", "sev1", "P1", None)] == [None] * 4
    assert policy.duties("SEV1", "P1") == policy.level("SEV1")


def test_a_commander_is_needed_at_once_after_a_while_or_never() -> None:
    """R117, C32."""
    policy = load_policy("extends: p0-p3\n").policy
    assert policy is not None
    assert [level.ic_after for level in policy.levels] == [0, 3600, None, None]


def test_calendars_give_their_windows_in_minutes_and_24x7_is_built_in() -> None:
    hours = '["13:00-17:30", "08:00-12:00", "20:00-04:00"]'
    policy = load_policy(f"extends: sev0-3\ncalendars:\n  business:\n    hours:\n      monday: {hours}\n").policy
    assert policy is not None
    business = policy.calendar("business")
    assert business is not None
    assert business.windows(0) == [(480, 720), (780, 1050)]
    assert business.windows(6) == []
    around = policy.calendar("24x7")
    assert around is not None
    assert [around.windows(day) for day in range(7)] == [[(0, 1440)]] * 7
    assert policy.calendar("plant") is None


def test_services_are_read_with_what_little_they_need() -> None:
    loaded = load_services(
        'services:\n  api:\n    owner: "@team"\n  auth:\n    owner: QA team\n    depends_on: [api]\n    slo: 99.9\n'
    )
    assert loaded.findings == []
    assert loaded.services is not None
    assert loaded.services["api"].owner == "@team"
    assert loaded.services["auth"].depends_on == ["api"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services:\n  api: {}\n", 2),
        ('services:\n  api:\n    owner: "@team"\n    teir: 1\n', 4),
        ('services:\n  -api:\n    owner: "@team"\n', 2),
        ('services:\n  api:\n    owner: "@team"\n    pager_key_env: sk-123\n', 4),
        ("service: {}\n", 1),
    ],
)
def test_a_faulty_service_is_found_on_its_line(text: str, line: int) -> None:
    loaded = load_services(text)
    assert loaded.services is None
    assert loaded.findings[0].where.line == line


def test_a_value_that_may_be_null_is_offered_null() -> None:
    """As it is written in YAML, and not as Python prints it."""
    (finding,) = load_policy("extends: sev0-3\npublish: {to: statuspag}\n").findings
    assert finding.message == "publish.to is 'statuspag', allowed: statuspage, null"
