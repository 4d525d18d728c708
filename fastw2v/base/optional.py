"""Import optional packages: the extras of pyproject.toml."""

import importlib
from types import ModuleType

from fastw2v.errors import MissingPackageError


def import_optional(module: str, extra: str, purpose: str) -> ModuleType:
    """Import and return a module that an extra of fastw2v installs.

    purpose: the feature that needs it; subject of the error message.
    Raises MissingPackageError, which gives the pip command.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"{purpose} needs an optional package: pip install 'fastw2v[{extra}]'"
        ) from error
