"""Times that several rooms, or a room and template.yaml, must agree on, in seconds; and a number.

A time that one room alone keeps stands in that room. Who needs another number in a test passes it (`Timing`).
"""

from __future__ import annotations

LEASE = 75.0
"""So long one delivery alone may create a ticket, and one invocation alone may bring a ticket in step.

Longer than the functions behind the queues can live, so that the holder of one that is over is surely dead.
"""
LONGEST_REQUEST = 30.0
"""Connect, send and read, at the most: a request that cannot end within its lease is not begun."""
LAST_MINUTE = 90.0
"""Before a poll's deadline: more than one turn, so what is left then goes to the queue."""
PARKED = 300.0
"""So long Jira is left alone with what it refused: a connection, project and issue type, or a credential."""
PARKING_TRUSTED = 30.0
"""So long a process trusts what it last read about a connection's parking."""
PAUSE = 20.0
"""For a Jira that asks to come back later without saying when, and between two look-ups of its search."""
LONGEST_PAUSE = 3600.0
"""Longest pause, even if a server asks for more: a message must not be hidden for a day."""
SEARCH_SETTLE = 90.0
"""Jira Cloud's search is behind by "a few seconds to minutes": before this, not finding proves nothing."""
SETTINGS_MAX_AGE = 300
"""So long settings and secrets are used before they are read again."""
CLOCKS = 600.0
"""By so much two clocks may differ where nothing says how they do."""
CLOCK_NOISE = 5.0
"""By so much two clocks may differ without anybody knowing: servers tell theirs in whole seconds, some time ago."""
CLOCK_LIMIT = 3600.0
"""A greater difference of two clocks is taken for none, as one within `CLOCK_NOISE` is."""
LINKS_PER_RUN = 100
"""So many links one run of `poll_fix_versions` looks at, whatever happened to them."""
