"""The parts that both stand-ins share: a server on loopback, a log of requests, faults and rate limits."""
