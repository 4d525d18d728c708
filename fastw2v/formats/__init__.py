"""Vectors files, one format a module."""
