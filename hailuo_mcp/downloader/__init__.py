"""A link becomes a checked file: streamed, resumed, verified, named, never half there."""

from hailuo_mcp.downloader.answers import CorruptClipError, Stream
from hailuo_mcp.downloader.copying import copy_clip
from hailuo_mcp.downloader.disk import SavedFile
from hailuo_mcp.downloader.names import file_name, write_sidecar
from hailuo_mcp.downloader.saving import save

__all__ = [
    "CorruptClipError",
    "SavedFile",
    "Stream",
    "copy_clip",
    "file_name",
    "save",
    "write_sidecar",
]
