"""Rules, and nothing else: how versions compare, which boundary a ticket sets, until when its groups are resolved."""
