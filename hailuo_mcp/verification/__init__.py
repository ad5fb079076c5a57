"""Proves a provider on a real account: what it answers, compared with what its documents say."""
