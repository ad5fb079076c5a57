"""The judge: is a request valid, at what price, and what is the nearest valid one."""
