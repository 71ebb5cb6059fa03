"""Checks of the built site: ``python docs/check.py docs/_build/html`` follows its links, ``--browser`` looks at it.

Every link from page to page must lead to a page, and its fragment to a place there. The part with ``--browser`` needs
the package playwright and a Chromium, whose path is ``--browser PATH``. It opens every page and demands that nothing is
written to the console as an error, that no request leaves this machine or fails, that all formulas are rendered, that
no page is wider than the window, and that the search finds `first_passage`. With ``--screenshots FOLDER`` it keeps
pictures of some pages, wide and narrow, light and dark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

FUNCTION = "api/generated/fbmsde.first_passage"
PICTURED = ("index", "choosing", "tutorials/gradient_noise", "theory/exit", "gallery/index", FUNCTION, "right")
WIDTHS = (1280, 400)


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

    def __init__(self, browser, address: str, width: int, scheme: str) -> None:
        self.address, self.width = address, width
        self.complaints: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
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
        if self.page.evaluate("document.documentElement.scrollWidth") > self.width:
            self._complain(f"is {self.page.evaluate('document.documentElement.scrollWidth')} px wide")

    def search(self, word: str, found: str) -> None:
        """Search for a word and demand that the page `found` is among the answers."""
        self.page.goto(f"{self.address}/search.html?q={word}", wait_until="load")
        try:
            self.page.wait_for_selector(f"#search-results a[href*='{found}']", timeout=20_000)
        except Exception as error:
            self._complain(f"search for {word} does not find {found}: {error}")


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
                    visit.page.screenshot(path=folder / f"{name.replace('/', '-')}-{width}-{scheme}.png")
                complaints += visit.complaints
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
