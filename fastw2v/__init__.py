"""Word vectors trained on CPUs as fast as the hardware allows."""

from fastw2v._core import backends

__all__ = ["__version__", "backends"]
__version__ = "0.1.0"
