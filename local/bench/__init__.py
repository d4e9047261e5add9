"""`make bench`: what an event costs, measured on what is deployed."""
