"""The facts as data, with source and date: models, prices, plans, moves, templates, clients."""
