"""Commands that set things up: login, config, init, doctor, completion, journal."""
