import numpy as np
import numpy.typing as npt

def backends() -> list[str]: ...

# --- corpus: counting and encoding ---

WORD_BATCH: int
ARENA_PADDING: int
DONE: int
TABLE_FULL: int
ARENA_FULL: int
OUTPUT_FULL: int

class WordTable:
    def __init__(
        self,
        slots: npt.NDArray[np.uint64],
        offsets: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
        arena: npt.NDArray[np.uint8],
        n_words: int = 0,
    ) -> None: ...
    @property
    def n_words(self) -> int: ...

class TokenBuffer:
    def __init__(
        self,
        word_ids: npt.NDArray[np.int32],
        ends: npt.NDArray[np.int64],
        n_ids: int = 0,
        n_ends: int = 0,
    ) -> None: ...
    @property
    def n_ids(self) -> int: ...
    @property
    def n_ends(self) -> int: ...

def encode_text(
    table: WordTable, text: bytes | bytearray | memoryview, position: int, out: TokenBuffer
) -> tuple[int, int]: ...
def merge_words(
    table: WordTable,
    source: WordTable,
    position: int,
    last: int,
    new_ids: npt.NDArray[np.int32],
) -> tuple[int, int]: ...
def count_ids(word_ids: npt.NDArray[np.int32], counts: npt.NDArray[np.int64]) -> None: ...
def remap_ids(piece: TokenBuffer, new_ids: npt.NDArray[np.int32]) -> None: ...
