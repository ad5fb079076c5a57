"""The voices: what an agent, a person and a programmer read, and the shapes of answers."""
