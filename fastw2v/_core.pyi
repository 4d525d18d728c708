from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

OBJECTIVES: dict[str, int]

def backends() -> list[str]: ...

class Model:
    arrays: Any
    def __init__(self, arrays: Any, settings: Any) -> None: ...

class Worker:
    def __init__(self, model: Model, max_tokens: int, allocate: Callable[[int], Any]) -> None: ...
    def train(self, chunk: Any, epoch_key: int, lr: float) -> int: ...
    def counters(self) -> dict[str, Any]: ...

def build_alias(
    weights: NDArray[np.float64], work: NDArray[np.int32], columns: NDArray[np.void]
) -> None: ...
def huffman_tree(
    counts: NDArray[np.int64],
    weights: NDArray[np.int64],
    parent: NDArray[np.int32],
    bit: NDArray[np.uint8],
    begin: NDArray[np.int64],
) -> int: ...
def huffman_paths(
    parent: NDArray[np.int32],
    bit: NDArray[np.uint8],
    begin: NDArray[np.int64],
    steps: NDArray[np.int32],
) -> None: ...
