"""Backtrace's issue API."""
