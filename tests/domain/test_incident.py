"""Every record the schema allows is an incident, and comes out as it went in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given

from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.records.index import to_record
from incident_ops.records.schema import check_document, fast_validator, schema
from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.records.yaml_writer import to_yaml
from tests.support.from_schema import values
from tests.support.laws import law
from tests.support.repository import record

SCHEMA = schema("incident")
RECORDS = values(SCHEMA, SCHEMA)


def there_and_back(data: dict[str, Any]) -> Incident:
    """Data -> incident -> data -> the same incident."""
    incident = msgspec.convert(data, Incident)
    written = msgspec.to_builtins(incident)
    assert msgspec.convert(written, Incident) == incident
    assert fast_validator("incident").is_valid(written)
    return incident


@pytest.mark.slow
@law("records the schema allows", whole=50, sample=12, suppress_health_check=list(HealthCheck))
@given(RECORDS)
def test_every_record_the_schema_allows_is_an_incident_and_comes_back(data: dict[str, Any]) -> None:
    assert fast_validator("incident").is_valid(data), "the generator must make valid records"
    incident = there_and_back(data)
    written = msgspec.to_builtins(incident)
    assert {key: data[key] for key in written} == {key: data[key] for key in data if key in written}
    for key in ("id", "title", "state", "services"):
        assert written[key] == data[key]


@law("records the schema allows", whole=30, sample=8, suppress_health_check=list(HealthCheck))
@example(record(imported={"": 1, "a\x85b": 1, "a\nb\u2028c": {"x" * 200: "\n"}}))
@given(RECORDS)
def test_every_record_can_be_written_and_read(data: dict[str, Any]) -> None:
    """Schema, model, writer and reader agree on the same record."""
    document = read_yaml(to_yaml(data), "f.yaml")
    assert isinstance(document, Document), document
    assert document.data == data
    assert check_document(document, "incident") == []
    assert to_record("f.yaml", document.data).incident == msgspec.convert(data, Incident)


@pytest.mark.parametrize("name", SCHEMA["properties"])
def test_model_and_schema_name_the_same_fields(name: str) -> None:
    assert name in {field.encode_name for field in msgspec.structs.fields(Incident)}


def test_model_has_no_field_of_its_own() -> None:
    assert {field.encode_name for field in msgspec.structs.fields(Incident)} == set(SCHEMA["properties"])


def test_an_incident_cannot_be_changed() -> None:
    incident = there_and_back(record())
    with pytest.raises(AttributeError):
        incident.title = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("status", "is_open"), [("open", True), ("in_progress", True), ("done", False), ("wont_do", False)]
)
def test_an_item_is_open_until_done_or_dropped(status: str, is_open: bool) -> None:
    item = ActionItem(id="AI-1", title="x", status=status)
    assert item.is_open is is_open
    incident = there_and_back(record(action_items=[msgspec.to_builtins(item)]))
    assert incident.open_items == ([item] if is_open else [])


def test_only_closed_is_closed() -> None:
    states = SCHEMA["$defs"]["state"]["enum"]
    assert [state for state in states if there_and_back(record(state=state)).is_closed] == ["closed"]
