"""A corpus with something to learn: every sentence keeps to one topic."""

import numpy as np

N_TOPICS = 10
TOPIC_WORDS = 12  # per topic
COMMON_WORDS = 8  # in every topic


def topic_sentences(n_sentences=600, n_words=12, seed=0):
    """Sentences as lists of words; the words of topic t are t<t>w<i>, the common ones c<i>."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, N_TOPICS, n_sentences)
    drawn = rng.integers(0, TOPIC_WORDS + COMMON_WORDS, (n_sentences, n_words))
    return [
        [f"t{topic}w{i}" if i < TOPIC_WORDS else f"c{i - TOPIC_WORDS}" for i in row]
        for topic, row in zip(topics, drawn.tolist(), strict=True)
    ]


def write_lines(path, sentences):
    """Write one sentence a line and return the path as text."""
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences))
    return str(path)
