"""A QR code as an SVG picture without a single style: our CSP allows none."""

from __future__ import annotations

from itertools import groupby

import qrcode
from qrcode.constants import ERROR_CORRECT_M


def svg(text: str) -> str:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    size = len(matrix)
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(matrix) for x, length in _runs(row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """(start, length) of every dark run."""
    runs, x = [], 0
    for dark, cells in groupby(row):
        length = len(list(cells))
        if dark:
            runs.append((x, length))
        x += length
    return runs
