"""What `backtrace-jira check` looks at: settings, Jira, its create screen, Backtrace."""
