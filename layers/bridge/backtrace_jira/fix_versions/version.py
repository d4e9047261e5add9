"""Versions compare as versions. What cannot be read as one is None and triggers nothing (docs/versions.md).

Precedence of pre-releases is semver's own (semver.org, 11), by the library of that name. The rest is what semver
leaves out and version attributes hold all the same: more or fewer than three numbers, prefixes, dates, Maven's
SNAPSHOT, and what follows a release instead of leading up to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering
from itertools import groupby

import semver

LONGEST = 255
"""Characters: Jira allows no more in a version's name, and nobody's version needs as many."""

_LEADING_UP = frozenset(
    (
        "a",
        "alpha",
        "b",
        "beta",
        "c",
        "cr",
        "dev",
        "m",
        "milestone",
        "nightly",
        "pre",
        "preview",
        "rc",
        "snapshot",
    )
)
_SAME = frozenset(("final", "ga", "release"))
_FOLLOWING = frozenset(("post", "sp", "patch", "hotfix"))
_KNOWN = _LEADING_UP | _SAME | _FOLLOWING

_COMMENT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_COMMIT = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{7,40}", re.IGNORECASE)
_DESCRIBED = re.compile(r"-(?P<commits>[0-9]+)-g[0-9a-f]{4,40}(?:-dirty)?", re.IGNORECASE)
_WORDS = "|".join(sorted(_KNOWN, key=len, reverse=True))
_SEPARATORS = re.compile(r"[.\s_~-]+")
_PREFIX_ENDS = re.compile(r"[\s/_:-]")
_SHAPE = re.compile(
    r"(?:(?P<label>v|ver|version|release)[.\s_:-]?\s*)?"
    r"(?P<release>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]+(?:[._][0-9]+)*)"
    # Nothing here can be matched in two ways, so that the time for a hostile text grows with its length.
    rf"(?P<qualifier>(?:[.\s_-]?(?:{_WORDS})(?![a-z])|[-~][0-9a-z]+)[0-9a-z]*(?:[.\s_~-][0-9a-z]+)*)?"
    r"(?:\+[0-9a-z._-]+)?",
    re.IGNORECASE | re.ASCII,
)

_BEFORE, _AT, _AFTER = -1, 0, 1


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version that was read. `text` goes to Backtrace: without prefix and build metadata."""

    text: str
    numbers: tuple[int, ...] = field(repr=False)
    rank: int = field(repr=False)
    identifiers: semver.Version = field(repr=False)
    finished: bool = field(repr=False)
    """False for a SNAPSHOT, which comes just before what it leads up to."""

    @property
    def _key(self) -> tuple[tuple[int, ...], int, semver.Version, bool]:
        return self.numbers, self.rank, self.identifiers, self.finished

    def __eq__(self, other: object) -> bool:
        """Return whether two versions are the same release, however they are written."""
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash((self.numbers, self.rank, str(self.identifiers), self.finished))


def read_version(text: str) -> Version | None:
    """Read a version; None where it cannot be told what comes before and after it.

    >>> read_version("app@1.10.0-rc.1+45").text
    '1.10.0-rc.1'
    """
    text = _COMMENT.sub("", text.rpartition("@")[2].strip())
    if len(text) > LONGEST or _COMMIT.fullmatch(text.split()[-1] if text.split() else ""):
        return None
    prefix, found = _find(text)
    if found is None:
        return None
    release, qualifier = found["release"], found["qualifier"] or ""
    parts = re.split(r"[._-]", release)
    described = _DESCRIBED.fullmatch(qualifier)
    words = [] if described else _words(qualifier)
    if len(parts) == 1 and ((prefix and not found["label"]) or (words and words[0] not in _KNOWN)):
        # "Sprint 42" and "2026-Q3" are no versions; "v42", "Release 42" and "42-rc.1" are.
        return None
    shown = re.sub(r"\s+", "-", release + qualifier)
    numbers = _without_zeros([int(part) for part in parts])
    if described:
        return _version(shown, numbers, _AFTER, ["post", described["commits"]], finished=True)
    if not _is_sound(qualifier, words):
        return None
    finished = not words or words[-1] != "snapshot"
    words = [word for word in (words if finished else words[:-1]) if word not in _SAME]
    rank = _AT if not words else _AFTER if words[0] in _FOLLOWING else _BEFORE
    return _version(shown, numbers, rank, words, finished=finished)


def _find(text: str) -> tuple[str, re.Match[str] | None]:
    """Find the version behind the shortest prefix that leaves one, and give both."""
    begins = [0, *(end.end() for end in _PREFIX_ENDS.finditer(text) if not text[0].isdigit())]
    found = ((text[:begin], _SHAPE.fullmatch(text, begin)) for begin in begins)
    return next((each for each in found if each[1]), ("", None))


def _is_sound(qualifier: str, words: list[str]) -> bool:
    """Return whether a qualifier says what it leads up to: `2.x` names many versions, `1.1.1a` a patch or an alpha."""
    many = "x" in _SEPARATORS.split(qualifier.lower())
    return not many and not (len(words) == 1 and words[0] in ("a", "b", "c", "m"))


def _words(qualifier: str) -> list[str]:
    """Cut a qualifier into words and numbers: `-RC10` and `-rc.10` are the same."""
    plain = re.findall(r"[0-9]+|[a-z]+", qualifier.lower())
    return [str(int(word)) if word.isdigit() else word for word in plain]


def _version(text: str, numbers: tuple[int, ...], rank: int, words: list[str], *, finished: bool) -> Version:
    identifiers = semver.Version(0, 0, 0, prerelease=".".join(words) or None)
    return Version(text, numbers, rank, identifiers, finished)


def _without_zeros(numbers: list[int]) -> tuple[int, ...]:
    """Return the numbers without those at the end that change nothing: 1.2 is 1.2.0."""
    runs = [list(run) for _, run in groupby(numbers, key=bool)]
    kept = runs[:-1] if runs and not runs[-1][0] else runs
    return tuple(number for run in kept for number in run)
