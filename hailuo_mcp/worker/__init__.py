"""What goes on without a caller: submitting, polling, saving, recovering."""
