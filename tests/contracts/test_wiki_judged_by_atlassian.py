"""What Jira Cloud makes of our markup, according to Atlassian's own parser."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtrace_jira.jira import wiki
from tests.contracts.wiki_judge import Judge, Node, adf, hostile

JUDGED = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TABLES = settings(JUDGED, max_examples=150)
PLAIN = {"paragraph", "text", "hardBreak"}
LABEL_LOOK_ALIKES = str.maketrans("|[]!", "¦［］！")


def visible(text: str) -> str:
    """Without the documented word joiner, and as a reader of a web page sees white space."""
    lines = (" ".join(line.split()) for line in text.replace(wiki.WORD_JOINER, "").split("\n"))
    return "\n".join(line for line in lines if line)


def in_a_cell(text: str) -> str:
    closed, bracket, tail = wiki.clean(text).replace("|", "¦").rpartition("]")
    return visible(closed + bracket + tail.replace("[", "［"))


def shown(nodes: list[Node]) -> str:
    return visible("\n".join(map(adf.text, nodes)))


@JUDGED
@given(text=hostile.texts)
def test_escaped_text_is_the_text_and_nothing_else(judge: Judge, text: str) -> None:
    nodes = judge.parse(wiki.escape(text))

    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == set()
    assert shown(nodes) == visible(wiki.clean(text))


@pytest.mark.parametrize("text", hostile.MARKUP)
def test_each_piece_of_markup_alone_and_twice(judge: Judge, text: str) -> None:
    for hostile_text in (text, f"x {text} y {text} z", f"{text}a{text}", f"{text} a {text}"):
        nodes = judge.parse(wiki.escape(hostile_text))

        assert adf.kinds(nodes) <= PLAIN
        assert adf.marks(nodes) == set()
        assert shown(nodes) == visible(wiki.clean(hostile_text))


@JUDGED
@given(before=hostile.texts, after=hostile.texts)
def test_escaped_text_is_safe_next_to_other_markup(judge: Judge, before: str, after: str) -> None:
    around = [wiki.escape(wiki.one_line(before)), wiki.escape(wiki.one_line(after))]
    nodes = judge.parse(f"{around[0]} [x|https://example.com] {{{{y}}}} {around[1]}")

    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == {"link", "code"}
    assert shown(nodes) == visible(f"{wiki.one_line(before)} x y {wiki.one_line(after)}")


@JUDGED
@given(text=hostile.texts, frame=st.sampled_from(["* %s\n* end", "{panel}%s{panel}", "{quote}%s{quote}"]))
def test_escaped_text_stays_inside_lists_and_panels(judge: Judge, text: str, frame: str) -> None:
    nodes = judge.parse(frame % wiki.escape(wiki.one_line(text)) + "\n\nend")

    assert nodes[0]["type"] in {"bulletList", "panel", "blockquote"}
    assert adf.kinds(nodes[:1]) <= {nodes[0]["type"], "listItem", *PLAIN}
    assert adf.marks(nodes) == set()
    assert shown(nodes[1:]) == "end"


@JUDGED
@given(text=hostile.texts, level=st.integers(1, 6))
def test_a_heading_is_one_heading(judge: Judge, text: str, level: int) -> None:
    nodes = judge.parse(wiki.document(wiki.heading(level, text), "end"))

    if visible(wiki.one_line(text)):
        assert [node["type"] for node in nodes] == ["heading", "paragraph"]
        assert nodes[0]["attrs"]["level"] == level
    assert adf.kinds(nodes) <= {"heading", *PLAIN}
    assert adf.marks(nodes) == set()
    assert shown(nodes) == visible(f"{wiki.one_line(text)}\nend")


@JUDGED
@given(label=hostile.texts, rest=hostile.texts)
def test_a_link_leads_to_its_host_and_shows_its_label(judge: Judge, label: str, rest: str) -> None:
    url = f"https://example.com/{wiki.one_line(rest)}"
    nodes = judge.parse(f"a {wiki.link(label, url)} b")

    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == {"link"}
    targets = {m["attrs"]["href"] for node in adf.walk(nodes) for m in node.get("marks", [])}
    assert len(targets) == 1
    assert targets.pop().startswith("https://example.com/")
    expected = (wiki.one_line(label) or wiki.one_line(url)).translate(LABEL_LOOK_ALIKES)
    assert shown(nodes) == visible(f"a {expected} b")


@JUDGED
@given(label=hostile.texts, url=hostile.texts)
def test_what_is_no_web_address_is_no_link(judge: Judge, label: str, url: str) -> None:
    nodes = judge.parse(wiki.link(label, f"javascript:{url}"))

    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == set()


@TABLES
@given(data=st.data(), width=st.integers(1, 4), headed=st.booleans())
def test_a_table_keeps_its_shape_and_its_texts(
    judge: Judge, data: st.DataObject, width: int, headed: bool
) -> None:
    row = st.lists(hostile.texts, min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=1, max_size=4))
    header = data.draw(row) if headed else []
    nodes = judge.parse(wiki.document("before", wiki.table(rows, header), "after"))

    assert [node["type"] for node in nodes] == ["paragraph", "table", "paragraph"]
    found = adf.cells(nodes[1])
    cell_kinds = [{cell["type"] for cell in row} for row in found]
    assert cell_kinds == [{"tableHeader"}] * headed + [{"tableCell"}] * len(rows)
    wanted = [[in_a_cell(text) for text in row] for row in [header] * headed + rows]
    assert [[shown(cell["content"]) for cell in row] for row in found] == wanted
    assert adf.kinds(nodes) <= {"table", "tableRow", "tableHeader", "tableCell", *PLAIN}
    assert adf.marks(nodes) <= {"strong"}


@TABLES
@given(
    rows=st.lists(st.tuples(hostile.texts, hostile.texts), min_size=1, max_size=8), limit=st.integers(0, 200)
)
def test_a_cut_table_is_still_a_table(judge: Judge, rows: list[tuple[str, str]], limit: int) -> None:
    markup = wiki.table(rows, ["name", "value"], limit)
    nodes = judge.parse(wiki.document(markup, "after"))

    assert [node["type"] for node in nodes] == (["table"] if markup else []) + ["paragraph"]
    assert all(len(row) == 2 for row in (adf.cells(nodes[0]) if markup else []))
    assert shown(nodes[-1:]) == "after"


@JUDGED
@given(text=hostile.texts, limit=st.none() | st.integers(0, 80))
def test_noformat_is_one_block_with_the_whole_text(judge: Judge, text: str, limit: int | None) -> None:
    block = wiki.noformat(text, limit)
    nodes = judge.parse(wiki.document("before", block, "after"))

    assert [node["type"] for node in nodes] == ["paragraph", *(["codeBlock"] if block else []), "paragraph"]
    if limit is None and block:
        assert shown(nodes[1:2]) == visible(wiki.clean(text))
    assert [shown(nodes[:1]), shown(nodes[-1:])] == ["before", "after"]
