"""Commands that look things up: models, camera moves, prices."""
