"""Versions compare as versions. What cannot be read as one is None and triggers nothing (docs/versions.md).

A third kind can be read, but has words that nobody knows: 2.4-HF1 may come before 2.4 or after it. It stands for all
that it can mean, from the lowest to the highest.

Precedence of pre-releases is semver's own (semver.org, 11), by the library of that name. The rest is what semver
leaves out and version attributes hold all the same: more or fewer than three numbers, prefixes, dates, Maven's
SNAPSHOT, and what follows a release instead of leading up to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import total_ordering
from itertools import groupby

import semver

LONGEST = 255
"""Characters: Jira allows no more in a version's name, and nobody's version needs as many.

No expression is given a longer text, because some need time in proportion to its square.
"""

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
_NUMBER = re.compile(r"[0-9][._][0-9]|(?<![0-9a-z])v?[0-9]+(?![0-9a-z])", re.IGNORECASE)
_NAMED_VERSION = re.compile(r"(?<![a-z])(?!build\b)[a-z]+[\s._-]*[0-9]+[._][0-9]", re.IGNORECASE)
_DOTTED = re.compile(r"[0-9][._][0-9]")
_PIECE = re.compile(r"[0-9a-z]+", re.IGNORECASE | re.ASCII)
_SNAPSHOTS = re.compile(r"(?:\.?snapshot)+$", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}([._-])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])")
_PREFIX_ENDS = re.compile(r"[\s/_:-]")
_SHAPE = re.compile(
    r"(?:(?P<label>v|ver|version|release)[.\s_:-]?\s*)?"
    r"(?P<release>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]+(?:[._][0-9]+)*)"
    # Nothing here can be matched in two ways, so that the time for a hostile text grows with its length.
    rf"(?P<qualifier>(?:[.\s_-]?(?:{_WORDS})(?![a-z])|[-~][0-9a-z]+)[0-9a-z]*(?:[.\s_~-][0-9a-z]+)*)?"
    r"(?:\+[0-9a-z._-]+)?",
    re.IGNORECASE | re.ASCII,
)

_LOWEST, _BEFORE, _AT, _AFTER, _HIGHEST = range(-2, 3)

_Place = tuple[tuple[int, ...], int, semver.Version, bool]
"""Numbers, rank, identifiers, and False for a SNAPSHOT: it comes just before what it leads up to."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version that was read. Its order by < is semver's, which takes unknown words for a pre-release."""

    text: str
    """Without prefix and build metadata."""
    release: str
    """The part of the text that leaves no doubt: all of it, or what stands in front of the unknown words."""
    place: _Place = field(repr=False)
    lowest: _Place = field(repr=False)
    """The first place that it can have; that of its text where there is no doubt."""
    highest: _Place = field(repr=False)
    told: str = field(repr=False)
    """The text for Backtrace, which semver, packaging and people read alike, as far as there is one: three numbers,
    and a known pre-release in its own spelling. It leaves no doubt, and is no later than the highest place."""
    is_build: bool = field(default=False, repr=False)
    """True if a lone number follows the release. Builds of one release are in the order of these numbers anyway."""
    is_date: bool = field(default=False, repr=False)
    """True if the release is surely a day: its first two numbers are then no line of releases but a month."""

    @property
    def is_doubtful(self) -> bool:
        """Return whether it is unknown on which side of its release this version is."""
        return self.lowest != self.highest

    @property
    def follows_release(self) -> bool:
        """Return whether this version surely comes after its release, as 2.4-hotfix.1 does."""
        return not self.is_doubtful and self.place[1] == _AFTER

    @property
    def line(self) -> tuple[int, int]:
        """Return major and minor number."""
        major, minor, *_ = (*self.place[0], 0, 0)
        return major, minor

    def is_surely_after(self, other: Version) -> bool:
        """Return whether this version comes after another, whatever their unknown words mean."""
        if self.is_build and other.is_build:
            return self > other
        return self.lowest > other.highest

    def __eq__(self, other: object) -> bool:
        """Return whether two versions are the same, however they are written."""
        return isinstance(other, Version) and self.place == other.place

    def __lt__(self, other: Version) -> bool:
        return self.place < other.place

    def __hash__(self) -> int:
        numbers, rank, identifiers, finished = self.place
        return hash((numbers, rank, str(identifiers), finished))


def read_version(text: str) -> Version | None:
    """Read a version; None where it cannot be told what comes before and after it.

    >>> read_version("app@1.10.0-rc.1+45").text
    '1.10.0-rc.1'
    """
    # Asked before any expression sees the text: 16 KB of blanks would take one of them seconds.
    if len(text) > LONGEST:
        return None
    package, _, text = text.strip().rpartition("@")
    remark = _COMMENT.search(text)
    text = text[: remark.start()] if remark else text
    if _COMMIT.fullmatch(text.split()[-1] if text.split() else ""):
        return None
    prefix, found = _find(text)
    if found is None:
        return None
    release, qualifier = found["release"], found["qualifier"] or ""
    described = _DESCRIBED.fullmatch(qualifier)
    known, unknown = (["post", described["commits"]], "") if described else _split(qualifier)
    if _holds_another(package, prefix, unknown, remark[0] if remark else ""):
        return None
    parts = re.split(r"[._-]", release)
    if len(parts) == 1 and ((prefix and not found["label"]) or (unknown and not known)):
        # "Sprint 42" and "2026-Q3" are no versions; "v42", "Release 42" and "42-rc.1" are.
        return None
    if not (described or _is_sound(qualifier, known)):
        return None
    return _version(release, qualifier, _without_zeros([int(part) for part in parts]), known, unknown)


def _holds_another(package: str, prefix: str, unknown: str, remark: str) -> bool:
    """Return whether there is a second version around the one that was found; nobody can tell which is meant."""
    return bool(
        (" " in package and _NUMBER.search(package))
        or _NUMBER.search(prefix)
        or (prefix and _DOTTED.search(unknown))  # Server-7.1-Agent-3.2
        or _NAMED_VERSION.search(remark)
    )


def _find(text: str) -> tuple[str, re.Match[str] | None]:
    """Find the version behind the shortest prefix that leaves one, and give both."""
    begins = [0, *(end.end() for end in _PREFIX_ENDS.finditer(text) if not text[0].isdigit())]
    found = ((text[:begin], _SHAPE.fullmatch(text, begin)) for begin in begins)
    return next((each for each in found if each[1]), ("", None))


def _version(
    release: str, qualifier: str, numbers: tuple[int, ...], known: list[str], unknown: str
) -> Version:
    """Make a version of its release, its numbers, the known words behind them, and the rest that nobody knows."""
    doubt = _words(unknown)
    place = _place(numbers, [*known, *doubt])
    sure = qualifier[: len(qualifier) - len(unknown)] if doubt else qualifier
    text = re.sub(r"\s+", "-", release + qualifier)
    certain = re.sub(r"\s+", "-", (release + sure).rstrip(".-_~ "))
    head = _place(numbers, known)
    told, is_date = _told(head, sure), bool(_DATE.fullmatch(release))
    if not doubt:
        return Version(text, certain, place, place, place, told, is_date=is_date)
    _, rank, identifiers, _ = head
    if any(word not in _SAME for word in known):
        lowest: _Place = (numbers, rank, identifiers, False)
        return Version(
            text, certain, place, lowest, (numbers, rank, identifiers, True), told, is_date=is_date
        )
    is_build = len(doubt) == 1 and doubt[0].isdigit()
    build = _identifiers(doubt if is_build else ())
    lowest, highest = (numbers, _LOWEST, build, True), (numbers, _HIGHEST, build, True)
    told = f"{told}-{doubt[0]}" if is_build else told
    return Version(text, certain, place, lowest, highest, told, is_build, is_date)


def _told(place: _Place, qualifier: str) -> str:
    """Return a place in a text that all read alike. What follows a release is told as the release.

    A SNAPSHOT is told as what it leads up to: nothing else is between them.
    """
    numbers, rank, _, finished = place
    release = ".".join(map(str, (*numbers, 0, 0, 0)[: max(3, len(numbers))]))
    if rank != _BEFORE:
        return release
    pieces = [piece for piece in _PIECE.findall(qualifier) if not _SAME.issuperset(_words(piece))]
    plain = ".".join(str(int(piece)) if piece.isdigit() else piece for piece in pieces)
    return f"{release}-{plain if finished else _SNAPSHOTS.sub('', plain)}"


def _place(numbers: tuple[int, ...], words: Sequence[str]) -> _Place:
    """Return the place that a version's words give it, in semver's order."""
    words = [word for word in words if word not in _SAME]
    finished = words[-1:] != ["snapshot"]
    while words[-1:] == ["snapshot"]:
        words.pop()
    rank = _AT if not words else _AFTER if words[0] in _FOLLOWING else _BEFORE
    return numbers, rank, _identifiers(words), finished


def _identifiers(words: Sequence[str]) -> semver.Version:
    return semver.Version(0, 0, 0, prerelease=".".join(words) or None)


def _split(qualifier: str) -> tuple[list[str], str]:
    """Return the known words and numbers that a qualifier begins with, and the rest of its text."""
    known: list[str] = []
    for piece in _PIECE.finditer(qualifier.lower()):
        words = _words(piece[0])
        is_known = all(word in _KNOWN or word.isdigit() for word in words) and not _COMMIT.fullmatch(piece[0])
        if not is_known or (words[0].isdigit() and _SAME.issuperset(known)):
            return known, qualifier[piece.start() :]
        known += words
    return known, ""


def _is_sound(qualifier: str, known: list[str]) -> bool:
    """Return whether a qualifier says what it leads up to: `2.x` names many versions, `1.1.1a` a patch or an alpha."""
    many = "x" in _PIECE.findall(qualifier.lower())
    head = [word for word in known if word not in _SAME and word != "snapshot"]
    return not many and head not in (["a"], ["b"], ["c"], ["m"])


def _words(qualifier: str) -> list[str]:
    """Cut a qualifier into words and numbers: `-RC10` and `-rc.10` are the same."""
    plain = re.findall(r"[0-9]+|[a-z]+", qualifier.lower())
    return [str(int(word)) if word.isdigit() else word for word in plain]


def _without_zeros(numbers: list[int]) -> tuple[int, ...]:
    """Return the numbers without those at the end that change nothing: 1.2 is 1.2.0."""
    runs = [list(run) for _, run in groupby(numbers, key=bool)]
    kept = runs[:-1] if runs and not runs[-1][0] else runs
    return tuple(number for run in kept for number in run)
