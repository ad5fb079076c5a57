"""The journal's operations in SQL that both engines understand: one function, one transaction."""
