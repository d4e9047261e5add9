"""What the link table remembers: which group has which ticket, whose turn it is, what both sides last agreed on."""
