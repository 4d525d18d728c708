"""What is drawn: noise words, Huffman paths, subsampling."""
