"""Packages that only some uses need: the extras of pyproject.toml."""

import importlib
from types import ModuleType

from fastw2v.errors import MissingPackageError


def import_optional(module: str, extra: str, purpose: str) -> ModuleType:
    """Import and return a module that an extra of fastw2v installs.

    purpose: what needs it, the subject of the error's sentence.
    Raises MissingPackageError, which names the pip command.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"{purpose} needs one more package: pip install 'fastw2v[{extra}]'"
        ) from error
