"""OAuth 2.1: this server accepts the access tokens of an issuer; loaded only if one is set."""
