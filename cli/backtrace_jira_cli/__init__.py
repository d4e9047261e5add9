"""The operator's command line. Each command is a module in `commands`; `app` only assembles them."""
