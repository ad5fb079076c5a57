"""Pictures and video: the only package that decodes them. Functions of bytes and paths."""
