"""The noise distribution, Huffman paths and subsampling."""

from fastw2v.sampling.huffman import SHUFFLED, HuffmanPaths, huffman_paths
from fastw2v.sampling.probabilities import (
    NOISE_POWER,
    alias_table,
    keep_probabilities,
    keep_thresholds,
    noise_probabilities,
)

__all__ = [
    "NOISE_POWER",
    "SHUFFLED",
    "HuffmanPaths",
    "alias_table",
    "huffman_paths",
    "keep_probabilities",
    "keep_thresholds",
    "noise_probabilities",
]
