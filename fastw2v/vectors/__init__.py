"""What stands behind KeyedVectors: table, search, index, classes and task files."""
