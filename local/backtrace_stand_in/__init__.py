"""A Backtrace on one machine: its issue API on the wire, in memory, with faults to inject."""
