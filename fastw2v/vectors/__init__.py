"""Parts of KeyedVectors: search, index, growth, word classes and task files."""
