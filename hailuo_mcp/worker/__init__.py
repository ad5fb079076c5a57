"""The worker, which needs no caller: submits, polls, saves, recovers."""
