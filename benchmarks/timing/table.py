"""Markdown of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .compare import FLOOR, Change, changes
from .growth import AXES
from .records import CurveFound, PeerFound, Results, RowFound

Key = tuple[str, str, str]  # part, name and shape of a row


def markdown(results: Results, then: Results | None) -> str:
    """All of a run as a page: where it was made, a table for each part, the exponents, and what is wrong with peers."""
    lines = [*_head(results, then), ""]
    compared = {change.row.key: change for change in changes(results, then)} if then else {}
    for part in dict.fromkeys(row.part for row in results.rows):
        rows = [row for row in results.rows if row.part == part]
        lines += [f"## {part}", "", *_part(rows, compared, then), ""]
    if results.curves:
        lines += ["## Growth", "", *_growth(results.curves), ""]
    peers = ((p.package, p.call, p.note) for row in results.rows for p in row.peers if p.note)
    grown = ((curve.name, curve.call, curve.note) for curve in results.curves)
    notes = dict.fromkeys(
        f"{name}, `{call}`: {note}." for name, call, note in (*peers, *grown) if note not in ("", "not installed")
    )
    if notes:
        lines += ["## What is to be known of the peers", "", *(f"* {note}" for note in notes), ""]
    return "\n".join(lines)


def _head(results: Results, then: Results | None) -> Iterator[str]:
    """What was measured, where, and how to read it."""
    commit = f" ({results.commit})" if results.commit else ""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    where = ", ".join(f"{name} {text}" for name, text in results.machine.items())
    yield f"# fbmsde {results.version}{commit}, {results.date}"
    yield ""
    yield f"Machine: {where}. With {versions}." + (" A quick run, whose numbers mean little." if results.quick else "")
    yield ""
    yield (
        f"CPU time of all threads of the process, which are one; medians of {results.turns} turns that the contestants "
        "take one after the other, and half their interquartile range in per cent. In brackets after the cost of a "
        "peer is its cost over ours in the same turns: above 1 we are faster. The calibration kernel took "
        f"{results.calibration.median:.1f} ns a number."
    )
    if then is not None:
        yield ""
        yield (
            f"The last column compares with {then.version} ({then.commit}) by multiples of the calibration kernel, as "
            f"kept on {then.date} on {then.machine.get('processor', 'another machine')}. Less than {FLOOR:.0%} and "
            "twice the spreads of both is the same."
        )


def _part(rows: Sequence[RowFound], compared: dict[Key, Change], then: Results | None) -> Iterator[str]:
    """The table of a part."""
    yield "| what | shape | our call | ours | peers |" + (f" against {then.version} |" if then else "")
    yield "|---|---|---|---|---|" + ("---|" if then else "")
    for row in rows:
        ours = row.note if row.cost is None else f"{_number(row.cost.median)} {row.unit} ± {row.cost.spread:.0%}"
        peers = "<br>".join(_peer(peer) for peer in row.peers)
        change = compared.get(row.key)
        end = f" {change.verdict if change else 'new'} |" if then else ""
        yield f"| {row.name} | {row.shape} | `{row.call}` | {ours} | {peers} |{end}"


def _peer(peer: PeerFound) -> str:
    """A peer in a cell."""
    name = f"{peer.package} {peer.version}".strip() + f" `{peer.call}`"
    if peer.cost is None or peer.ratio is None:
        return f"{name}: {peer.note.split(';')[0]}"
    return f"{name}: {_number(peer.cost.median)} ({_number(peer.ratio)} times)" + (" (see below)" if peer.note else "")


def _growth(curves: Sequence[CurveFound]) -> Iterator[str]:
    """The table of exponents, and the figures."""
    yield (
        "Exponents: the slope of the logarithms over the upper half of the places, for H and 1 - H over the lower "
        "half. Memory is the most that a call takes; where it does not depend on the place, its exponent is that of "
        "small changes."
    )
    for name in dict.fromkeys(curve.axis for curve in curves):
        axis = AXES[name]
        yield ""
        yield f"![{axis.title}](growth_{name}.png)"
        yield ""
        yield f"| {axis.title} | call | {axis.place} | {axis.value} | exponent | MB | exponent |"
        yield "|---|---|---|---|---|---|---|"
        yield from (_curve(curve) for curve in curves if curve.axis == name)


def _curve(curve: CurveFound) -> str:
    """A line of the table of exponents."""
    if not curve.places:
        return f"| {curve.name} | `{curve.call}` | | {curve.note} | | | |"
    ends = f"{curve.places[0]:g} ... {curve.places[-1]:g}"
    seconds = f"{curve.seconds[0]:.3g} ... {curve.seconds[-1]:.3g}"
    memory = f"{curve.megabytes[0]:.2g} ... {curve.megabytes[-1]:.2g}" if curve.megabytes else ""
    note = " (see below)" if curve.note else ""
    exponents = ("" if e is None else f"{e:.2f}" for e in (curve.exponent, curve.memory_exponent))
    first, second = exponents
    return f"| {curve.name} | `{curve.call}`{note} | {ends} | {seconds} | {first} | {memory} | {second} |"


def _number(value: float) -> str:
    """Three digits without an exponent where that is readable."""
    if value == 0.0 or not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
