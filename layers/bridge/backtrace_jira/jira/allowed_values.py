"""Find the allowed values of a field that a text names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backtrace_jira.jira.fields import AllowedValue, fold

LONGEST_CASCADE = 1_000
"""Characters of a parent and a child together, with some to spare: Jira keeps 255 characters of an option."""


class AllowedValues:
    """Allowed values by name and by id. A name that people see goes before an id: a version may be called 10001."""

    def __init__(self, allowed: Sequence[AllowedValue]) -> None:
        self._by_name: dict[str, list[AllowedValue]] = {}
        self._by_id = {value.id: [value] for value in allowed if value.id}
        self._by_fold: dict[str, list[AllowedValue]] = {}
        for value in allowed:
            for name in value.names:
                self._by_name.setdefault(name, []).append(value)
            for folded in {fold(name) for name in value.names}:
                self._by_fold.setdefault(folded, []).append(value)
        self._commas = sorted({0, *(name.count(",") for name in self._by_name)}, reverse=True)

    def find(self, text: str) -> list[AllowedValue]:
        """Return the values that a text names: by exact name, else by id, else by name regardless of case.

        Several values are returned if they share the name.
        """
        return self._by_name.get(text) or self._by_id.get(text) or self._by_fold.get(fold(text), [])

    def split(self, text: str) -> list[str] | None:
        """Split a text at commas into values, which may hold commas themselves; None if a part is no value.

        Longer values are tried first. If there is any way to read the whole text, it is found: with the values "a",
        "a,b" and "b,c", the text "a,b,c" is "a" and "b,c".
        """
        commas = [match.start() for match in re.finditer(",", text)]
        starts, ends = [0, *(comma + 1 for comma in commas)], [*commas, len(text)]
        count = len(starts)
        # By the start of a value: the start of the next one; 0 if the rest of the text cannot be read from here.
        following = [0] * count + [count]
        for start in reversed(range(count)):
            for end in (start + 1 + held for held in self._commas if start + held < count):
                part = text[starts[start] : ends[end - 1]].strip()
                if following[end] and (self.find(part) or not part):
                    following[start] = end
                    break
        if not following[0]:
            return None
        places = _steps(following)
        parts = (text[starts[start] : ends[following[start] - 1]].strip() for start in places)
        return [part for part in parts if part]

    def cascade(self, text: str) -> tuple[AllowedValue, AllowedValue | None] | None:
        """Read "Parent -> Child", "Parent,Child" or "Parent"; None when Jira lists no such pair."""
        if len(text) > LONGEST_CASCADE:
            return None
        for parent, child in _pairs(text):
            parents = self.find(parent)
            if len(parents) != 1:
                continue
            if not child:
                return parents[0], None
            children = AllowedValues(parents[0].children).find(child)
            if len(children) == 1:
                return parents[0], children[0]
        return None


def split_cascade(text: str) -> tuple[str, str]:
    """Cut "Parent -> Child" or "Parent,Child" in two, without knowing the allowed values."""
    parent, _, child = text.partition("->" if "->" in text else ",")
    return parent.strip(), child.strip()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield every way to read a text as parent and child: names may hold the separators themselves."""
    yield text.strip(), ""
    for match in [*re.finditer("->", text), *re.finditer(",", text)]:
        yield text[: match.start()].strip(), text[match.end() :].strip()


def _steps(following: Sequence[int]) -> Iterator[int]:
    place = 0
    while place < len(following) - 1:
        yield place
        place = following[place]
