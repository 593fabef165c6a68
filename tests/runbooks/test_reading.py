"""Markdown as steps: what people write is what they are asked about, in its order, on its line."""

from __future__ import annotations

from incident_ops.runbooks.reading import CodeBlock, Runbook, read_runbook

PATH = "runbooks/api.md"
WHOLE = """---
owner: "@acme/api"
review_by: 2026-06-30
---
# The api fails

Ask *first*.

## Look

In this order.

1. Is `api` up? See [the dashboard](https://example.org/d).

   ```sh
   curl --fail https://example.org/health
   ```

   It says 200.
2. [ ] Recent deployments
   - of the api
   - of the database

```bash
kubectl rollout history deployment/api
```

## Roll back

Tell the team.

```sql
select 1
```

### By hand

* Push the button
"""


def read(text: str) -> Runbook:
    return read_runbook(text.encode(), PATH)


def test_headings_and_items_are_steps_in_their_order_each_on_its_line() -> None:
    found = read(WHOLE)
    assert [(one.number, one.section, one.title, one.line) for one in found.steps] == [
        (1, "Look", "Is `api` up? See the dashboard (https://example.org/d).", 13),
        (2, "Look", "Recent deployments", 20),
        (3, "", "Roll back", 28),
        (4, "By hand", "Push the button", 38),
    ]
    lines = WHOLE.split("\n")
    assert all(step.title.split()[-1].strip(".)") in lines[step.line - 1] for step in found.steps)


def test_what_belongs_to_a_step_keeps_its_order_and_a_fence_below_a_list_is_of_its_last_item() -> None:
    first, second, third, _ = read(WHOLE).steps
    assert first.content == (CodeBlock("sh", "curl --fail https://example.org/health\n", 15), "It says 200.")
    assert second.content[:2] == ("- of the api", "- of the database")
    assert [one.text for one in second.commands] == ["kubectl rollout history deployment/api\n"]
    assert third.blocks[0].language == "sql"
    assert third.commands == ()


def test_the_front_matter_the_title_and_what_stands_before_the_steps() -> None:
    found = read(WHOLE)
    assert (found.owner, found.review_by, found.title) == ("@acme/api", "2026-06-30", "The api fails")
    assert found.introduction == ("Ask first.",)
    assert found.sections["Look"] == ("In this order.",)
    assert found.problems == ()


def test_what_keeps_a_file_from_being_a_runbook_is_said_with_its_place() -> None:
    (finding,) = read("---\nowner: @acme\n---\n- Look\n").problems
    assert (str(finding.where), finding.hint) == (f"{PATH}:2:8", "put the text in quotes")
    (finding,) = read("Only words.\n").problems
    assert finding.message == "there is no step in it"
    assert read("---\n- a\n---\n- Look\n").problems[0].message == "its front matter has no keys"
    assert "not UTF-8" in read_runbook(b"- caf\xe9\n", PATH).problems[0].message


def test_windows_line_ends_and_a_rule_at_the_top_change_nothing() -> None:
    assert [one.title for one in read(WHOLE.replace("\n", "\r\n")).steps] == [one.title for one in read(WHOLE).steps]
    assert [one.title for one in read("---\n\n- Look\n").steps] == ["Look"]


def test_a_table_stays_as_it_was_written_and_a_comment_is_not_shown() -> None:
    (step,) = read("- Look\n\n  | a | b |\n  | - | - |\n  | 1 | 2 |\n\n<!-- for authors -->\n").steps
    assert step.content == ("| a | b |\n| - | - |\n| 1 | 2 |",)
