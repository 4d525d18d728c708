"""What stands behind KeyedVectors: search, index, growth, word classes and task files."""
