"""What a person or a script sees: the two streams, tables, progress, pictures."""
