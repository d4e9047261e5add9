"""`backtrace-jira webhook`: the changes that Jira reports, and the address that it sends them to."""
