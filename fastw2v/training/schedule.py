"""The learning rate over a run."""


def linear_rate(first: float, last: float, progress: float) -> float:
    """Return the rate after `progress`, the share of all epochs' tokens in 0..1.

    It falls on a straight line from first to last (Mikolov et al. 2013, 1301.3781, section 4).
    """
    return first + (last - first) * progress
