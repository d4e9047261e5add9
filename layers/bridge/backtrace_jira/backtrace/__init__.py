"""Backtrace's language: error groups as events bring them, rows of its table `issues`, reopen criteria. No I/O."""
