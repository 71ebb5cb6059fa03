"""Checks of the built site: ``python docs/check.py docs/_build/html`` follows its links, ``--browser`` looks at it.

Every link from page to page must lead to a page, and its fragment to a place there. The part with ``--browser`` needs
the package playwright and a Chromium, whose path is ``--browser PATH``. It opens every page and demands that nothing is
written to the console as an error, that no request leaves this machine or fails, that all formulas are rendered, that
every image has a text in its place, that no page is wider than the window, and that the search finds `first_passage`.
It sets the sliders of the page on escapes, opened as a file, and demands the numbers of the package. With
``--screenshots FOLDER`` it keeps pictures of some pages, wide and narrow, light and dark.
"""

from __future__ import annotations

import argparse
import io
import math
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

FUNCTION = "api/generated/fbmsde.first_passage"
PICTURED = (
    "index",
    "choosing",
    "explore",
    "tutorials/gradient_noise",
    "theory/exit",
    "gallery/index",
    FUNCTION,
    "right",
    "fast",
    "findings",
)
WIDTHS = (1280, 400)

# Sliders of the page on escapes: H, height, sigma, sharp and flat curvature; and the formulas of its rows.
ESCAPES = (
    (0.7, 0.8, 0.7, 4.0, 1.0),
    (0.5, 1.0, 0.6, 3.3, 0.75),
    (0.3, 0.8, 0.6, 4.0, 1.0),
    (0.43, 3.0, 0.9, 8.0, 0.5),
    (0.88, 2.5, 0.5, 2.1, 2.0),
    (0.25, 0.3, 0.7, 4.0, 1.0),
    (0.7, 4.0, 0.3, 4.0, 1.0),
)
ESCAPE_ROWS = {"pickands": "pickands", "kramers": "kramers_brownian_prefactor", "exact": "ou_eigenvalue"}


# The images without words in their place; the small ones of the gallery stand beside the title of their script.
_UNTOLD = """
[...document.querySelectorAll("article img")]
  .filter((image) => !image.closest(".sphx-glr-thumbcontainer") && (!image.alt || /\\.(png|svg)$/.test(image.alt)))
  .map((image) => image.src)
"""


class Page(HTMLParser):
    """The links of a page and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        self.links += [given[name] for name in ("href", "src") if name in given]


def _pages(site: Path) -> list[Path]:
    """The pages of the site."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def broken_links(site: Path) -> Iterator[str]:
    """The links inside the site that lead nowhere, each as a sentence."""
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in _pages(site)}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            where = f"{path.relative_to(site.resolve())}: {link}"
            if not target.exists():
                yield f"{where} leads to no file."
            elif target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{where} leads to no place in that page."


class _Quiet(SimpleHTTPRequestHandler):
    """A server of files that keeps no log."""

    def log_message(self, *_: object) -> None:
        pass


class Visit:
    """A browser window on the site, with the complaints about what it met."""

    def __init__(self, browser: Any, address: str, width: int, scheme: str, motion: str = "reduce") -> None:
        self.address, self.width = address, width
        self.complaints: list[str] = []
        window = {"width": width, "height": 900}
        self.page = browser.new_page(viewport=window, color_scheme=scheme, reduced_motion=motion)
        self.page.on("console", lambda said: said.type == "error" and self._complain(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self._complain(f"error: {error}"))
        self.page.on("request", lambda request: self._require_local(request.url))
        self.page.on("response", lambda answer: answer.status >= 400 and self._complain(f"no {answer.url}"))

    def _complain(self, what: str) -> None:
        self.complaints.append(f"{self.page.url} ({self.width} px): {what}")

    def _require_local(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self._complain(f"request to {url}")

    def open(self, name: str) -> None:
        """Open a page and look at its formulas and its width."""
        self.page.goto(f"{self.address}/{name}.html", wait_until="load")
        if self.page.locator(".math").count():
            self.page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
            self.page.evaluate("MathJax.startup.promise.then(() => 0)")
            bare = self.page.evaluate(
                "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('mjx-container')).length"
            )
            if bare or self.page.locator("mjx-merror").count():
                self._complain(f"{bare} formulas are not rendered, or some with errors")
        untold = self.page.evaluate(_UNTOLD)
        if untold:
            self._complain(f"has no words for {', '.join(untold)}")
        if self.page.evaluate("document.documentElement.scrollWidth") > self.width:
            self._complain(f"is {self.page.evaluate('document.documentElement.scrollWidth')} px wide")

    def search(self, word: str, found: str) -> None:
        """Search for a word and demand that the page `found` is among the answers."""
        self.page.goto(f"{self.address}/search.html?q={word}", wait_until="load")
        try:
            self.page.wait_for_selector(f"#search-results a[href*='{found}']", timeout=20_000)
        except Exception as error:
            self._complain(f"search for {word} does not find {found}: {error}")


class EscapeVisit(Visit):
    """A browser window on the page on escapes."""

    def escapes(self) -> None:
        """Set the sliders and compare each number in the table of the page with the package."""
        from fbmsde.theory import FORMULAS

        compared = 0
        for hurst, height, sigma, sharp, flat in ESCAPES:
            self._set_sliders(hurst=hurst, height=height, sigma=sigma, sharp=sharp, flat=flat)
            for column, printed in enumerate(self._program()):
                self._require_equal(f"program at H = {hurst}", printed, self._shown("furthestRate", column, "value"))
            for column, curvature in enumerate((sharp, flat)):
                barrier = math.sqrt(2.0 * height / curvature)
                well = {"hurst": hurst, "curvature": curvature, "barrier": barrier, "sigma": sigma}
                wanted = {row: (FORMULAS[name], well) for row, name in ESCAPE_ROWS.items()}
                until = self._shown("furthestRate", column, "until")
                wanted["furthestRate"] = FORMULAS["fou_exit_rate"], {**well, "horizon": until or 80.0 / sharp}
                for row, (formula, arguments) in wanted.items():
                    value = None if formula.valid(**arguments) else float(formula.evaluate(**arguments))
                    self._require_equal(f"{row} {arguments}", value, self._shown(row, column, "value"))
                    compared += value is not None
        print(f"{len(ESCAPES)} settings of the page on escapes, {compared} numbers compared with the package")

    def _program(self) -> list[float]:
        """What the program that the page shows prints, empty where the table has no rate."""
        told = io.StringIO()
        with redirect_stdout(told), suppress(ValueError):
            exec(self.page.locator("#explore-python").inner_text(), {})
        return [float(line) for line in told.getvalue().split()]

    def _set_sliders(self, **values: float) -> None:
        """Put each slider to its value, as a hand does, and wait for the page to follow."""
        for name, value in values.items():
            self.page.locator(f"#explore-{name}").fill(str(value))
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def _shown(self, row: str, column: int, name: str) -> float | None:
        """A number that a cell of the table of escapes holds in full, or None."""
        cell = self.page.locator(f"tr[data-row={row}] td").nth(column)
        text = cell.get_attribute(f"data-{name}")
        return None if text is None else float(text)

    def _require_equal(self, what: str, wanted: float | None, found: float | None) -> None:
        equal = wanted == found if None in (wanted, found) else math.isclose(wanted, found, rel_tol=1e-6)
        if not equal:
            self._complain(f"{what} must be {wanted}, got {found}")

    def keys_and_movement(self, moving: bool) -> None:
        """Move a slider by a key, and see that paths move by themselves unless the user asks for calm."""
        is_moving = self.page.locator("#explore-play").inner_text() == "Pause"
        if is_moving != moving:
            self._complain(f"moves by itself: {is_moving}, wanted {moving}")
        slider = self.page.locator("#explore-hurst")
        before = float(slider.input_value())
        slider.press("ArrowLeft")
        shown = self.page.locator("output[for=explore-hurst]").inner_text()
        if not math.isclose(float(shown), before - 0.01):
            self._complain(f"a key takes H from {before} to {shown}")
        inputs = self.page.locator("#explore input")
        unnamed = inputs.evaluate_all("all => all.filter((one) => !one.labels.length).length")
        if unnamed or self.page.locator(".explore-plot svg:not([aria-label])").count():
            self._complain("a slider or a figure has no name")


def _explore(browser: Any, site: Path) -> list[str]:
    """The complaints about the page on escapes, opened as a file, without a server."""
    complaints: list[str] = []
    for width in WIDTHS:
        for motion in ("reduce", "no-preference"):
            visit = EscapeVisit(browser, site.resolve().as_uri(), width, "dark", motion)
            visit.open("explore")
            visit.keys_and_movement(motion != "reduce")
            if motion == "reduce":
                visit.escapes()
            complaints += visit.complaints
    return complaints


def look(site: Path, chromium: str, folder: Path | None) -> list[str]:
    """The complaints of a browser that has opened every page of the site."""
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    names = [str(path.relative_to(site))[: -len(".html")] for path in _pages(site) if "_modules" not in path.parts]
    complaints: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width in WIDTHS:
            visit = Visit(browser, address, width, "light")
            for name in names:
                visit.open(name)
            visit.search("first_passage", "fbmsde.first_passage.html")
            complaints += visit.complaints
            print(f"{len(names)} pages at {width} px, {len(visit.complaints)} complaints")
        for width in WIDTHS if folder else ():
            for scheme in ("light", "dark"):
                visit = Visit(browser, address, width, scheme)
                for name in PICTURED:
                    visit.open(name)
                    picture = folder / f"{name.replace('/', '-')}-{width}-{scheme}.png"
                    visit.page.screenshot(path=picture, full_page=True)
                complaints += visit.complaints
        complaints += _explore(browser, site)
        browser.close()
    server.shutdown()
    return complaints


def main() -> int:
    """Print what is wrong with the site; 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--browser", metavar="PATH", help="a Chromium")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    if given.screenshots:
        given.screenshots.mkdir(parents=True, exist_ok=True)
    complaints = list(broken_links(given.site))
    print(f"links inside the site: {len(complaints)} broken")
    if given.browser:
        complaints += look(given.site, given.browser, given.screenshots)
    print(*complaints, sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
