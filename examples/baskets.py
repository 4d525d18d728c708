"""Which item goes with those in a basket? Vectors of items, trained on baskets.

    python examples/baskets.py retail-baskets.txt

The file holds a basket a line, items separated by white space. One item of some baskets is held
out, and the model has to tell it from all others. See README.md for what came of it.
"""

import argparse
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fastw2v import Word2Vec

TOP = 10
HeldOut = list[tuple[list[str], str]]
Scores = Callable[[list[int]], NDArray[np.float64]]


def split(baskets: list[list[str]], share: float) -> tuple[list[list[str]], HeldOut]:
    """Take one item at random out of a share of the baskets with two or more.

    Returns the baskets to train on, and (the rest of a basket, the item taken out of it).
    """
    rng = np.random.default_rng(1)
    trained_on, held_out = [], []
    for basket in baskets:
        rest = basket
        if len(basket) > 1 and rng.random() < share:
            i = int(rng.integers(len(basket)))
            rest = basket[:i] + basket[i + 1 :]
            held_out.append((rest, basket[i]))
        trained_on.append(rest)
    return trained_on, held_out


def train(baskets: list[list[str]], ns_exponent: float, epochs: int) -> Word2Vec:
    """Train skip-gram on all pairs of items that lie in one basket.

    The order within a basket means nothing: the window is the whole basket and does not shrink,
    and frequent items are kept, since customers buy them on purpose.
    """
    return Word2Vec(
        baskets,
        sg=1,
        vector_size=64,
        window=max(map(len, baskets)),
        shrink_windows=False,
        sample=0,
        ns_exponent=ns_exponent,
        epochs=epochs,
    )


def scores_of(model: Word2Vec, ns_exponent: float) -> Scores:
    """Return a function from the items x of a basket to scores of all items y: mean P(y | x).

    Training makes exp(x.y) proportional to P(y | x) over the chance of y to be drawn as noise
    (Levy and Goldberg 2014, NIPS), which is the count to the power of ns_exponent.
    """
    inputs, outputs = model.wv.vectors, model.output_vectors
    noise = model.vocabulary.counts**ns_exponent
    return lambda items: np.exp(inputs[items] @ outputs.T).mean(axis=0) * noise


def hit_rate(scores: Scores, held_out: HeldOut, index: dict[str, int]) -> float:
    """Return how often the item is among the TOP that are not in the basket."""
    n_hits = 0
    for rest, item in held_out:
        items = [index[word] for word in rest if word in index]
        if items and item in index:
            found = scores(items)
            found[items] = -1
            n_hits += int((found > found[index[item]]).sum()) < TOP
    return n_hits / len(held_out)


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Train, measure, and print the hit rates; return them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", help="a basket a line")
    parser.add_argument("--ns-exponent", type=float, nargs="+", default=[0.75])
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args(arguments)

    with open(args.file) as file:
        baskets, held_out = split([line.split() for line in file if line.strip()], share=0.1)
    rates = {}
    for exponent in args.ns_exponent:
        model = train(baskets, exponent, args.epochs)
        index, counts = model.wv.key_to_index, model.vocabulary.counts.astype(float)
        rates["most bought"] = hit_rate(lambda _, c=counts: c.copy(), held_out, index)
        rates[f"ns_exponent {exponent:g}"] = hit_rate(scores_of(model, exponent), held_out, index)
    print(f"of {len(held_out):,} held-out items, so many are among the first {TOP}:")
    for name, rate in rates.items():
        print(f"{name:20} {rate:.1%}")
    return rates


if __name__ == "__main__":
    main()
