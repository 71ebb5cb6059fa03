"""Closed forms for gradient descent in the quadratic well, with and without momentum, under the noise that it has.

A step is ``v' = beta v - eta (a x + noise)``, ``x' = x + v'`` with the learning rate eta, the momentum beta and the
curvature a. `sigma` is the standard deviation of the noise of the gradient, for epochs that of the gradient of one
sample. The functions that return a text give the reason why a formula does not hold, or an empty text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..core.types import AnyArray, Array
from ..laws.epochs import epoch_autocorrelation, epoch_variance
from ..laws.fgn import fgn_autocovariance
from ..laws.fou import fou_mean_variance
from ..laws.momentum import momentum_bound, momentum_variance, white_momentum_variance
from .evidence import chains, exits
from .formula import CHAIN, SPREAD, Formula

_SMALLEST_STEP = 1e-4  # of learning_rate * curvature, for sums over the memory of the chain


def _stable(learning_rate: float, curvature: float = 1.0, momentum: float = 0.0) -> str:
    """The heavy ball must be stable."""
    return _below(learning_rate * curvature, momentum_bound(momentum))


def _stable_nesterov(learning_rate: float, curvature: float = 1.0, momentum: float = 0.0) -> str:
    """Nesterov's chain must be stable."""
    return _below(learning_rate * curvature, momentum_bound(momentum, nesterov=True))


def _stable_descent(learning_rate: float, curvature: float = 1.0) -> str:
    """Gradient descent must be stable."""
    return _below(learning_rate * curvature, 2.0)


def _below(step: float, bound: float) -> str:
    """The reason against a step beyond the bound of stability."""
    if step < bound:
        return ""
    return f"learning_rate * curvature must be below {bound:.6g}, got {step:.6g}. The chain is unstable."


def _summable(learning_rate: float, curvature: float = 1.0, momentum: float = 0.0) -> str:
    """The heavy ball must forget within a sum of a million terms."""
    step, bound = learning_rate * curvature, momentum_bound(momentum)
    if momentum > 0.999:
        return f"momentum must be at most 0.999, got {momentum}."
    inside = _SMALLEST_STEP <= step <= 0.999 * bound
    return "" if inside else f"learning_rate * curvature must lie in [1e-4, {0.999 * bound:.6g}], got {step:.6g}."


def _epochs(
    n_samples: float, batch_size: float, learning_rate: float, curvature: float = 1.0, momentum: float = 0.0
) -> str:
    """A batch must be smaller than the data, and the heavy ball must forget in time."""
    if batch_size >= n_samples:
        return f"batch_size must be below n_samples = {n_samples:g}, got {batch_size:g}."
    return _summable(learning_rate, curvature, momentum)


def _white(learning_rate: float, momentum: float = 0.0, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """``eta s^2 (1+beta) / ((1-beta) a (2 (1+beta) - eta a))``."""
    return white_momentum_variance(learning_rate=learning_rate, momentum=momentum, curvature=curvature, sigma=sigma)


def _white_nesterov(learning_rate: float, momentum: float = 0.0, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """The variance of an autoregressive process of order 2 with a moving average of order 1."""
    return white_momentum_variance(
        learning_rate=learning_rate, momentum=momentum, curvature=curvature, sigma=sigma, nesterov=True
    )


def _fractional(
    hurst: float, learning_rate: float, momentum: float = 0.0, curvature: float = 1.0, sigma: float = 1.0
) -> float:
    """The sum over lags of fractional Gaussian noise."""

    def noise(lags: AnyArray) -> Array:
        return fgn_autocovariance(hurst, lags)

    unit = momentum_variance(noise, learning_rate=learning_rate, momentum=momentum, curvature=curvature)
    return sigma**2 * unit


def _of_epochs(
    n_samples: float,
    batch_size: float,
    learning_rate: float,
    momentum: float = 0.0,
    curvature: float = 1.0,
    sigma: float = 1.0,
) -> float:
    """The sum over lags of the noise of epochs."""
    n, b = int(n_samples), int(batch_size)

    def noise(lags: AnyArray) -> Array:
        return epoch_autocorrelation(lags, n, b)

    unit = momentum_variance(noise, learning_rate=learning_rate, momentum=momentum, curvature=curvature)
    return sigma**2 * epoch_variance(n, b) * unit


def _spread_ratio(
    n_samples: float, batch_size: float, learning_rate: float, momentum: float = 0.0, curvature: float = 1.0
) -> float:
    """Square root of the variance under epochs over that under batches with replacement."""
    chain = dict(learning_rate=learning_rate, momentum=momentum, curvature=curvature)
    fresh = epoch_variance(int(n_samples), int(batch_size), replacement=True) * _white(**chain)
    return math.sqrt(_of_epochs(n_samples, batch_size, **chain) / fresh)


def _differences(learning_rate: float, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """``eta^2 s^2 / (1 + phi)`` with ``phi = 1 - eta a``."""
    return (learning_rate * sigma) ** 2 / (2.0 - learning_rate * curvature)


def _largest_rate(momentum: float = 0.0, curvature: float = 1.0) -> float:
    """``2 (1 + beta) / a``."""
    return momentum_bound(momentum) / curvature


def _largest_rate_nesterov(momentum: float = 0.0, curvature: float = 1.0) -> float:
    """``2 (1 + beta) / ((1 + 2 beta) a)``."""
    return momentum_bound(momentum, nesterov=True) / curvature


def _time_average(hurst: float, horizon: float, curvature: float = 1.0, sigma: float = 1.0) -> float:
    """``[sigma^2 T^2H - 2 (V - r(T))] / (a T)^2``."""
    return float(fou_mean_variance(hurst, horizon, curvature, sigma))


def chain_formulas() -> Iterator[Formula]:
    """Yield the formulas for gradient descent in the quadratic well, and for time averages there.

    >>> [formula.name for formula in chain_formulas() if formula.quantity == "largest_learning_rate"]
    ['heavy_ball_bound', 'nesterov_bound']
    """
    yield Formula(
        name="heavy_ball_variance",
        title="Heavy ball, white noise",
        quantity="variance",
        subject=CHAIN,
        status="exact",
        equation=r"""\operatorname{Var} x
= \frac{\eta\,\sigma^2\,(1+\beta)}{(1-\beta)\,a\,\bigl(2(1+\beta) - \eta a\bigr)}""",
        source="variance of an autoregressive process of order 2",
        references=("fbmsde",),
        validity="learning_rate * curvature < 2 (1 + momentum); independent noise of the gradient",
        measured="exact",
        compute=_white,
        check=chains.heavy_ball_variance,
        limits=_stable,
    )
    yield Formula(
        name="nesterov_variance",
        title="Nesterov's momentum, white noise",
        quantity="variance",
        subject=CHAIN,
        status="exact",
        equation=r"""\operatorname{Var} x = \eta\,\sigma^2\;
\frac{\bigl(1+\beta(1-y)\bigr)\bigl((1+\beta)^2+\beta^2\bigr) - 2\beta(1+\beta)^2(1-y)}
{\bigl(1-\beta(1-y)\bigr)\,a\,\bigl(2(1+\beta) - (1+2\beta)\,y\bigr)}, \qquad y = \eta a""",
        source="PyTorch's step as an autoregressive process of order 2 with a moving average of order 1",
        references=("fbmsde",),
        validity="learning_rate * curvature < 2 (1 + momentum) / (1 + 2 momentum); independent noise of the gradient",
        measured="exact",
        compute=_white_nesterov,
        check=chains.nesterov_variance,
        limits=_stable_nesterov,
    )
    yield Formula(
        name="heavy_ball_fractional_variance",
        title="Heavy ball, fractional Gaussian noise",
        quantity="variance",
        subject=CHAIN,
        status="exact",
        equation=r"""\operatorname{Var} x
= \eta^2\sigma^2\Bigl(C_0 + 2\sum_{k\ge1} C_k\gamma_k\Bigr), \qquad
C_k = \sum_j \psi_j\psi_{j+k}, \quad \gamma_k = \tfrac12\bigl(|k+1|^{2H} - 2|k|^{2H} + |k-1|^{2H}\bigr)""",
        source="sum of the noise's autocovariance with the chain's weights; momentum 0: the Euler chain",
        references=("fbmsde",),
        validity="every H, 1e-4 <= learning_rate * curvature < 0.999 of the bound, momentum <= 0.999",
        measured="exact",
        compute=_fractional,
        check=chains.heavy_ball_fractional_variance,
        limits=_summable,
    )
    yield Formula(
        name="heavy_ball_epoch_variance",
        title="Heavy ball, batches from shuffled epochs",
        quantity="variance",
        subject=CHAIN,
        status="exact",
        equation=r"""\operatorname{Var} x = \eta^2\,\sigma^2\,\frac{N-B}{(N-1)B}
\Bigl(C_0 + 2\sum_{k=1}^{M-1} C_k\,\rho_k\Bigr), \qquad
\rho_k = -\frac{1}{N/B-1}\,\frac{M-k}{M}, \quad M = \Bigl\lfloor\frac NB\Bigr\rfloor""",
        source="sampling from a finite population: correlation -1/(N/B - 1) within an epoch, averaged over its places",
        references=("fbmsde",),
        validity="batch_size < n_samples, gradient noise of a sample that does not change with x; range as above",
        measured="exact",
        compute=_of_epochs,
        check=chains.heavy_ball_epoch_variance,
        limits=_epochs,
    )
    yield Formula(
        name="epoch_spread_ratio",
        title="Spread under epochs over that with replacement",
        quantity="spread_ratio",
        subject=CHAIN,
        status="exact",
        equation=r"""\sqrt{\frac{\operatorname{Var}_{\text{epochs}} x}{\operatorname{Var}_{\text{fresh}} x}}
= \sqrt{\frac{N-B}{N-1}\Bigl(1 + 2\sum_{k=1}^{M-1}\rho_k\varphi^k\Bigr)} \quad
\text{at } \beta = 0,\; \varphi = 1 - \eta a""",
        source="the two variances: sqrt((N-B)/(N-1) (1 + 2 sum rho_k phi^k)) without momentum",
        references=("fbmsde",),
        validity="as heavy_ball_epoch_variance",
        measured="exact; N = 1437, B = 128: 0.555, 0.934 at learning_rate * curvature = 0.1, 0.8, shuffled samples "
        "0.553(2), 0.932(2)",
        compute=_spread_ratio,
        check=chains.epoch_spread_ratio,
        limits=_epochs,
    )
    yield Formula(
        name="anti_pgd_variance",
        title="Noise made of differences (Anti-PGD)",
        quantity="variance",
        subject=CHAIN,
        status="exact",
        equation=r"\operatorname{Var} x = \frac{\eta^2\sigma^2}{1+\varphi} = \frac{\eta^2\sigma^2}{2 - \eta a}",
        source="moving average of order 1 with correlation -1/2: 1/(1 + phi) in place of 1/(1 - phi^2)",
        references=("orvieto2022", "fbmsde"),
        validity="learning_rate * curvature < 2, no momentum",
        measured="exact",
        compute=_differences,
        check=chains.anti_pgd_variance,
        limits=_stable_descent,
    )
    yield Formula(
        name="heavy_ball_bound",
        title="Largest learning rate of the heavy ball",
        quantity="largest_learning_rate",
        subject=CHAIN,
        status="exact",
        equation=r"\eta < \frac{2\,(1+\beta)}{a}",
        source="a root of the characteristic polynomial passes -1",
        references=("fbmsde",),
        validity="every momentum in [0, 1)",
        measured="exact",
        compute=_largest_rate,
        check=chains.heavy_ball_bound,
    )
    yield Formula(
        name="nesterov_bound",
        title="Largest learning rate of Nesterov's momentum",
        quantity="largest_learning_rate",
        subject=CHAIN,
        status="exact",
        equation=r"\eta < \frac{2\,(1+\beta)}{(1+2\beta)\,a}",
        source="a root of the characteristic polynomial passes -1",
        references=("fbmsde",),
        validity="every momentum in [0, 1)",
        measured="exact",
        compute=_largest_rate_nesterov,
        check=chains.nesterov_bound,
    )
    yield Formula(
        name="time_average_variance",
        title="Variance of the average over a time",
        quantity="variance",
        subject=SPREAD,
        status="exact",
        equation=r"""\operatorname{Var}\Bigl(\frac1T\int_0^T X\,\mathrm{d}t\Bigr)
= \frac{\sigma^2 T^{2H} - 2\,\bigl(V - r(T)\bigr)}{(aT)^2}, \qquad r(T) = \operatorname{Cov}(X_0, X_T)""",
        source="integral of the autocovariance, in closed form; late times sigma^2 T^(2H-2) / a^2",
        references=("fbmsde",),
        validity="every H, the stationary state",
        measured="exact",
        compute=_time_average,
        check=exits.time_average_variance,
    )
