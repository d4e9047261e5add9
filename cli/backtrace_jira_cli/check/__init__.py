"""`backtrace-jira check`: what would keep an error from becoming a ticket."""
