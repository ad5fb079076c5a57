"""Commands that buy: a clip, several at once, a film, an upgrade."""
