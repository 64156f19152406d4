"""How well grades go with gold ones over all items of a set: Pearson's correlation, from -1 to 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from taiyi.metrics.bootstrap import Interval, percentiles, resampled_sums

# Below this share of the squares that they are the difference of, variances are rounding.
_ROUNDING = 1e-12


def pearson(gold: Sequence[float], predicted: Sequence[float]) -> float | None:
    """Return Pearson's r; None where there are fewer than two items, or all of one side are the same."""
    value = float(_correlations(_moments(gold, predicted).sum(axis=0, keepdims=True))[0])
    return None if np.isnan(value) else value


def pearson_interval(
    gold: Sequence[float],
    predicted: Sequence[float],
    clusters: Sequence[int],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """Return the percentile interval of Pearson's r over clusters drawn with replacement.

    Args:
        clusters: for each item the number of what it is drawn with, from 0 on.

    Resamples without a correlation are left out. None where there are fewer than two clusters, or no resample has one.
    """
    moments = _moments(gold, predicted)
    of_clusters = np.zeros((max(clusters, default=-1) + 1, moments.shape[1]))
    np.add.at(of_clusters, np.asarray(clusters, dtype=np.int64), moments)
    if len(of_clusters) < 2:
        return None
    values = _correlations(resampled_sums(of_clusters, resamples, seed))
    return percentiles(values[~np.isnan(values)], level)


def _moments(gold: Sequence[float], predicted: Sequence[float]) -> NDArray[np.float64]:
    """Return what correlations are made of: for each item 1, g, p, g², p² and gp, of standard scores g and p."""
    if len(gold) != len(predicted):
        raise ValueError(f"{len(predicted)} grades for {len(gold)} gold ones")
    g, p = _standard(gold), _standard(predicted)
    return np.stack([np.ones_like(g), g, p, g * g, p * p, g * p], axis=1)


def _standard(grades: Sequence[float]) -> NDArray[np.float64]:
    """Return grades less their mean, in parts of the largest: correlation does not change, and rounding is less."""
    values = np.asarray(grades, dtype=np.float64)
    if not len(values):
        return values
    centred = values - values.mean()
    # Equal grades differ from their mean by rounding, which is no variance.
    most = float(np.abs(centred).max())
    return centred / most if most > _ROUNDING * float(np.abs(values).max()) else np.zeros_like(values)


def _correlations(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of each row of sums; not a number where there is none."""
    n, g, p, gg, pp, gp = sums.T
    var_g, var_p = n * gg - g * g, n * pp - p * p
    there = (n >= 2) & (var_g > _ROUNDING * n * gg) & (var_p > _ROUNDING * n * pp)
    found = np.full(len(sums), np.nan)
    both = np.sqrt(var_g[there]) * np.sqrt(var_p[there])
    found[there] = np.clip((n * gp - g * p)[there] / both, -1.0, 1.0)
    return found
