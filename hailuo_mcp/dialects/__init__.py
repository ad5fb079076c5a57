"""The wire: one file per wire format, and a table of the providers that speak them."""
