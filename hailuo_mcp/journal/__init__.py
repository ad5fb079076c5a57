"""The memory: tasks, money, rate limit and leases."""
