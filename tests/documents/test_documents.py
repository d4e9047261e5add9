"""Every document is held to what is there: what it points at exists, and what it lists is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backtrace_jira.outcomes import Decision
from tests.builders import ROOT
from tests.documents.pointers import (
    DOCUMENTS,
    is_reached,
    leads_somewhere,
    links_in,
    place_of,
    pointers_in,
    prose,
    section,
)

OPERATIONS = ROOT / "docs/operations.md"
GLOSSARY = ROOT / "docs/glossary.md"
ADRS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
SAUCE_DOCS = "docs/error-reporting/"
"""Backtrace's own documentation, in another repository."""
SECTIONS = ["Context", "Chosen", "Not chosen", "Consequence", "Undo"]

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@every_document
def test_what_a_document_points_at_exists(document: Path) -> None:
    assert [each for each in pointers_in(prose(document)) if not leads_somewhere(each)] == []


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    assert [link for link in links_in(document) if not is_reached(link, document)] == []


def test_pointers_are_found_and_followed() -> None:
    assert pointers_in("`errors.py`, `adapters/jira/` and `errors.py::Busy`, not `BUG-42` or `left_out`") == [
        "errors.py",
        "adapters/jira/",
        "errors.py::Busy",
    ]
    assert leads_somewhere("errors.py::TryAgain")
    assert not leads_somewhere("errors.py::TryAgainst")
    assert not leads_somewhere("mistakes.py")
    assert not is_reached("docs/operations.md#no-such-heading", ROOT / "README.md")


def test_every_document_of_docs_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document not in reached and document.suffix == ".md":
            reached.add(document)
            paths = (link.partition("#")[0] for link in links_in(document))
            waiting += [(document.parent / path).resolve() for path in paths if path]
    assert [
        str(each) for each in DOCUMENTS if each.is_relative_to(ROOT / "docs") and each not in reached
    ] == []


def test_the_documents_that_the_code_names_exist() -> None:
    named = {
        name
        for folder in ("layers/bridge/backtrace_jira", "cli", "local", "functions")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"docs/[\w/.-]+\.(?:md|yaml|json)", path.read_text(encoding="utf-8"))
    }
    ours = {name for name in named if not name.startswith(SAUCE_DOCS)}
    assert "docs/versions.md" in ours
    assert [name for name in sorted(ours) if not (ROOT / name).exists()] == []


# Operations


def test_every_decision_is_explained_and_none_is_made_up() -> None:
    rows = re.findall(r"^\| `(\w+)`", section(OPERATIONS, "Decisions"), re.MULTILINE)
    assert set(rows) == set(Decision)


def test_every_decision_is_normal_or_to_be_looked_at_or_to_be_mended() -> None:
    rows = re.findall(r"^\| `.*$", section(OPERATIONS, "Decisions"), re.MULTILINE)
    assert {row.split(" | ")[1] for row in rows} == {"normal", "look at it", "mend it"}


# Glossary


def glossary() -> list[list[str]]:
    rows = re.findall(r"^\| (.+) \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    return [row.split(" | ") for row in rows][1:]


def test_the_glossary_is_sorted_and_has_each_word_once() -> None:
    words = [row[0] for row in glossary()]
    assert words
    assert words == sorted(set(words), key=str.casefold)


@pytest.mark.parametrize("row", glossary(), ids=lambda row: row[0])
def test_a_word_has_a_meaning_and_a_place(row: list[str]) -> None:
    word, meaning, where = row
    (pointer,) = pointers_in(where)
    place = place_of(pointer)
    assert meaning.endswith(".")
    assert place
    assert as_words(word) in as_words(place.read_text(encoding="utf-8"))


def as_words(text: str) -> str:
    """Return a text without what code and prose write in another way: capitals, hyphens, blanks, one plural."""
    return re.sub(r"[\s_-]+", "", text.casefold()).replace("criteria", "criterion")


# Decisions


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_a_decision_has_its_sections(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.name[:4]}. ")
    assert re.search(r"^- Status: (accepted|superseded by \d{4})$", text, re.MULTILINE)
    assert re.search(r"^- Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert all(section(path, heading).strip() for heading in SECTIONS)


def test_the_list_of_decisions_has_each_with_its_title_and_date() -> None:
    listed = re.findall(
        r"^\| \[(\d+)\]\((.+)\) \| (\S+) \| (.+) \|$", prose(ROOT / "docs/adr/README.md"), re.M
    )
    rows = []
    for path in ADRS:
        text = path.read_text(encoding="utf-8")
        title, date = re.findall(r"^# \d+\. (.+)$|^- Date: (\S+)$", text, re.MULTILINE)
        rows.append((path.name[:4], path.name, date[1], title[0].replace("|", "\\|")))
    assert listed == rows
