"""Backtrace error groups become Jira tickets: the one package behind every function."""
