"""Save a run during training, and resume it."""
