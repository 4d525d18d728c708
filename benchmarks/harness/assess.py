"""Count or read a corpus, or evaluate vectors, in a separate process (see process.Outcome).

python assess.py count CORPUS MIN_COUNT | read CORPUS THREADS | quality VECTORS EVAL_DIR
"""

import json
import sys
from math import isnan
from pathlib import Path
from typing import Any

RESTRICT_VOCAB = 30_000  # as word2vec's own evaluation does: 1301.3781, section 4.1
ANALOGIES = "questions-words.txt"


def count(corpus: str, min_count: str) -> dict[str, Any]:
    """Return the number of tokens, of tokens in the vocabulary, and of words."""
    from fastw2v.corpus import VocabularyRules, read_text

    read = read_text(corpus, rules=VocabularyRules(int(min_count)))
    with read.spool:
        return {
            "n_tokens": read.n_tokens_read,
            "n_in_vocabulary": read.n_tokens_read - read.n_below_min_count,
            "n_words": len(read.vocabulary),
        }


def read(corpus: str, threads: str) -> dict[str, Any]:
    """Return the seconds of counting and encoding, done as by the command line, and the counts."""
    from fastw2v.base.threads import let_blas_threads_sleep

    let_blas_threads_sleep()
    from fastw2v.corpus import VocabularyRules, read_text

    corpus_read = read_text(corpus, rules=VocabularyRules(), threads=int(threads))
    with corpus_read.spool:
        return {
            "seconds": corpus_read.seconds,
            "n_text_bytes": corpus_read.n_bytes_read,
            "n_tokens": corpus_read.n_tokens_read,
            "n_words": len(corpus_read.vocabulary),
        }


def quality(vectors: str, folder: str) -> dict[str, float | None]:
    """Return the percent of analogies answered correctly, and 100 x Spearman per word-pair file."""
    from fastw2v.evaluation import evaluate_analogies, evaluate_pairs
    from fastw2v.formats import read_vectors

    data = read_vectors(vectors)
    found = {}
    if (Path(folder) / ANALOGIES).exists():
        result = evaluate_analogies(
            data.words, data.vectors, Path(folder) / ANALOGIES, restrict_vocab=RESTRICT_VOCAB
        )
        found["analogies"] = percent(result.total.accuracy)
    for path in pair_files(folder):
        found[path.stem] = percent(evaluate_pairs(data.words, data.vectors, path).spearman)
    return found


def percent(share: float) -> float | None:
    """Return 100 x share, None for NaN, which JSON does not have."""
    return None if isnan(share) else 100 * share


def pair_files(folder: str) -> list[Path]:
    """Return the word-pair files, sorted by name."""
    return sorted(Path(folder).glob("*.tsv"))


if __name__ == "__main__":
    steps = {"count": count, "read": read, "quality": quality}
    print(json.dumps(steps[sys.argv[1]](*sys.argv[2:])))
