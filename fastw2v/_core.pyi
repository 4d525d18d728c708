from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROW_FLOATS: int
TOP_NODES: int
MAX_PATH_INPUTS: int
MAX_ROUNDED_PATH: int
RED_ZONE_BYTES: int
OBJECTIVES: dict[str, int]

def backends() -> list[str]: ...
def sync_intervals(interval: NDArray[np.int64]) -> None: ...

class Model:
    arrays: Any
    def __init__(self, arrays: Any, settings: Any) -> None: ...
    def scratch_bytes(self, max_tokens: int) -> int: ...

class Worker:
    def __init__(self, model: Model, max_tokens: int, allocate: Callable[[int], Any]) -> None: ...
    def train(self, chunk: Any, epoch_key: int, lr: float, block: Any = None) -> int: ...
    def flush_replicas(self) -> None: ...
    def note_touched(
        self, touched_in: NDArray[np.uint8], touched_out: NDArray[np.uint8]
    ) -> None: ...
    def counters(self) -> dict[str, Any]: ...

def build_alias(
    weights: NDArray[np.float64], work: NDArray[np.int32], columns: NDArray[np.void]
) -> None: ...
def huffman_tree(
    counts: NDArray[np.int64],
    weights: NDArray[np.int64],
    parent: NDArray[np.int32],
    bit: NDArray[np.uint8],
    leaf: NDArray[np.int32],
    begin: NDArray[np.int64],
) -> int: ...
def huffman_paths(
    parent: NDArray[np.int32],
    bit: NDArray[np.uint8],
    leaf: NDArray[np.int32],
    begin: NDArray[np.int64],
    steps: NDArray[np.int32],
) -> None: ...

# --- corpus: counting and encoding ---

TOKENIZER_RULES: dict[str, int]
UNICODE_VERSION: str
WORD_BATCH: int
MAX_WORD_BYTES: int
ARENA_PADDING: int
SLOTS_PER_WORD: int
DONE: int
TABLE_FULL: int
ARENA_FULL: int
OUTPUT_FULL: int

class WordTable:
    def __init__(
        self,
        slots: NDArray[np.uint64],
        offsets: NDArray[np.int64],
        counts: NDArray[np.int64],
        arena: NDArray[np.uint8],
        key: tuple[int, int],
        n_words: int = 0,
    ) -> None: ...
    @property
    def n_words(self) -> int: ...

class TokenBuffer:
    def __init__(
        self,
        word_ids: NDArray[np.int32],
        ends: NDArray[np.int64],
        n_ids: int = 0,
        n_ends: int = 0,
    ) -> None: ...
    @property
    def n_ids(self) -> int: ...
    @property
    def n_ends(self) -> int: ...
    @property
    def n_too_long(self) -> int: ...

def tokenized_bytes(n_bytes: int) -> int: ...
def tokenize(
    rule: str,
    deacc: bool,
    min_len: int,
    max_len: int,
    text: bytes | bytearray | memoryview,
    out: bytearray | memoryview,
) -> int: ...
def encode_text(
    table: WordTable, text: bytes | bytearray | memoryview, position: int, out: TokenBuffer
) -> tuple[int, int]: ...
def merge_words(
    table: WordTable,
    source: WordTable,
    position: int,
    last: int,
    new_ids: NDArray[np.int32],
) -> tuple[int, int]: ...
def join_words(words: list[str], offsets: NDArray[np.int64]) -> bytes | None: ...
def decode_words(
    arena: NDArray[np.uint8], offsets: NDArray[np.int64], word_ids: NDArray[np.int64]
) -> list[str]: ...
def are_plain(tokens: Sequence[object]) -> bool: ...
def count_ids(word_ids: NDArray[np.int32], counts: NDArray[np.int64]) -> None: ...
def remap_ids(piece: TokenBuffer, new_ids: NDArray[np.int32]) -> None: ...

# --- vectors as text ---

ROWS_DONE: int
ROWS_FULL: int
ROWS_BAD_LINE: int
ROWS_HARD: int
VALUE_BYTES: int

def parse_rows(
    text: bytes,
    position: int,
    rows: NDArray[np.float32],
    words: NDArray[np.int64],
    hard: NDArray[np.int64],
    layout: Any,
) -> tuple[int, int, int, int]: ...

class RowText:
    def __init__(
        self,
        rows: NDArray[np.float32],
        words: NDArray[np.uint8] | None,
        offsets: NDArray[np.int64] | None,
        layout: Any,
    ) -> None: ...
    def write(self, text: memoryview) -> tuple[int, int]: ...
    @property
    def place(self) -> tuple[int, int]: ...
    def skip(self) -> None: ...

# --- fastText's n-grams ---

def subword_means(
    rows: NDArray[np.uint8],
    n_words: int,
    n_grams: tuple[int, int, int],
    words: Sequence[bytes | None],
    means: NDArray[np.float32],
) -> int: ...

# --- phrases ---

PAIRS_DONE: int
PAIRS_FULL: int
STARTS_FULL: int
WORD_BITS: int
FIRST_LONG_START: int

class TokenStretch:
    def __init__(
        self,
        word_ids: NDArray[np.int32],
        ends: NDArray[np.int64],
        is_connector: NDArray[np.uint8],
        start: int = -1,
    ) -> None: ...
    @property
    def position(self) -> int: ...
    @property
    def start(self) -> int: ...

class PairTable:
    def __init__(
        self,
        slots: NDArray[np.void],
        long_keys: NDArray[np.uint64],
        key: tuple[int, int],
        n_long: int = 0,
        source: PairTable | None = None,
        filter: NDArray[np.uint64] | None = None,
    ) -> None: ...
    @property
    def n_used(self) -> int: ...
    @property
    def n_long(self) -> int: ...
    def use_long_keys(self, long_keys: NDArray[np.uint64]) -> None: ...
    def add(self, keys: NDArray[np.uint64], values: NDArray[np.int64]) -> None: ...
    def select(
        self,
        is_connector: NDArray[np.uint8],
        starts: NDArray[np.uint64],
        words: NDArray[np.int64],
        counts: NDArray[np.int64],
        least: int,
        first_long: int,
    ) -> int: ...
    def count(self, stretch: TokenStretch, share: int, n_shares: int) -> int: ...
    def merge(
        self, stretch: TokenStretch, word_ids: NDArray[np.int32], ends: NDArray[np.int64]
    ) -> tuple[int, int, int]: ...

def write_sentences(
    stretch: TokenStretch,
    arena: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    text: memoryview,
) -> int: ...

class RowMerge:
    def __init__(
        self,
        rows: NDArray[np.float32],
        copies: Sequence[NDArray[np.float32]],
        touched: Sequence[NDArray[np.uint8]],
        gain: NDArray[np.float32],
        keep_marks: bool = False,
    ) -> None: ...
    def merge(self, part: int, n_parts: int) -> None: ...
