"""The use cases: what can be asked for, without knowing who asks or who answers."""
