"""Models as gensim saves them, written without gensim."""

import pickle
import types

import numpy as np

WORDS = ["the", "of", "né", "日本", "new_york", "x"]
COUNTS = [60, 50, 40, 30, 20, 10]
# A KeyedVectors of gensim that is given one attribute, `x`, whose value is to come; and its end.
BEFORE, AFTER = b"\x80\x02cgensim.models.keyedvectors\nKeyedVectors\n)\x81}X\1\0\0\0x", b"sb."


def around(payload):
    """Return a pickle of gensim with the opcodes of a value in it."""
    return BEFORE + payload + AFTER


def record(name, **attributes):
    """Return an object of a class with the full name of one of gensim's."""
    module, _, short = name.rpartition(".")
    made = type(short, (), {"__module__": module})()
    made.__dict__.update(attributes)
    return made


def function(module, name):
    """Return a function with a module's and its own name, which is pickled by these names."""
    made = types.FunctionType((lambda: None).__code__, {}, name)
    made.__module__, made.__qualname__ = module, name
    return made


class _Pickler(pickle._Pickler):
    """Write classes by name, without looking for them."""

    def save_global(self, obj, name=None):
        names = (obj.__module__, name or obj.__qualname__)
        if not obj.__module__.startswith(("gensim.", "__main__")):
            return super().save_global(obj, name)
        if self.proto >= 4:
            self.save(names[0])
            self.save(names[1])
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + "\n".join([*names, ""]).encode())
        self.memoize(obj)
        return None


_Pickler.dispatch = pickle._Pickler.dispatch | {
    kind: lambda self, obj: self.save_global(obj) for kind in (type, types.FunctionType)
}


def save(path, model, protocol=4):
    """Write a pickle."""
    with open(path, "wb") as file:
        _Pickler(file, protocol).dump(model)
    return str(path)


def rows(n_rows=6, dim=4, seed=1):
    return np.random.default_rng(seed).normal(size=(n_rows, dim)).astype(np.float32)


def vectors_of_4(**attributes):
    """Return KeyedVectors of gensim 4."""
    given = {
        "vector_size": 4,
        "index_to_key": list(WORDS),
        "next_index": 0,
        "key_to_index": {word: row for row, word in enumerate(WORDS)},
        "vectors": rows(),
        "norms": None,
        "expandos": {"count": np.array(COUNTS)},
        "mapfile_path": None,
        "__numpys": [],
        "__scipys": [],
        "__ignoreds": [],
        "__recursive_saveloads": [],
    }
    return record("gensim.models.keyedvectors.KeyedVectors", **given | attributes)


def model_of_4(wv=None, **attributes):
    """Return a Word2Vec of gensim 4, skip-gram with negative samples."""
    given = {
        "wv": wv or vectors_of_4(),
        "syn1neg": rows(seed=2),
        "vector_size": 4,
        "window": 3,
        "negative": 7,
        "hs": 0,
        "sg": 1,
        "alpha": 0.03,
        "min_alpha": 0.0002,
        "sample": 0.0005,
        "ns_exponent": 0.5,
        "epochs": 4,
        "seed": 9,
        "cbow_mean": 1,
        "min_count": 2,
        "max_final_vocab": None,
        "shrink_windows": False,
        "corpus_count": 12,
        "corpus_total_words": 210,
        "comment": None,
        "hashfxn": hash,
        "random": np.random.RandomState(1),
        "lifecycle_events": [{"event": "created", "ignore": frozenset({"a"})}],
        "raw_vocab": {},
        "__numpys": [],
        "__recursive_saveloads": ["wv"],
    }
    return record("gensim.models.word2vec.Word2Vec", **given | attributes)


def model_of_3(**attributes):
    """Return a Word2Vec of gensim 3.8, CBOW."""
    entries = {
        word: record("gensim.models.keyedvectors.Vocab", count=n, index=row, sample_int=2**32)
        for row, (word, n) in enumerate(zip(WORDS, COUNTS, strict=True))
    }
    wv = record(
        "gensim.models.keyedvectors.Word2VecKeyedVectors",
        vectors=rows(),
        vocab=dict(sorted(entries.items())),
        index2word=list(WORDS),
        vector_size=4,
    )
    vocabulary = record(
        "gensim.models.word2vec.Word2VecVocab", min_count=2, sample=0.0005, ns_exponent=0.5,
        max_vocab_size=None, null_word=0, sorted_vocab=True,
    )  # fmt: skip
    trainables = record(
        "gensim.models.word2vec.Word2VecTrainables", syn1neg=rows(seed=2), seed=9, layer1_size=4,
        hashfxn=hash, vectors_lockf=np.ones(len(WORDS), np.float32),
    )  # fmt: skip
    given = {
        "wv": wv, "vocabulary": vocabulary, "trainables": trainables, "sg": 0, "alpha": 0.03,
        "min_alpha": 0.0002, "window": 3, "negative": 7, "hs": 0, "cbow_mean": 1, "iter": 4,
        "callbacks": (), "corpus_count": 12, "corpus_total_words": 210,
        "load": function("gensim.utils", "call_on_class_only"),
    }  # fmt: skip
    return record("gensim.models.word2vec.Word2Vec", **given | attributes)
