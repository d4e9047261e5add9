"""One event becomes one ticket, on this machine, from the template that is deployed."""
