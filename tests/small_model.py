"""Small models, and when two are the same."""

OBJECTIVES = {"ns": {}, "hs": {"hs": 1}, "softmax": {"softmax": True}}
SMALL = {"vector_size": 12, "workers": 1, "epochs": 2}


def same_bits(a, b):
    """Say whether two models hold the same numbers."""
    return all(
        (x is None and y is None) or x.tobytes() == y.tobytes()
        for x, y in [
            (a.arrays.in_rows, b.arrays.in_rows),
            (a.arrays.out_rows, b.arrays.out_rows),
            (a.arrays.out_bias, b.arrays.out_bias),
        ]
    )
