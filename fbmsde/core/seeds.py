"""`seed` and `rng`: a function that draws random numbers takes exactly one of them."""

from __future__ import annotations

import numpy as np

from . import checks

Rng = checks.Seed | np.random.BitGenerator  # what numpy.random.default_rng takes, None left out


def one_seed(seed: checks.Seed | None, rng: Rng | None) -> checks.Seed:
    """The seed, or the `rng` that is given in its place; TypeError for neither, ValueError for both.

    >>> one_seed(None, 5), one_seed(5, None)
    (5, 5)
    """
    if rng is None:
        if seed is None:
            advice = "Write seed=0 for numbers that can be repeated, or rng=numpy.random.default_rng() for new ones."
            raise TypeError(f"seed must be an int, a numpy SeedSequence or a numpy Generator, got None. {advice}")
        return seed
    if seed is not None:
        raise ValueError(f"rng must be None beside a seed, got {rng!r}. Give one of the two.")
    if isinstance(rng, np.random.BitGenerator):
        return np.random.Generator(rng)
    if isinstance(rng, bool) or not isinstance(rng, (int, np.integer, np.random.SeedSequence, np.random.Generator)):
        raise TypeError(f"rng must be what numpy.random.default_rng takes, other than None, got {rng!r}.")
    return rng


def as_key(seed: checks.Seed | None, rng: Rng | None) -> np.ndarray:
    """The key of all paths, as `checks.as_seed` makes it, from the one of the two that is given.

    >>> bool((as_key(None, np.random.default_rng(1)) == as_key(np.random.default_rng(1), None)).all())
    True
    """
    return checks.as_seed(one_seed(seed, rng))
