"""Workbooks in and out. Rule: a file is a stranger: its size, its zip and its XML are looked at before it is opened.

Text that begins like a formula is written as text and marked so (quotePrefix), and refused when it is read: neither
our files nor theirs compute anything.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from server.errors import InvalidError, TooLargeError
from server.exchange.sheets import Column, Fault, line, title
from server.templating import Texts

MOST_BYTES = 10_000_000
MOST_PLAIN_BYTES = 200_000_000
"""Unpacked: 20,000 rows of ten columns are some 20 MB of XML."""
MOST_RATIO = 150
"""XML of tables packs ten to thirty times; a bomb a thousand times."""
MOST_PARTS = 500
MOST_ROWS = 20_000
READ_BYTES = 65_536
BLANK_ROWS = 200
"""So many empty rows in a row are the end: formatting far below the table is no data."""
LIST_ROWS = 5_000
"""Rows of a template that offer choices."""
CHOICES_SHEET = "选项"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# --- reading ----------------------------------------------------------------------------------------------------------


def inspect(data: bytes) -> None:
    """Refuses what is no workbook, or what would blow up when it is opened."""
    if len(data) > MOST_BYTES:
        raise TooLargeError(mb=MOST_BYTES // 1_000_000)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
            plain = sum(part.file_size for part in parts)
            packed_bytes = max(1, sum(part.compress_size for part in parts))
            if len(parts) > MOST_PARTS or plain > MOST_PLAIN_BYTES or plain / packed_bytes > MOST_RATIO:
                raise InvalidError("workbook_bomb")
            if "xl/workbook.xml" not in packed.namelist() or any(part.flag_bits & 1 for part in parts):
                raise InvalidError("workbook_kind")
            for part in parts:
                _check_xml(packed, part)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise InvalidError("workbook_kind") from error


def _check_xml(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """No document type: entities are how XML makes much out of little, or reads other files. Asked is the parser that
    will read the part (whatever it is called: a workbook says itself which parts are XML), up to the first element: it
    knows every encoding and every length of comment. What it cannot read, it will not read later either."""
    if part.filename.startswith("xl/vbaProject"):
        raise InvalidError("workbook_macros")
    begun: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _attributes: begun.append(name)
    parser.StartDoctypeDeclHandler = _refuse
    with packed.open(part) as stream:
        while not begun and (some := stream.read(READ_BYTES)):
            try:
                parser.Parse(some)
            except expat.ExpatError:
                return


def _refuse(*_declared: object) -> None:
    raise InvalidError("workbook_bomb")


def rows(data: bytes) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """(row number as Excel shows it, cells) of the first sheet that is not ours for choices, head row first."""
    inspect(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = next(one for one in book.worksheets if one.title != CHOICES_SHEET)
    except (KeyError, ValueError, StopIteration, TypeError, ParseError, zipfile.BadZipFile) as error:
        raise InvalidError("workbook_kind") from error
    blank = 0
    try:
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=40), 1):
            if all(cell is None or cell == "" for cell in cells):
                blank += 1
                if blank > BLANK_ROWS:
                    return
                continue
            blank = 0
            if number > MOST_ROWS + 1:
                raise InvalidError("workbook_rows", most=MOST_ROWS)
            yield number, cells
    except ParseError as error:
        raise InvalidError("workbook_kind") from error
    finally:
        book.close()


# --- writing ----------------------------------------------------------------------------------------------------------

_HEAD = Font(bold=True)
_NEEDED = PatternFill("solid", fgColor="FFF3E6D0")
_PLAIN = PatternFill("solid", fgColor="FFEFEFEA")


def write(kind: str, columns: tuple[Column, ...], values: Iterable[dict[str, Any]], t: Texts) -> bytes:
    """A workbook with the head row frozen and lists to choose from; without values it is a template."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(t(f"exchange.kind.{kind}"))
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    _offer(sheet, columns, t)
    sheet.append([_head(sheet, column, t) for column in columns])
    for one in values:
        sheet.append([_cell(sheet, value) for value in line(columns, one, t)])
    _choices(book, columns, t)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _head(sheet: Any, column: Column, t: Texts) -> Any:
    cell = WriteOnlyCell(sheet, title(column, t) + (" *" if column.required else ""))
    cell.font, cell.fill = _HEAD, _NEEDED if column.required else _PLAIN
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("=", "+", "-", "@"):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"  # openpyxl takes a text with "=" for a formula
    cell.quotePrefix = True
    return cell


def _offer(sheet: Any, columns: tuple[Column, ...], t: Texts) -> None:
    """Lists stand on a sheet of their own: a list inside a rule may not be longer than 255 characters."""
    listed = [column for column in columns if column.form == "choice"]
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place)
        if column.form == "choice":
            at = get_column_letter(listed.index(column) + 1)
            rule = DataValidation(
                type="list",
                formula1=f"'{CHOICES_SHEET}'!${at}$2:${at}${len(column.choices) + 1}",
                allow_blank=not column.required,
            )
            rule.error = t("exchange.wrong.choice")
        elif column.form == "number":
            rule = DataValidation(type="whole", operator="greaterThanOrEqual", formula1="0")
        elif column.form == "date":
            rule = DataValidation(type="date", operator="greaterThan", formula1="36526")  # 2000-01-01
        else:
            continue
        rule.showErrorMessage = True
        rule.add(f"{letter}2:{letter}{LIST_ROWS}")
        sheet.data_validations.append(rule)


def _choices(book: Any, columns: tuple[Column, ...], t: Texts) -> None:
    listed = [column for column in columns if column.form == "choice"]
    if not listed:
        return
    sheet = book.create_sheet(CHOICES_SHEET)
    sheet.append([title(column, t) for column in listed])
    for row in range(max(len(column.choices) for column in listed)):
        said = [column.said(column.choices[row], t) if row < len(column.choices) else None for column in listed]
        sheet.append([_cell(sheet, one) for one in said])


__all__ = ["MEDIA_TYPE", "MOST_BYTES", "MOST_ROWS", "Fault", "inspect", "rows", "write"]
