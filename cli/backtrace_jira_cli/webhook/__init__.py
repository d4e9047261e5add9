"""`backtrace-jira webhook`: what Jira is told to send, and where."""
