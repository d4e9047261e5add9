"""Which of a field's allowed values a text means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backtrace_jira.jira.fields import AllowedValue, fold

LONGEST_CASCADE = 1_000
"""Both split_cascade with room: Jira holds 255 characters of an option."""


class AllowedValues:
    """Allowed values by every way to name them. What a person sees goes before an id, which may look like it."""

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
        """Return what a text names: by exact name, else by id, else by name regardless of case.

        More than one is found where nothing tells them apart.
        """
        return self._by_name.get(text) or self._by_id.get(text) or self._by_fold.get(fold(text), [])

    def split(self, text: str) -> list[str] | None:
        """Split at commas, but not within a value, the longest first; None when a part is no value.

        Of several ways to read the text, one that reads all of it is found if there is one: with the values
        "a", "a,b" and "b,c", the text "a,b,c" is "a" and "b,c".
        """
        commas = [match.start() for match in re.finditer(",", text)]
        starts, ends = [0, *(comma + 1 for comma in commas)], [*commas, len(text)]
        count = len(starts)
        # Where the next value starts when one starts here; 0 when the rest cannot be read.
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
    """Cut "Parent -> Child" or "Parent,Child" in two, where nobody knows the values."""
    parent, _, child = text.partition("->" if "->" in text else ",")
    return parent.strip(), child.strip()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Give every way to read a text as parent and child: names may hold the separators themselves."""
    yield text.strip(), ""
    for match in [*re.finditer("->", text), *re.finditer(",", text)]:
        yield text[: match.start()].strip(), text[match.end() :].strip()


def _steps(following: Sequence[int]) -> Iterator[int]:
    place = 0
    while place < len(following) - 1:
        yield place
        place = following[place]
