"""The free imitation of every documented provider: real HTTP, rules and clips, no charge.

It is written from the providers' own texts and imports nothing else of this package, so that a
misunderstanding in the client is not repeated, and thereby hidden, by its own test double.
"""
