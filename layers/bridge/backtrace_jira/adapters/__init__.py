"""The edge: everything that talks to Jira, Backtrace or AWS."""
