"""The formulas of `fbmsde.theory.FORMULAS` as they are written, in LaTeX, by their names.

a is the curvature, b the barrier, k the barrier in stationary standard deviations, phi the factor of a chain without
momentum, eta the learning rate and beta the momentum.
"""

_K = r"k = \frac{b\,a^{H}}{\sigma\sqrt{H\,\Gamma(2H)}}"
_T = r"T(t) = e^{2at}\,V(t)"

EQUATIONS = {
    # spread in the quadratic well
    "stationary_variance": r"V = \sigma^2\, H\,\Gamma(2H)\, a^{-2H}",
    "variance": r"V(t) = \sigma^2 H \int_0^t u^{2H-1}\left(e^{-au} + e^{-a(2t-u)}\right)\mathrm{d}u",
    "euler_variance": r"""V_{\mathrm{d}t} = \frac{\sigma^2\,\mathrm{d}t^{2H}}{1-\varphi^2}
\Bigl(\gamma_0 + 2\sum_{k\ge1}\varphi^k\gamma_k\Bigr)
= \sigma^2\,\mathrm{d}t^{2H}\,\frac{1-\varphi}{(1+\varphi)\,\varphi}\,\mathrm{Li}_{-2H}(\varphi),
\qquad \varphi = 1 - a\,\mathrm{d}t""",
    "time_average_variance": r"""\operatorname{Var}\Bigl(\frac1T\int_0^T X\,\mathrm{d}t\Bigr)
= \frac{\sigma^2 T^{2H} - 2\,\bigl(V - r(T)\bigr)}{(aT)^2}, \qquad r(T) = \operatorname{Cov}(X_0, X_T)""",
    # exit through a barrier
    "kramers_brownian_prefactor": rf"\lambda = \frac{{a\,k}}{{\sqrt{{2\pi}}}}\; e^{{-k^2/2}}, \qquad {_K}",
    "pickands": rf"""\lambda = a\,\mathcal P_{{2H}}\,\Gamma(2H+1)^{{-1/(2H)}}\,k^{{1/H}}\,\Psi(k), \qquad {_K},
\quad \Psi(k) = \tfrac12\operatorname{{erfc}}\frac{{k}}{{\sqrt2}}""",
    "pickands_grid": r"""\lambda = \frac{\eta\,\mathcal P_{2H}^{\eta}\;\Psi(k)}{\mathrm{d}t}, \qquad
\eta = a\,\mathrm{d}t\left(\frac{k^2}{\Gamma(2H+1)}\right)^{1/(2H)}""",
    "pickands_euler": r"""\lambda = \frac{\eta\,\mathcal P_{2H}^{\eta}\;\Psi(k)}{\mathrm{d}t}, \qquad
k = \frac{b}{\sqrt{V_{\mathrm{d}t}}}, \quad
\eta = a\,\mathrm{d}t\left(\frac{k^2}{\Gamma(2H+1)\,V_{\mathrm{d}t}/V}\right)^{1/(2H)}""",
    "pickands_shifted": r"""\lambda = \lambda_{\text{Pickands}}(b + \beta_H\,\sigma\,\mathrm{d}t^{H})""",
    "fou_exit_rate": r"""\lambda = a\,R\bigl(H, k, aT\bigr), \qquad
R \text{ from the table of exits between } 2/a \text{ and } T""",
    "fou_exit_rate_grid": r"""\lambda = a\,R\bigl(H, k', aT\bigr), \qquad
k' = \frac{(b + \beta_H\,\sigma\,\mathrm{d}t^{H})\,a^H}{\sigma\sqrt{H\,\Gamma(2H)}}""",
    "ou_eigenvalue": r"""\lambda = a\,\nu_1, \qquad \nu_1 = \min\{\nu > 0 : D_\nu(-k) = 0\}, \quad
k = \frac{b\sqrt{2a}}{\sigma}""",
    "ou_eigenvalue_grid": r"""\lambda
= \lambda_{\mathrm{OU}}\bigl(b + \beta_{1/2}\, s\,\sqrt{\mathrm{d}t};\; a', s\bigr), \qquad
a' = -\frac{\log(1 - a\,\mathrm{d}t)}{\mathrm{d}t}, \quad \frac{s^2}{2a'} = V_{\mathrm{d}t}""",
    "ou_mean_exit": r"""\mathbb E\,\tau = \frac{2}{\sigma^2}\int_{x_0}^{b} \mathrm{d}y\; e^{a y^2/\sigma^2}
\int_{-\infty}^{y} \mathrm{d}z\; e^{-a z^2/\sigma^2}""",
    "ou_mean_exit_grid": r"""\mathbb E\,\tau
= \mathbb E\,\tau_{\mathrm{OU}}\bigl(b + \beta_{1/2}\, s\,\sqrt{\mathrm{d}t};\; a', s\bigr)""",
    # passage to the minimum
    "effective_fokker_planck": rf"S(t) = \operatorname{{erf}}\frac{{|x_0|}}{{\sqrt{{2\,T(t)}}}}, \qquad {_T}",
    "effective_fokker_planck_rate": r"\lambda = a",
    "power_law_diffusion": r"""S(t) = \operatorname{erf}\frac{|x_0|\,e^{-at}}{\sqrt{2\,V_D(t)}}, \qquad
V_D(t) = 2\int_0^t \sigma^2 H s^{2H-1}\, e^{-2a(t-s)}\,\mathrm{d}s""",
    "power_law_diffusion_density": r"""p(t) = \frac{2\,\sigma^2 H\,t^{2H-1}}{V_D(t)}\;
\frac{z\,e^{-z^2/2}}{\sqrt{2\pi}}, \qquad z = \frac{|x_0|\,e^{-at}}{\sqrt{V_D(t)}}""",
    "lamperti_rate": r"\lambda = a\left(\frac1H - 1\right)",
    "lamperti_survival": rf"""S(t) = F_H\!\left(\frac{{|x_0|}}{{\sqrt{{T(t)}}}}\right), \qquad
F_H(z) = P\Bigl(\max_{{[0,1]}} B_H \le z\Bigr), \quad {_T}""",
    "lamperti_closed_form": r"""S(t) = \operatorname{erf}(c\,z)^{1/H-1}, \qquad z = \frac{|x_0|}{\sqrt{T(t)}},
\quad \operatorname{erf}(c)^{1/H-1} = F_H(1)""",
    # fractional Brownian motion
    "persistence": r"S(t) \sim t^{-\theta}, \qquad \theta = 1 - H",
    "self_similarity": r"\tau_b \overset{d}{=} \left(\frac{b}{\sigma}\right)^{1/H} \tau_1",
    "fbm_survival": r"""S(t) = F_H\!\left(\frac{b}{\sigma t^H}\right), \qquad
F_H(z) = \operatorname{erf}\bigl(c_H(z)\,z\bigr)^{1/H-1}""",
    "fbm_survival_perturbative": r"""S(t) = \int_0^{b/(\sigma t^H)} p(y)\,\mathrm{d}y, \qquad
p(y) \propto y^{1/H-2}\, e^{-y^2/2}\, \exp\Bigl\{\bigl(H-\tfrac12\bigr)\bigl[\mathcal W(y) + 4\ln y\bigr]\Bigr\}""",
    "fbm_survival_straight": r"S(t) = \Phi\!\left(\frac{b}{\sigma t^H}\right)",
    "brownian_survival": r"""S(t) = \Phi\!\left(\frac{\ell - \mu t}{\sigma\sqrt t}\right)
- e^{2\mu \ell/\sigma^2}\,\Phi\!\left(\frac{-\ell - \mu t}{\sigma\sqrt t}\right), \qquad \ell = b - x_0""",
    "brownian_interval_survival": r"""S(t) = \frac4\pi\sum_{n\ge0}\frac{1}{2n+1}
\sin\frac{(2n+1)\pi(x_0+b)}{2b}\;\exp\!\left(-\frac{(2n+1)^2\pi^2\sigma^2 t}{8b^2}\right)""",
    "fbm_maximum_mean": r"\mathbb E\max_{[0,T]}\sigma B_H = \sigma\,T^H\,m_H, \qquad m_{1/2} = \sqrt{2/\pi}",
    "fbm_argmax": r"""p(t) \propto \bigl[u(1-u)\bigr]^{-H} \exp\Bigl\{\bigl(H-\tfrac12\bigr)\,
\mathcal F\Bigl(\frac{u}{1-u}\Bigr)\Bigr\}, \quad u = \frac tT, \qquad
\mathcal F(v) = \sqrt v\,(\pi - 2\arctan\sqrt v) + \frac{\pi - 2\arctan(1/\sqrt v)}{\sqrt v}""",
    "fbm_exit_at_top": r"""P'(u) \propto \bigl[u(1-u)\bigr]^{1/H-2}\,
\exp\Bigl\{16\bigl(H-\tfrac12\bigr)(C-1)\bigl(u-\tfrac12\bigr)^2\Bigr\}, \qquad u = \frac{x_0}{b},\quad C = 0.9160""",
    "grid_shift": r"""\Delta b = \beta_H\,\sigma\,\mathrm{d}t^{H}, \qquad
\beta_{1/2} = -\frac{\zeta(1/2)}{\sqrt{2\pi}} = 0.5826""",
    # sides, balls, walls and resetting
    "brownian_exit_at_top": r"""P = \frac{1 - e^{-c(x_0-\ell)}}{1 - e^{-c(u-\ell)}}, \qquad
c = \frac{2\mu}{\sigma^2},\quad \text{interval } (\ell, u)""",
    "ou_exit_at_top": r"""P = \frac{\operatorname{erfi}(s x_0) - \operatorname{erfi}(s\ell)}
{\operatorname{erfi}(s u) - \operatorname{erfi}(s\ell)}, \qquad s = \frac{\sqrt a}{\sigma},\quad
\text{interval } (\ell, u)""",
    "ball_mean_exit": r"\mathbb E\,\tau = \frac{R^2 - |x_0|^2}{d\,\sigma^2}",
    "reflected_mean": r"\mathbb E\,X_T = \sigma\,\bigl(T^H m_H - \beta_H\,\mathrm{d}t^{H}\bigr)",
    "resetting_mean": r"""\mathbb E\,\tau = \frac1r\left[\exp\left(\frac{b}{\sigma^2}
\Bigl(\sqrt{\mu^2 + 2r\sigma^2} - \mu\Bigr)\right) - 1\right]""",
    "best_resetting_rate": r"r^* = \frac{z^2\sigma^2}{2b^2}, \qquad \frac z2 = 1 - e^{-z}, \quad z = 1.5936",
    # gradient descent
    "heavy_ball_variance": r"""\operatorname{Var} x
= \frac{\eta\,\sigma^2\,(1+\beta)}{(1-\beta)\,a\,\bigl(2(1+\beta) - \eta a\bigr)}""",
    "nesterov_variance": r"""\operatorname{Var} x = \eta\,\sigma^2\;
\frac{\bigl(1+\beta(1-y)\bigr)\bigl((1+\beta)^2+\beta^2\bigr) - 2\beta(1+\beta)^2(1-y)}
{\bigl(1-\beta(1-y)\bigr)\,a\,\bigl(2(1+\beta) - (1+2\beta)\,y\bigr)}, \qquad y = \eta a""",
    "heavy_ball_fractional_variance": r"""\operatorname{Var} x
= \eta^2\sigma^2\Bigl(C_0 + 2\sum_{k\ge1} C_k\gamma_k\Bigr), \qquad
C_k = \sum_j \psi_j\psi_{j+k}, \quad \gamma_k = \tfrac12\bigl(|k+1|^{2H} - 2|k|^{2H} + |k-1|^{2H}\bigr)""",
    "heavy_ball_epoch_variance": r"""\operatorname{Var} x = \eta^2\,\sigma^2\,\frac{N-B}{(N-1)B}
\Bigl(C_0 + 2\sum_{k=1}^{M-1} C_k\,\rho_k\Bigr), \qquad
\rho_k = -\frac{1}{N/B-1}\,\frac{M-k}{M}, \quad M = \Bigl\lfloor\frac NB\Bigr\rfloor""",
    "epoch_spread_ratio": r"""\sqrt{\frac{\operatorname{Var}_{\text{epochs}} x}{\operatorname{Var}_{\text{fresh}} x}}
= \sqrt{\frac{N-B}{N-1}\Bigl(1 + 2\sum_{k=1}^{M-1}\rho_k\varphi^k\Bigr)} \quad
\text{at } \beta = 0,\; \varphi = 1 - \eta a""",
    "anti_pgd_variance": r"\operatorname{Var} x = \frac{\eta^2\sigma^2}{1+\varphi} = \frac{\eta^2\sigma^2}{2 - \eta a}",
    "heavy_ball_bound": r"\eta < \frac{2\,(1+\beta)}{a}",
    "nesterov_bound": r"\eta < \frac{2\,(1+\beta)}{(1+2\beta)\,a}",
    # inertia
    "langevin_variance": r"""\operatorname{Var} x = \frac{\sigma^2\,\Gamma(2H+1)\sin\pi H}{2\pi}
\int_{-\infty}^{\infty}\frac{|\omega|^{1-2H}\,\mathrm{d}\omega}{(a - m\omega^2)^2 + \gamma^2\omega^2}
= \frac{\sigma^2\,\Gamma(2H+1)}{2a^2}\Bigl(\frac am\Bigr)^{1-H}\frac{\sin 2Hu}{\sin 2u}, \qquad
2\cos u = \frac{\gamma}{\sqrt{ma}}""",
    "langevin_velocity_variance": r"""\operatorname{Var} v
= \frac{\sigma^2\,\Gamma(2H+1)}{2a^2}\Bigl(\frac am\Bigr)^{2-H}
\frac{\sin 2(1-H)u}{\sin 2u}, \qquad 2\cos u = \frac{\gamma}{\sqrt{ma}}""",
    "kramers_by_space": r"""\lambda = \frac{\sqrt{\gamma^2/4m^2 + \omega_b^2} - \gamma/2m}{\omega_b}\;
\frac{\omega_0}{2\pi}\;e^{-h/\Theta}, \qquad \omega_0^2 = \frac am,\quad \omega_b^2 = \frac{a}{2m},\quad
\Theta = \frac{\sigma^2}{2\gamma}""",
    "kramers_by_energy": r"""\lambda = \frac12\,\frac{\gamma J}{m\Theta}\;\frac{\omega_0}{2\pi}\;e^{-h/\Theta}, \qquad
J = \frac{16\sqrt2}{3}\,h\sqrt{\frac ma}""",
    "kramers_turnover": r"""\lambda = \frac{A(\delta)^2}{A(2\delta)}\;\lambda_{\text{space}}, \qquad
\delta = \frac{\gamma J}{m\Theta}, \quad
A(\delta) =
\exp\left[\frac{1}{2\pi}\int_{-\infty}^{\infty}
\frac{\ln\bigl(1 - e^{-\delta(x^2+1/4)}\bigr)}{x^2+1/4}\,\mathrm{d}x\right]""",
    # stable noise
    "stable_interval_mean": r"""\mathbb E\,\tau
= \frac{\bigl[(x_0-\ell)(u-x_0)\bigr]^{\alpha/2}}{\Gamma(1+\alpha)\,\sigma^\alpha}, \qquad
\text{interval } (\ell, u)""",
    "stable_ball_mean": r"""\mathbb E\,\tau = \frac{\Gamma(d/2)\,\bigl(R^2-|x_0|^2\bigr)^{\alpha/2}}
{2^\alpha\,\Gamma(1+\alpha/2)\,\Gamma\bigl((d+\alpha)/2\bigr)\,\sigma^\alpha}""",
    "stable_jump_rate": r"""\lambda
= \frac{\sigma^\alpha\, C_\alpha}{\alpha}\left(|\ell|^{-\alpha} + u^{-\alpha}\right), \qquad
C_\alpha = \frac{\Gamma(1+\alpha)\sin(\pi\alpha/2)}{\pi}""",
    "stable_exit_at_top": r"P = \frac{u^{-\alpha}}{|\ell|^{-\alpha} + u^{-\alpha}}",
}
