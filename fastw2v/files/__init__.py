"""Files that every part of the package may read and write."""
