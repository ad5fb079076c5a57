"""The domain: requests, tasks, money, films, and what a provider can do. No I/O."""
