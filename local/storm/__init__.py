"""`make storm`: the code that is deployed, in storms and outages, in virtual time."""
