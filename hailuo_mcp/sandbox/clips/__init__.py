"""The clips: real H.264 files that show what was asked for."""
