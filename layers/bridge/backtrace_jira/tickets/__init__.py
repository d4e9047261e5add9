"""An error group becomes exactly one Jira ticket."""
