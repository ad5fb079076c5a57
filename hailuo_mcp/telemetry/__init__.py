"""What can be seen from outside: events in the log, and spans of a trace."""
