"""A ticket and its error groups stay the same: state, assignee, and until which version they are resolved."""
