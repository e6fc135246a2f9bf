"""The child process that draws a PDF's pages: ``python -m server.lessons.render source.pdf folder most_pages``.

PDFs come from strangers: before the file is opened the process gives up memory, time and file size it does not need.
It says what became of it as one JSON line: {"pages": n} or {"refused": key}.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

MEMORY_BYTES = 1_500_000_000  # address space, libraries included; a page at 1920 px takes about 10 MB
CPU_SECONDS = 90
WALL_SECONDS = 120.0
FILE_BYTES = 20_000_000  # one page image
LONG_SIDE = 1920
QUALITY = 82


def limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def draw_all(source: Path, folder: Path, most_pages: int) -> dict[str, int | str]:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(source)
    except pdfium.PdfiumError as error:
        return {"refused": "pdf_locked" if "assword" in str(error) else "pdf_broken"}
    pages = len(document)
    if pages == 0 or pages > most_pages:
        return {"refused": "pdf_pages" if pages else "pdf_broken"}
    try:
        for number in range(pages):
            page = document[number]
            width, height = page.get_size()
            scale = LONG_SIDE / max(width, height, 1.0)
            image = page.render(scale=scale).to_pil().convert("RGB")
            image.save(folder / f"{number + 1}.webp", "WEBP", quality=QUALITY, method=2)
            page.close()
    except (pdfium.PdfiumError, MemoryError, ValueError, OSError):
        return {"refused": "pdf_broken"}
    return {"pages": pages}


def main() -> None:
    source, folder, most_pages = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    limit()
    print(json.dumps(draw_all(source, folder, most_pages)), flush=True)


if __name__ == "__main__":
    main()
