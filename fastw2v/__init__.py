"""Train word vectors on CPUs as fast as the hardware allows."""

TYPE_CHECKING = False  # as in typing, whose import would come before the command's main()
if TYPE_CHECKING:
    from typing import Any

    from fastw2v._core import backends
    from fastw2v.corpus import IdSentences, Pairs
    from fastw2v.corpus.tokenizers import Tokenizer
    from fastw2v.keyed_vectors import KeyedVectors
    from fastw2v.phrases import Phrases
    from fastw2v.word2vec import Word2Vec

__all__ = [
    "IdSentences",
    "KeyedVectors",
    "Pairs",
    "Phrases",
    "Tokenizer",
    "Word2Vec",
    "__version__",
    "backends",
]
__version__ = "0.1.0"

# Imported on first use: NumPy alone would take half the time of `fastw2v --help`, and Ctrl-C
# before main() shows a traceback.
_LAZY = {
    "IdSentences": "fastw2v.corpus",
    "KeyedVectors": "fastw2v.keyed_vectors",
    "Pairs": "fastw2v.corpus",
    "Phrases": "fastw2v.phrases",
    "Tokenizer": "fastw2v.corpus.tokenizers",
    "Word2Vec": "fastw2v.word2vec",
    "backends": "fastw2v._core",
}


def _check_built() -> None:
    """Raise ImportError in a checkout whose extension was not built for this Python."""
    import os
    from importlib.machinery import EXTENSION_SUFFIXES

    folder = __path__[0]
    built = (os.path.join(folder, f"_core{suffix}") for suffix in EXTENSION_SUFFIXES)
    if os.path.isdir(folder) and not any(map(os.path.exists, built)):
        raise ImportError(
            f"fastw2v in {os.path.dirname(os.path.abspath(folder))} is not built for this Python: "
            "run `pip install -e .` there, or start Python in another folder if it is installed"
        )


_check_built()


def __getattr__(name: str) -> "Any":
    """Import a public name on first access."""
    if name not in _LAZY:
        raise AttributeError(f"module 'fastw2v' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
