"""Shared parts of the commands in benchmarks/."""
