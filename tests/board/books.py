"""Workbooks compared cell by cell."""
import io
import zipfile

import openpyxl

INDEX = "Matches.xlsx"


def cells(file):
    """{sheet: {cell: value}} of a workbook."""
    book = openpyxl.load_workbook(file)
    return {sheet.title: {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row
                          if cell.value is not None} for sheet in book}


def books_of(names, read):
    """{name: cells}; read(name) answers with the bytes. A book that cannot be read is not among them: it may be in the
    middle of being written."""
    found = {}
    for name in names:
        try:
            found[name] = cells(io.BytesIO(read(name)))
        except (AssertionError, zipfile.BadZipFile, KeyError, EOFError):
            pass
    return found


def books_on(stick):
    return books_of(stick.books(), lambda name: stick.read(f"scorebox/{name}"))


def books_in(folder):
    return {path.name: cells(path) for path in folder.glob("[!.]*.xlsx")}


def differences(found, wanted, most=10):
    """The first `most` cells, (book, sheet, cell, found, wanted), that are not the same; [] all are."""
    shapes = [{b: list(sheets) for b, sheets in books.items()} for books in (found, wanted)]
    if shapes[0] != shapes[1]:
        return [("other books or sheets", *shapes)]
    places = [(book, sheet, cell) for book, sheets in wanted.items() for sheet in sheets
              for cell in {**found[book][sheet], **wanted[book][sheet]}]
    values = [(*p, found[p[0]][p[1]].get(p[2]), wanted[p[0]][p[1]].get(p[2])) for p in places]
    return [v for v in values if v[3] != v[4]][:most]
