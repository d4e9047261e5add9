"""The link table's content: which group has which ticket, which process has its turn, and what was last agreed."""
