"""Small models, and when two are the same."""

OBJECTIVES = {
    "ns": {},
    "hs": {"hs": 1},
    "hs+ns": {"hs": 1, "negative": 5},
    "softmax": {"softmax": True},
}
SMALL = {"vector_size": 12, "workers": 1, "epochs": 2}


def same_bits(a, b):
    """Say whether two models hold the same numbers."""
    return all(
        (x is None and y is None) or x.tobytes() == y.tobytes()
        for x, y in zip(trained_arrays(a.arrays), trained_arrays(b.arrays), strict=True)
    )


def trained_arrays(arrays):
    """Return all that training changes."""
    return [
        arrays.in_rows, arrays.out_rows, arrays.out_bias, arrays.in_bias, arrays.folded_in_bias
    ]  # fmt: skip
