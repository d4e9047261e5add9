"""`backtrace-jira links`: which group has which ticket."""
