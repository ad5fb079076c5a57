"""The facts: models, prices, plans, moves, templates, clients; data with source and date."""
