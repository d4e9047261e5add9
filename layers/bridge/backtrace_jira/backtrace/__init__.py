"""backtrace."""
