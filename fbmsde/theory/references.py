"""The works that formulas come from, as one table, and their entries in BibTeX."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["article", "book", "inproceedings", "software"]


@dataclass(frozen=True)
class Reference:
    """A work that can be cited.

    kind : its kind, as BibTeX names it.
    authors : the names as "Family, Given", or a group in braces; title : in LaTeX; year : of the publication.
    details : the other fields of BibTeX, such as `journal`, `volume`, `pages` and `doi`.

    >>> REFERENCES["kramers1940"].year
    1940
    """

    kind: Kind
    authors: tuple[str, ...]
    title: str
    year: int
    details: dict[str, str] = field(default_factory=dict)

    def bibtex(self, key: str) -> str:
        r"""The entry of BibTeX under this key.

        >>> print(REFERENCES["getoor1961"].bibtex("getoor1961").splitlines()[0])
        @article{getoor1961,
        """
        fields = {"author": " and ".join(self.authors), "title": self.title, "year": str(self.year)}
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in {**fields, **self.details}.items())
        return f"@{self.kind}{{{key},\n{body}\n}}"


def _article(authors: str, title: str, year: int, journal: str, **details: str) -> Reference:
    """An article in a journal; names of authors are separated by semicolons."""
    return Reference("article", tuple(authors.split("; ")), title, year, {"journal": journal, **details})


_TAMS, _PRE = "Transactions of the American Mathematical Society", "Physical Review E"

REFERENCES: dict[str, Reference] = {
    "fbmsde": Reference(
        "software",
        ("{The fbmsde developers}",),
        "fbmsde: stochastic differential equations driven by fractional Brownian motion",
        2026,
        {"note": "The formula is derived or measured in this package"},
    ),
    "broadie1997": _article(
        "Broadie, Mark; Glasserman, Paul; Kou, Steven",
        "A continuity correction for discrete barrier options",
        1997,
        "Mathematical Finance",
        volume="7",
        number="4",
        pages="325--349",
        doi="10.1111/1467-9965.00035",
    ),
    "cheridito2003": _article(
        "Cheridito, Patrick; Kawaguchi, Hideyuki; Maejima, Makoto",
        "Fractional {O}rnstein-{U}hlenbeck processes",
        2003,
        "Electronic Journal of Probability",
        volume="8",
        pages="1--14",
        doi="10.1214/EJP.v8-125",
    ),
    "chernoff1965": _article(
        "Chernoff, Herman",
        "Sequential tests for the mean of a normal distribution {IV} (discrete case)",
        1965,
        "The Annals of Mathematical Statistics",
        volume="36",
        number="1",
        pages="55--68",
    ),
    "delorme2016": _article(
        r"Delorme, Mathieu; Wiese, Kay J{\"o}rg",
        "Perturbative expansion for the maximum of fractional {B}rownian motion",
        2016,
        _PRE,
        volume="94",
        pages="012134",
        doi="10.1103/PhysRevE.94.012134",
    ),
    "dieker2014": _article(
        "Dieker, A. B.; Yakir, B.",
        "On asymptotic constants in the theory of extremes for {G}aussian processes",
        2014,
        "Bernoulli",
        volume="20",
        number="3",
        pages="1600--1619",
        doi="10.3150/13-BEJ534",
    ),
    "ding1995": _article(
        "Ding, Mingzhou; Yang, Weiming",
        "Distribution of the first return time in fractional {B}rownian motion and its application to the study of "
        "on-off intermittency",
        1995,
        _PRE,
        volume="52",
        pages="207--213",
        doi="10.1103/PhysRevE.52.207",
    ),
    "evans2011": _article(
        "Evans, Martin R.; Majumdar, Satya N.",
        "Diffusion with stochastic resetting",
        2011,
        "Physical Review Letters",
        volume="106",
        pages="160601",
        doi="10.1103/PhysRevLett.106.160601",
    ),
    "gardiner2004": Reference(
        "book",
        ("Gardiner, Crispin W.",),
        "Handbook of Stochastic Methods for Physics, Chemistry and the Natural Sciences",
        2004,
        {"publisher": "Springer", "edition": "3"},
    ),
    "getoor1961": _article(
        "Getoor, R. K.",
        "First passage times for symmetric stable processes in space",
        1961,
        _TAMS,
        volume="101",
        pages="75--90",
    ),
    "gradshteyn2007": Reference(
        "book",
        ("Gradshteyn, I. S.", "Ryzhik, I. M."),
        "Table of Integrals, Series, and Products",
        2007,
        {"publisher": "Academic Press", "edition": "7"},
    ),
    "imkeller2006": _article(
        r"Imkeller, Peter; Pavlyukevich, Ilya",
        r"First exit times of {SDEs} driven by stable {L}{\'e}vy processes",
        2006,
        "Stochastic Processes and their Applications",
        volume="116",
        number="4",
        pages="611--642",
        doi="10.1016/j.spa.2005.11.006",
    ),
    "kramers1940": _article(
        "Kramers, H. A.",
        "{B}rownian motion in a field of force and the diffusion model of chemical reactions",
        1940,
        "Physica",
        volume="7",
        number="4",
        pages="284--304",
        doi="10.1016/S0031-8914(40)90098-2",
    ),
    "melnikov1986": _article(
        "Mel'nikov, V. I.; Meshkov, S. V.",
        "Theory of activated rate processes: exact solution of the {K}ramers problem",
        1986,
        "The Journal of Chemical Physics",
        volume="85",
        number="2",
        pages="1018--1027",
        doi="10.1063/1.451844",
    ),
    "molchan1999": _article(
        "Molchan, G. M.",
        "Maximum of a fractional {B}rownian motion: probabilities of small values",
        1999,
        "Communications in Mathematical Physics",
        volume="205",
        pages="97--111",
        doi="10.1007/s002200050669",
    ),
    "orvieto2022": Reference(
        "inproceedings",
        ("Orvieto, Antonio", "Kersting, Hans", "Proske, Frank", "Bach, Francis", "Lucchi, Aurelien"),
        "Anticorrelated noise injection for improved generalization",
        2022,
        {"booktitle": "Proceedings of the 39th International Conference on Machine Learning", "eprint": "2202.02831"},
    ),
    "pickands1969": _article(
        "Pickands, James",
        "Upcrossing probabilities for stationary {G}aussian processes",
        1969,
        _TAMS,
        volume="145",
        pages="51--73",
    ),
    "schroedinger1915": _article(
        r"Schr{\"o}dinger, Erwin",
        "{Zur Theorie der Fall- und Steigversuche an Teilchen mit Brownscher Bewegung}",
        1915,
        "Physikalische Zeitschrift",
        volume="16",
        pages="289--295",
    ),
    "wiese2011": _article(
        r"Wiese, Kay J{\"o}rg; Majumdar, Satya N.; Rosso, Alberto",
        "Perturbation theory for fractional {B}rownian motion in presence of absorbing boundaries",
        2011,
        _PRE,
        volume="83",
        pages="061141",
        doi="10.1103/PhysRevE.83.061141",
    ),
    "wiese2019": _article(
        r"Wiese, Kay J{\"o}rg",
        "First passage in an interval for fractional {B}rownian motion",
        2019,
        _PRE,
        volume="99",
        pages="032106",
        doi="10.1103/PhysRevE.99.032106",
    ),
}
