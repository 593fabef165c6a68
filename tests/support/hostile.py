"""Texts that strangers could write to make a page of ours do something: pieces that mean something to GitHub, mixed."""

from __future__ import annotations

from random import Random

SHA = "0123456789abcdef0123456789abcdef01234567"

PIECES = (
    *("@acme", "@acme/everybody", "a@b.co", "#1", "GH-1", "_GH-1_", "o/r#1", f"o/r@{SHA}", SHA, "fixes #1"),
    "Closes: o/r#2",
    *("https://e.x/", "https://e.x/a_b(c)#1", "http://e.x", "ftp://e.x", "www.e.x", "WWW.e.x", "mailto:a@b.co"),
    "xmpp:a@b.co/c",
    *("<https://e.x>", "<a@b.co>", "[a](https://e.x)", "[x](javascript:alert(1))", "![p](https://e.x/p.png)"),
    *("[a]", "[a][b]"),
    *("[a]: https://e.x", "[^1]", "[^1]: note", "[!NOTE]", "> [!NOTE]", "[x] done", "[ ]", "- [x] done"),
    "fixes https://github.com/o/r/issues/1",
    *("<img src=https://e.x/p.png>", "<b>", "</details>", "<!--", "-->", "<!-- box:a -->", "<?x?>"),
    *("<![CDATA[x]]>", "<script>", "<br"),
    *("`", "``", "```", "`a`", "`` ` ``", "`a|b`", "`@acme`", "~~~", "~~a~~", "~", "|", "| a | b |"),
    *("| --- | --- |", "|-", ":-", "\\|", "\\"),
    *("*", "**", "***", "*a*", "**a b**", "_", "__", "__a__", "a_b_c", "# ", "## a", " #", "#", "===", "---"),
    *("- - -", "-", "- a", "+ a"),
    *("* a", "1. a", "2. b", "3) c", "10. x", "1986. y", "1)", "> ", ">", ">>", "> a", "    code", "\t", "$"),
    *("$x$", "$$", "$`x`$", ":x:"),
    *("&#64;acme", "&commat;acme", "&#35;1", "&lt;b&gt;", "&amp;#64;acme", "&", "&#x40;", "&num;1", ":", "://"),
    *("http:", "https", "//e.x", "www", ".e.x"),
    *("@", "GH-", "gh", "-1", "!", "!!", "(", ")", "[", "]", "](https://e.x)", "{", "}", "\"", "'", "=", "+"),
    *("%", "^", "/", "\\\\", "\\`", "\\@acme"),
    *("\0", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\x1b[31m", "\u00ad", "\u00a0", "\u2028", "\x85"),
    *("\x0b", "＠acme", "\U0001f600", "é"),
    *("word", "Login fails", "a", "x1", "0", "12:30:45", "C#", "R&D", "50 %", "p95 > 2s"),
)  # fmt: skip
GLUES = ("", "", "", " ", " ", "\n", "\n\n", "\r\n", "  \n", "\\\n", "\n    ", "\n- ")
_LOOSE = "`\\|@#<>!-~=*_[](){}:&$./+^\"'%?,; \n\tab1GHx0é"


def hostile_text(seed: object) -> str:
    """The text of a seed, always the same: mostly pieces glued together, sometimes loose signs, seldom a long one."""
    chance = Random(f"a stranger's text {seed}")
    kind = chance.random()
    if kind < 0.15:
        return "".join(chance.choices(_LOOSE, k=chance.randint(1, 30)))
    count = chance.randint(40, 200) if kind > 0.998 else chance.randint(1, 7)
    return "".join(chance.choice(PIECES) + chance.choice(GLUES) for _ in range(count))
