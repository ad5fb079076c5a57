"""The judge: may this be made, at what price, and what is the nearest that may."""
