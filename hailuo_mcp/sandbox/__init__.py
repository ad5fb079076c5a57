"""The free imitation of every provider in the seeds: real HTTP, real rules, real clips, no charge.

It is written from the providers' own texts and imports nothing else of this package, so that a
misunderstanding in the client is not repeated, and thereby hidden, by its own test double.
"""
