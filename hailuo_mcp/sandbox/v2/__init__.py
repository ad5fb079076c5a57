"""The imitation of MiniMax's v2 API, written from its pages; conflicts are read the strict way.

Prices and limits are the imitation's own copy on purpose (late 2026; see docs/sandbox.md).
"""
