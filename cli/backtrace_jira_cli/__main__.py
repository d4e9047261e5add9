"""`python -m backtrace_jira_cli` is `backtrace-jira`."""

from backtrace_jira_cli.app import app

app(prog_name="backtrace-jira")
