"""One training run: options, checkpoints, validation, progress, logs and the saved model."""
