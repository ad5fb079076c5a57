"""Access to the network: the only package that imports httpx, and only when it is used."""
