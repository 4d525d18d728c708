"""From paths or iterables to a vocabulary and spooled word ids."""

from fastw2v.corpus.spool import SPOOL_LIMIT_BYTES, ChunkData, ChunkTable, Spool

__all__ = ["SPOOL_LIMIT_BYTES", "ChunkData", "ChunkTable", "Spool"]
