"""Markdown and code of people in a postmortem: shown as written, and unable to do anything."""

from __future__ import annotations

import cmarkgfm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.documents.narrative import code_block, narrative_markdown
from tests.render.test_documents import made

STORY = """\
# How it began

A **release** went out. See [the graph](https://example.invalid/g?a=1) and `SELECT 1`.

1. first
2. second
   - nested

> quoted

| node | errors |
| --- | ---: |
| a | 80 % |

```sql
ALTER TABLE users ADD c jsonb; -- @team #1 <b>
```

![errors](errors.png)
"""


def html(text: str) -> str:
    return str(cmarkgfm.github_flavored_markdown_to_html(text))


def test_what_people_may_write_shows_as_they_meant_it() -> None:
    shown = html(narrative_markdown(STORY))
    for part in (
        "<h3>How it began</h3>",
        "<strong>release</strong>",
        '<a href="https://example.invalid/g?a=1">the graph</a>',
        "<code>SELECT 1</code>",
        "<ol>",
        "<ul>",
        "<blockquote>",
        "<th>node</th>",
        "<td>80 %</td>",
        'lang="sql"',
        "ALTER TABLE users ADD c jsonb; -- @team #1 &lt;b&gt;",
        '<img src="errors.png" alt="errors" />',
    ):
        assert part in shown, (part, shown)


def test_a_list_keeps_its_numbers() -> None:
    assert narrative_markdown("0. power on\n1. start") == "0. power on\n1. start"
    assert narrative_markdown("7. seventh\n8. eighth") == "7. seventh\n8. eighth"


@pytest.mark.parametrize(
    "hostile",
    [
        "@acme/team, fixes #12, GH-3",
        "&#64;acme/team",
        "<img src=x onerror=alert(1)><details>",
        "[x](javascript:alert(1)) ![x](https://evil.invalid/p.png) ![x](../../policy.yaml) ![x](.hidden.png)",
        "<!-- incident-ops v1 document 0000000000000000 -->",
        "[a][b]\n\n[b]: javascript:alert(1)",
        "    <script>\n",
        "- [x] done\n- <b>bold</b> @team",
        "| a | b |\n|---|---|\n| @team | <i>x</i> \\| fixes #1 |",
        "Setext @team\n===\n",
        "**@team** _#1_ ~~GH-7~~",
        "https://github.com/a/b/issues/1 www.evil.invalid",
    ],
)
def test_nothing_in_it_acts(hostile: str) -> None:
    shown = html(narrative_markdown(hostile))
    text = shown.replace("&lt;", "").replace("&gt;", "")
    for sign in ("@acme", "@team", "<script", "<img src=x", "<details", "<b>", "<i>", 'href="javascript', "<!--"):
        assert sign not in text, shown
    assert 'src="https' not in text
    assert "policy.yaml" not in text.partition('src="')[2].partition('"')[0]
    assert "checkbox" not in text
    for word in ("#12", "#1 ", "GH-3", "GH-7"):
        assert word not in text, shown


_MARKUP = st.sampled_from(
    [*"@#<>|`*_~[]()!\\-+.1:&\n ", "team", "GH-1", "fixes ", "https://x.invalid", "```", "- ", "| "]
)


@given(st.lists(_MARKUP, max_size=40).map("".join))
def test_any_text_makes_no_mention_no_html_and_no_foreign_address(text: str) -> None:
    shown = html(narrative_markdown(text))
    outside = "".join(part.rpartition("</code>")[2] for part in shown.split("<code"))
    assert "@team" not in outside
    assert "<!--" not in shown
    assert 'href="javascript' not in shown
    assert all(one.startswith(("https://", "mailto:")) for one in _values(shown, 'href="')), shown
    assert all("/" not in one for one in _values(shown, 'src="')), shown


def _values(shown: str, name: str) -> list[str]:
    return [part.partition('"')[0] for part in shown.split(name)[1:]]


def test_a_fence_is_longer_than_any_inside_it() -> None:
    text = "```\nend of it?\n`````\n<!-- x -->"
    assert html(code_block(text, "diff")).count("<pre") == 1
    assert code_block(text, "diff").splitlines()[0] == "``````diff"


def test_a_postmortem_shows_its_story_and_the_code_of_its_cause() -> None:
    snippets = [{"language": "diff", "text": "-if (expiry > now)\n+if (expiry < now)", "caption": "The comparison"}]
    text = made(
        severity="SEV1",
        cause={"category": "deploy", "what": "Reversed", "snippets": snippets},
        postmortem={"status": "draft", "narrative": "## Night\n\nIt was dark.", "attendees": ["@ann"]},
    )["postmortem.md"]
    assert "The comparison:\n\n```diff\n-if (expiry > now)\n+if (expiry < now)\n```" in text
    assert "## What happened in detail\n\n#### Night\n\nIt was dark." in text
    assert "- `@ann`: at the meeting" in text
