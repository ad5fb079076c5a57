"""What a list of tasks can be asked for; apart from the list, for the Tab key asks this alone."""

SORTS = ("newest", "oldest", "age", "cost", "status", "provider", "model")
"""How a list can be ordered; age is newest first, cost is dearest first."""
MOST = 10_000
"""Tasks that are looked at."""
