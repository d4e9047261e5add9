import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.jira import wiki
from tests.contracts.wiki_judge.hostile import texts

WJ = wiki.WORD_JOINER
# Jira Data Center, BackslashEscapeRendererComponent, as quoted in Atlassian's own wiki markup transformer.
ESCAPED = re.compile(r"(?:^|(?<!\\))\\([\-#*_+?^~|%{}\[\]()!@])")


class TestClean:
    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("a\tb\nc", "a\tb\nc"),
            ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
            ("no\x00ne \x1b[31mred\x7f\x9f", "none [31mred"),
            ("\u202egpj.exe\u2066\u2069\u200e\u200f\u061c", "gpj.exe"),
            ("\ufeffbom", "bom"),
            ("half \ud83d pair \ude00", "half \ufffd pair \ufffd"),
            ("whole \ud83d\ude00 pair", "whole 😀 pair"),
            ("no character \ufffe\uffff", "no character \ufffd\ufffd"),
            ("👨\u200d👩\u200d👧 می\u200cخواهم", "👨\u200d👩\u200d👧 می\u200cخواهم"),
        ],
    )
    def test_examples(self, text: str, cleaned: str) -> None:
        assert wiki.clean(text) == cleaned

    @given(text=texts)
    def test_nothing_is_left_to_clean_and_all_is_encodable(self, text: str) -> None:
        cleaned = wiki.clean(text)

        assert wiki.clean(cleaned) == cleaned
        assert not {c for c in cleaned if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}} - {"\n", "\t"}
        cleaned.encode()

    @given(text=texts)
    def test_one_line_has_no_line_break_and_no_double_blank(self, text: str) -> None:
        line = wiki.one_line(text)

        assert line.splitlines() in ([], [line])
        assert "  " not in line
        assert line == line.strip() == wiki.one_line(line)


class TestTruncate:
    @pytest.mark.parametrize(
        ("text", "limit", "cut"),
        [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 5, "abcd…"),
            ("abcdef", 1, "…"),
            ("abcdef", 0, ""),
            ("abcdef", -1, ""),
            ("", 0, ""),
            ("😀😀", 4, "😀😀"),
            ("😀😀", 3, "😀…"),
            ("a😀😀", 4, "a😀…"),
            ("a😀😀", 3, "a…"),
            ("abc def", 5, "abc…"),
        ],
    )
    def test_examples(self, text: str, limit: int, cut: str) -> None:
        assert wiki.truncate(text, limit) == cut

    @given(text=texts.map(wiki.clean), limit=st.integers(-1, 40))
    def test_result_is_a_beginning_within_the_limit(self, text: str, limit: int) -> None:
        cut = wiki.truncate(text, limit)

        assert wiki.utf16_length(cut) <= max(limit, 0)
        assert cut == text or text.startswith(cut.removesuffix(wiki.ELLIPSIS))
        assert wiki.truncate(cut, limit) == cut

    @given(text=texts)
    def test_length_is_that_of_utf_16(self, text: str) -> None:
        assert wiki.utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


class TestEscape:
    @pytest.mark.parametrize(
        "text",
        [
            "NullPointerException at foo_bar.c:12",
            "std::vector<int>::at",
            "my-app a_b_c 2.4.1-rc1",
            "com.example.Main$Inner.run(Main.java:42)",
            r"C:\Users\build\main.cpp",
            "50% of a @ b, #3 & co; what? Oh! x = y | z",
            "2026-10-08T12:00:00+02:00",
            "Größe_3 日本-語 naïve*",
        ],
    )
    def test_ordinary_text_is_left_alone(self, text: str) -> None:
        assert wiki.escape(text) == text

    @pytest.mark.parametrize(
        ("text", "markup"),
        [
            ("[~admin]", rf"\[{WJ}~admin]".replace("~", r"\~")),
            ("{noformat}", rf"\{{{WJ}noformat}}"),
            ("!image.png!", r"\!image.png!"),
            ("*bold* _em_", r"\*bold* \_em_"),
            ("a -- b", r"a \-- b"),
            ("- item\n  # item", "\\- item\n  \\# item"),
            ("h1. title", f"{WJ}h1. title"),
            ("||a||", r"\||a||"),
            ("f(x) :) :D", rf"f\(x) :\) :{WJ}D"),
            (":Dſ :Door", f":{WJ}Dſ :Door"),  # only an ASCII letter makes it a word
            ("Mail mailto:a@b.c", f"Mail m{WJ}ailto:a@b.c"),
            ("??cite??", r"\?\?cite\?\?"),
            ("http://a.example", f"http:{WJ}//a.example"),
            (r"\\server\share", rf"\{WJ}\server\share"),
            (r"C:\[x", rf"C:\{WJ}\[x"),
            ("ends in \\", f"ends in \\{WJ}"),
            ("&lt;", f"&{WJ}lt;"),
        ],
    )
    def test_what_would_act_is_disarmed(self, text: str, markup: str) -> None:
        assert wiki.escape(text) == markup

    @given(text=texts)
    def test_without_escapes_and_joiners_it_is_the_cleaned_text(self, text: str) -> None:
        shown = ESCAPED.sub(r"\1", wiki.escape(text))

        assert shown.replace(WJ, "") == wiki.clean(text).replace(WJ, "")

    @given(text=texts)
    def test_no_pattern_of_data_center_finds_anything(self, text: str) -> None:
        # Data Center makes an entity of an escaped character before it looks for phrases: no letter, no blank.
        left = ESCAPED.sub("\ufffc", wiki.escape(text))

        assert not re.search(r"[{\[]|\\\\|\?\?|://|mailto:", left)
        assert not re.search(r"(?im)^\s*(h[1-6]\.|bq\.|[*#-]+(\s|$)|-{4}|\|)", left)
        assert not re.search(r"(?m)(^|\s)-{2,3}(\s|$)", left)
        assert not re.search(
            r":-?[()PD](?!\w)|;-?\)|\((y|n|i|/|x|!|\+|-|\?|on|off|\*[rgby]?|flag(off)?)\)", left
        )
        assert not [mark for mark in re.finditer(r"[*_+^~!-](?=[^\s])", left) if opens_phrase(mark)]

    @given(text=st.text(alphabet="\\{}[]|!*-", max_size=12))
    def test_a_backslash_of_the_text_never_pairs_with_ours(self, text: str) -> None:
        assert "\\\\" not in wiki.escape(text)


def opens_phrase(mark: re.Match[str]) -> bool:
    """Data Center's phrase patterns begin behind anything but a letter, a digit or a backslash."""
    before = mark.string[: mark.start()][-1:]
    return not before or not (
        before == "\\" or unicodedata.category(before) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"}
    )


class TestInline:
    def test_heading(self) -> None:
        assert wiki.heading(3, "Call\nstack *1*") == r"h3. Call stack \*1*"
        assert wiki.heading(3, " \n") == ""

    @pytest.mark.parametrize(
        ("url", "target"),
        [
            ("https://a.example/p/x?y=1&z=%20#f", "https://a.example/p/x?y=1&z=%20#f"),
            ("http://localhost:8080/jira/browse/A-1", "http://localhost:8080/jira/browse/A-1"),
            ("HTTPS://A.example", "HTTPS://A.example"),
            (
                "https://a.example/[x]|{y}^z!\\ ü 5%",
                "https://a.example/%5Bx%5D%7C%7By%7D%5Ez%21%5C%20%C3%BC%205%25",
            ),
            ("https://a.example/@me", "https://a.example/%40me"),
        ],
    )
    def test_link(self, url: str, target: str) -> None:
        assert wiki.link("View", url) == f"[View|{target}]"

    @pytest.mark.parametrize(
        "url",
        ["javascript:alert(1)", "//a.example", "/x", "ftp://a.example", "https://", "https://a.example@b.example",
         "https://a.example\n.b.example", "https://[::1]/", "https://a.example]", "https://ſ.example",
         "mailto:a@b.c", ""],
    )  # fmt: skip
    def test_any_other_address_is_text(self, url: str) -> None:
        assert wiki.link("View", url) == wiki.escape(f"View ({wiki.one_line(url)})")

    def test_link_label_has_look_alikes_where_no_escape_helps(self) -> None:
        assert wiki.link("[a|b]!", "https://a.example") == "[［a¦b］！|https://a.example]"
        assert wiki.link("", "https://a.example") == f"[https:{WJ}//a.example|https://a.example]"


class TestBlocks:
    def test_table(self) -> None:
        markup = wiki.table([["a", "b|c"], ["", "x\n- y"], ["short"]], header=["Name", "Value"])

        assert markup.split("\n") == ["||Name||Value||", "|a|b¦c|", r"| |x \\ \- y|", "|short| |"]

    def test_table_cells_cannot_reach_into_the_next_one(self) -> None:
        assert wiki.table([["[a", "b]"], ["!a", "b!"], ["{code}", "{code}"]]).split("\n") == [
            "|［a|b]|",
            r"|\!a|b\!|",
            rf"|\{{{WJ}code}}|\{{{WJ}code}}|",
        ]

    def test_table_of_nothing_is_nothing(self) -> None:
        assert wiki.table([]) == wiki.table([[]]) == ""
        assert wiki.table([], header=["Name"]) == "||Name||"

    def test_table_within_a_limit_says_how_much_is_missing(self) -> None:
        rows = [[f"name{number}", "value"] for number in range(100)]

        markup = wiki.table(rows, ["Name", "Value"], limit=80)

        assert markup.split("\n") == [
            "||Name||Value||",
            "|name0|value|",
            "|name1|value|",
            "|name2|value|",
            "|… 97 more| |",
        ]
        assert wiki.table(rows, ["Name", "Value"], limit=20) == ""

    @given(rows=st.lists(st.tuples(texts, texts), max_size=6), limit=st.integers(0, 200))
    def test_table_never_exceeds_its_limit(self, rows: list[tuple[str, str]], limit: int) -> None:
        markup = wiki.table(rows, ["Name", "Value"], limit)

        assert wiki.utf16_length(markup) <= limit
        assert not [line for line in markup.split("\n")[1:] if line.count("|") != 3]

    def test_noformat(self) -> None:
        assert wiki.noformat("\n  at x\n  at y\n\n") == "{noformat}\n  at x\n  at y\n{noformat}"
        assert wiki.noformat(" \n") == ""
        assert wiki.noformat("abcdef", limit=26) == "{noformat}\nabc…\n{noformat}"
        assert wiki.noformat("abcdef", limit=22) == ""

    @given(text=texts, limit=st.none() | st.integers(0, 80))
    def test_noformat_closes_once_and_within_its_limit(self, text: str, limit: int | None) -> None:
        block = wiki.noformat(text, limit)

        assert len(re.findall(r"(?i)\{\s*noformat", block)) == (2 if block else 0)
        assert not block or (block.startswith("{noformat}\n") and block.endswith("\n{noformat}"))
        assert limit is None or wiki.utf16_length(block) <= limit
        if limit is None and block:
            assert block[11:-11].replace(WJ, "").strip() == wiki.clean(text).replace(WJ, "").strip()

    def test_document_separates_blocks_and_skips_empty_ones(self) -> None:
        assert wiki.document("a", "", "b") == "a\n\nb"
