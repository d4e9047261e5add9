"""One module per command, one function in each."""
