"""What a record keeps of commands and their output: no secret, nothing that steers a terminal, little of much."""

from __future__ import annotations

import pytest

from incident_ops.runbooks.output import MOST_CHARACTERS, kept_output, plain_lines, without_passwords


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("curl -H 'Authorization: Bearer abcdef123' x", "curl -H 'Authorization: ***' x"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: ***"),
        ("https://ann:hunter2@example.org/x", "https://ann:***@example.org/x"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ('{"api_key": "hunter2", "a": 1}', '{"api_key": ***, "a": 1}'),
        ("mysql --password hunter2 -u root", "mysql --password *** -u root"),
        ("mysql -phunter2 -u root", "mysql -p*** -u root"),
        ("curl -u ann:hunter2 x", "curl -u ann:*** x"),
        ("key ghp_" + "a1" * 18, "key ***"),
        ("AKIA" + "ABCDEFGH" * 2, "***"),
    ],
)
def test_what_is_secret_is_hidden(text: str, kept: str) -> None:
    assert without_passwords(text) == kept
    assert "hunter2" not in without_passwords(text)


@pytest.mark.parametrize(
    "text",
    [
        "export TOKEN=$TOKEN",
        "the password is wrong",
        "token expired",
        "kubectl get secret db-main -o yaml",
        "mkdir -p /var/lib/api",
        'curl --fail "$URL/health"',
        "HTTP 200 after 0.2 s",
    ],
)
def test_what_is_not_secret_stays(text: str) -> None:
    assert without_passwords(text) == text


def test_nothing_steers_a_terminal_and_a_progress_bar_is_its_last_form() -> None:
    output = b"\x1b[31mred\x1b[0m\r\n\r\n10 %\r20 %\r\n\x1b]0;title\x07caf\xe9\x00\r\n"
    assert plain_lines(output) == ["red", "20 %", "caf\ufffd"]


def test_no_line_of_a_private_key_is_kept() -> None:
    lines = [
        "before",
        "-----BEGIN RSA PRIVATE KEY-----",
        *["MIIEow" + "A" * 58] * 9,
        "-----END RSA PRIVATE KEY-----",
        "after",
    ]
    assert kept_output(lines) == "(last of 13 lines) before / *** / after"


def test_of_much_the_last_is_kept() -> None:
    assert kept_output(["a", "b"]) == "a / b"
    assert kept_output([str(number) for number in range(9)]) == "(last of 9 lines) 4 / 5 / 6 / 7 / 8"
    assert len(kept_output(["x" * 5000])) == MOST_CHARACTERS
    assert kept_output([]) == ""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("DB_PASS=hunter2xyz", "DB_PASS=***"),
        ("MYSQL_PWD=hunter3xyz", "MYSQL_PWD=***"),
        ("pass: hunter4", "pass: ***"),
        ("curl -uadmin:hunter5 x", "curl -uadmin:*** x"),
        ("sshpass -p hunter6 ssh host", "sshpass -p *** ssh host"),
        ("redis-cli -h cache -a hunter7 get x", "redis-cli -h cache -a *** get x"),
        ("Cookie: session=hunter8", "Cookie: ***"),
        ("passed: 3 tests, bypass=on, compass: north", "passed: 3 tests, bypass=on, compass: north"),
    ],
)
def test_short_names_of_passwords_hide_them_too(typed: str, kept: str) -> None:
    assert without_passwords(typed) == kept
