"""What the operator writes: connections, universes, integrations, and how each part of them is checked."""
