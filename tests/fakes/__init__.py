"""In-memory fakes of the ports, a module for each family. They keep state: tests look at the world after, not at calls.

Each is held to what the real adapter does by the contract in `tests/contracts/ports` that runs against both.
"""
