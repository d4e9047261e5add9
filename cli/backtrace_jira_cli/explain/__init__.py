"""`backtrace-jira explain`: what was decided about a group, and why."""
