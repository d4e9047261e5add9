"""A small JQL: the parser, and the evaluation of its condition tree.

What fields and values exist, and what matches, is the index's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.jira_stand_in.errors import JiraError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<op>!=|!~|>=|<=|=|~|>|<|\(|\)|,)
    | (?P<property>issue\.property\[[^\]]*\]\.?[\w.]*)
    | (?P<word>cf\[\d+\]|[^\s=!~<>(),"']+)
    )""",
    re.VERBOSE,
)
_OPERATORS = ("=", "!=", "~", "!~", ">", ">=", "<", "<=")
_RESERVED = {"and", "or", "not", "in", "is", "order", "by", "empty", "null", "was", "changed"}


@dataclass(frozen=True)
class Token:
    """A piece of a query; `quoted` text is never a keyword."""

    text: str
    quoted: bool = False

    def is_word(self, *words: str) -> bool:
        return not self.quoted and self.text.lower() in words


@dataclass(frozen=True)
class Function:
    """A call such as currentUser()."""

    name: str
    arguments: tuple[str, ...] = ()


Operand = str | Function | None


@dataclass(frozen=True)
class Clause:
    """One comparison; an operand None stands for EMPTY."""

    field: str
    operator: str
    operands: tuple[Operand, ...]


@dataclass
class Query:
    """A parsed query: nested ("and"|"or"|"not", parts) or Clause; and the sort order."""

    where: Any = None
    order: list[tuple[str, bool]] = field(default_factory=list)

    def clauses(self) -> list[Clause]:
        return _flatten(self.where)

    @property
    def bounded(self) -> bool:
        return self.where is not None


def _flatten(node: Any) -> list[Clause]:
    if node is None:
        return []
    if isinstance(node, Clause):
        return [node]
    return [clause for part in node[1] for clause in _flatten(part)]


def evaluate(node: Any, test: Callable[[Clause], bool]) -> bool:
    """Evaluate the condition tree with a test for single clauses."""
    if node is None:
        return True
    if isinstance(node, Clause):
        return test(node)
    kind, parts = node
    if kind == "not":
        return not evaluate(parts[0], test)
    results = (evaluate(part, test) for part in parts)
    return all(results) if kind == "and" else any(results)


def parse(text: str) -> Query:
    """Parse a query or refuse it with 400."""
    return _Parser(_tokens(text)).query()


def refuse(detail: str) -> JiraError:
    return JiraError(400, f"Error in the JQL Query: {detail}")


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise refuse(f"The character '{text[position]}' at position {position} is not expected. (line 1)")
        position = match.end()
        quoted = match.group("quoted")
        if quoted is not None:
            tokens.append(Token(_unescape(quoted[1:-1]), quoted=True))
        else:
            tokens.append(Token(match.group().strip()))
    return tokens


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), text)


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise refuse("Expecting either a value, list or function before the end of the query.")
        self.at += 1
        return token

    def word(self, *words: str) -> bool:
        token = self.peek()
        if token is not None and token.is_word(*words):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        token = self.take()
        if token.quoted or token.text.lower() != text:
            raise refuse(f"Expecting '{text}' but got '{token.text}'. (line 1)")

    def query(self) -> Query:
        query = Query()
        first = self.peek()
        if first is not None and not first.is_word("order"):
            query.where = self.either()
        if self.word("order"):
            self.expect("by")
            query.order = self.order()
        if self.peek() is not None:
            raise refuse(f"Expecting operator or end of the query but got '{self.take().text}'. (line 1)")
        return query

    def order(self) -> list[tuple[str, bool]]:
        keys = []
        while True:
            name = self.take().text
            descending = self.word("desc")
            if not descending:
                self.word("asc")
            keys.append((name, descending))
            if not self.word(","):
                return keys

    def either(self) -> Any:
        parts = [self.both()]
        while self.word("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else ("or", parts)

    def both(self) -> Any:
        parts = [self.single()]
        while self.word("and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else ("and", parts)

    def single(self) -> Any:
        if self.word("not"):
            return ("not", [self.single()])
        if self.word("("):
            inner = self.either()
            self.expect(")")
            return inner
        return self.clause()

    def clause(self) -> Clause:
        name = self.take()
        if not name.quoted and name.text.lower() in _RESERVED | {*_OPERATORS, ")", ","}:
            raise refuse(f"Expecting a field name but got '{name.text}'. (line 1)")
        operator = self.operator()
        many = operator in ("in", "not in")
        operands = self.operands() if many else (self.operand(),)
        return Clause(name.text, operator, operands)

    def operator(self) -> str:
        token = self.take()
        text = token.text.lower()
        if token.quoted or text not in (*_OPERATORS, "in", "not", "is"):
            raise refuse(f"Expecting an operator but got '{token.text}'. (line 1)")
        if text == "not":
            self.expect("in")
            return "not in"
        if text == "is":
            return "!=" if self.word("not") else "="
        return text

    def operands(self) -> tuple[Operand, ...]:
        token = self.peek()
        if token is not None and not token.is_word("("):
            return (self.operand(),)
        self.expect("(")
        found = [self.operand()]
        while self.word(","):
            found.append(self.operand())
        self.expect(")")
        return tuple(found)

    def operand(self) -> Operand:
        token = self.take()
        if not token.quoted and token.text in ("(", ")", ",", *_OPERATORS):
            raise refuse(f"Expecting either a value, list or function but got '{token.text}'. (line 1)")
        if token.is_word("empty", "null"):
            return None
        if not token.quoted and self.word("("):
            return self.function(token.text)
        if token.is_word(*_RESERVED):
            raise refuse(f"'{token.text}' is a reserved JQL word. You must surround it in quotation marks.")
        return token.text

    def function(self, name: str) -> Function:
        arguments: list[str] = []
        while not self.word(")"):
            arguments.append(self.take().text)
            self.word(",")
        return Function(name, tuple(arguments))
