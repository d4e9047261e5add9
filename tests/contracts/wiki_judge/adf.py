"""Reading Atlassian's document format, as far as the judge's verdicts need it."""

from collections.abc import Iterator

from tests.contracts.wiki_judge import Node


def walk(nodes: list[Node]) -> Iterator[Node]:
    """Give every node, outer ones first."""
    for node in nodes:
        yield node
        yield from walk(node.get("content", []))


def kinds(nodes: list[Node]) -> set[str]:
    """Give the types of all nodes, however deep."""
    return {node["type"] for node in walk(nodes)}


def marks(nodes: list[Node]) -> set[str]:
    """Give the types of all marks: bold, link, code and so on."""
    return {mark["type"] for node in walk(nodes) for mark in node.get("marks", [])}


def text(node: Node) -> str:
    """Give what a reader sees of one node, a line break as a newline."""
    if node["type"] == "hardBreak":
        return "\n"
    return str(node.get("text", "")) + "".join(map(text, node.get("content", [])))


def cells(table: Node) -> list[list[Node]]:
    """Give the rows of a table with their cells."""
    return [row["content"] for row in table["content"]]
