"""What is drawn: noise words, Huffman paths, subsampling."""

from fastw2v.sampling.huffman import SHUFFLED, HuffmanPaths, huffman_paths
from fastw2v.sampling.noise import NOISE_POWER, alias_table, noise_probabilities
from fastw2v.sampling.subsampling import keep_probabilities, keep_thresholds

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
