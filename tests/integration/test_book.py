"""The workbook contract, sheet by sheet, read back with openpyxl: states made here, a journal and workbooks by
the tool make_book, as the daemon's child makes them."""
import datetime
import json
import os
import re
import subprocess
import zipfile

import pytest

openpyxl = pytest.importorskip("openpyxl")

IDENT = "18534a4e-e869-5cf2-85d4-2be5186c3ba8"
FIRST = datetime.datetime(2025, 4, 18, 18, 13, 20)	# make_book's first state


def state(status, *innings, kind="t20", teams=("India", "Australia"), started=True, ended=False, **more):
    row = {"id": IDENT, "name": f"{teams[0]} vs {teams[1]}, 2nd T20I", "matchType": kind, "status": status,
           "venue": "=Eden Gardens & <Kolkata>, _x0041_", "date": "2025-04-16", "dateTimeGMT": "2025-04-16T14:00:00",
           "teams": list(teams), "score": [dict(zip("r w o inning".split(), i)) for i in innings],
           "matchStarted": started, "matchEnded": ended}
    if not kind:
        del row["matchType"], row["score"]
        row["name"] = f"{teams[0]} vs {teams[1]}, Final"
        row["score"] = [dict(zip("r w o inning".split(), i)) for i in innings]
    row.update(more)
    return row


@pytest.fixture(scope="session")
def make_books(tmp_path_factory, scorebox):
    tool = os.path.join(os.path.dirname(scorebox), "tests", "make_book")
    if not os.path.exists(tool):
        pytest.skip("SKIPPED: no make_book at " + tool)

    def make(states, zone="UTC"):
        folder = tmp_path_factory.mktemp("books")
        lines = folder / "lines.jsonl"
        lines.write_text("".join(json.dumps({"t": 30 * n, "seq": n, "ev": "", "match": s}, separators=(",", ":")) + "\n"
                                 for n, s in enumerate(states)))
        out = folder / "out"
        run = subprocess.run([tool, str(out), "-t", zone, str(lines)], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        return out

    return make


def chase():
    yield state("Match not started", started=False)
    yield state("Australia opt to bowl")
    first = "India Inning 1"
    for over, ball, runs, wickets in [(0, 1, 4, 0), (0, 2, 4, 1), (0, 6, 9, 1), (1, 6, 20, 1), (3, 6, 41, 3)]:
        o = over + 1 if ball == 6 else over + ball / 10
        yield state("Australia opt to bowl", (runs, wickets, o, first))
    total = (41, 3, 20, first)
    yield state("Australia need 38 runs in 114 balls", total, (4, 0, 1, "Australia Inning 1"))
    yield state("Australia need 20 runs in 100 balls", total, (22, 1, 3.2, "Australia Inning 1"))
    yield state("Australia won by 9 wkts", total, (42, 1, 5, "Australia Inning 1"), ended=True)


@pytest.fixture(scope="session")
def book_path(make_books):
    out = make_books(list(chase()), zone="IST-5:30")
    return out / "2025-04-16_India-vs-Australia_18534a4e.xlsx"


@pytest.fixture(scope="session")
def book(book_path):
    return openpyxl.load_workbook(book_path)


def rows(sheet):
    return [list(r) for r in sheet.iter_rows(values_only=True)]


def test_sheets_and_set_up(book):
    assert book.sheetnames == ["Match", "Timeline", "Overs", "Records"]
    for name in ("Timeline", "Overs", "Records"):
        sheet = book[name]
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet.print_title_rows == "$1:$1"
        for column in sheet.column_dimensions.values():
            assert 8 <= column.width <= 41
    for sheet in book:
        assert "&P" in sheet.oddFooter.right.text and "&N" in sheet.oddFooter.right.text
        assert sheet.oddHeader.left.text.startswith("India vs Australia")
    assert book["Records"].sheet_properties.tabColor.rgb.endswith("9AA5AC")
    assert book["Match"].page_setup.fitToHeight in (1, None) and book["Match"].sheet_properties.pageSetUpPr.fitToPage


def test_nothing_is_a_formula(book, book_path):
    for sheet in book:
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.data_type != "f" and cell.hyperlink is None
    with zipfile.ZipFile(book_path) as z:
        for name in z.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert b"<ignoredError" in z.read(name)
                assert b"<f>" not in z.read(name)


def test_match(book):
    sheet = book["Match"]
    text = [[v for v in r[:9] if v is not None] for r in rows(sheet)]
    assert text[0] == ["India vs Australia"] and text[1] == ["2nd T20I"]
    assert sheet["A1"].font.sz >= 18 and sheet["A1"].font.b
    found = {r[0]: r[1:] for r in text if len(r) > 1}
    assert found["Type"] == ["T20"]
    assert found["Venue"] == ["=Eden Gardens & <Kolkata>, _x005F_x0041_"]
    assert found["Start (UTC)"] == [datetime.datetime(2025, 4, 16, 14)]
    assert found["Start (IST)"] == [datetime.datetime(2025, 4, 16, 19, 30)]
    assert ["Australia won by 9 wkts"] in text
    head = text.index(["Innings", "Team", "Score", "Runs", "Wickets", "Overs", "Balls", "Run rate", "Target"])
    assert text[head + 1][:7] == [1, "India", "41/3 (20)", 41, 3, "20", 120]
    assert text[head + 2] == [2, "Australia", "42/1 (5)", 42, 1, "5", 30, pytest.approx(8.4), 42]
    assert any(r and str(r[0]).startswith("10 states seen 2025-04-18 18:13–18:17 UTC, longest gap 30 s") for r in text)
    assert len(sheet._charts) == 2
    assert sheet.column_dimensions["AE"].hidden


def test_timeline(book):
    sheet = book["Timeline"]
    got = rows(sheet)
    assert got[0] == ["Time (UTC)", "Status", "Innings 1", "Runs 1", "Wickets 1", "Overs 1", "Balls 1", "Innings 2",
                      "Runs 2", "Wickets 2", "Overs 2", "Balls 2", "Event", "Need", "Balls left", "Required rate"]
    assert [r[12] for r in got[1:]] == ["fixture", "toss", "start, +4", "WICKET", "+5", "+11", "+21 2 WICKETS",
                                        "innings break, +4", "+18 WICKET", "+20, result"]
    assert got[1][0] == FIRST and sheet["A2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert got[3][2:7] == ["India Inning 1", 4, 0, "0.1", 1]
    assert got[9][7:12] == ["Australia Inning 1", 22, 1, "3.2", 20]
    assert got[9][13:15] == [20, 100] and got[9][15] == pytest.approx(1.2)
    assert sheet["P10"].number_format == "0.00"
    assert got[10][13:] == [None, None, None]
    assert sheet["A5"].fill.fgColor.rgb != sheet["A4"].fill.fgColor.rgb		# a wicket's row is tinted


def test_overs(book):
    got = rows(book["Overs"])
    assert got[0] == ["Innings", "Over", "Runs", "Wickets", "Total", "Run rate", "Partnership"]
    assert [r[:5] for r in got[1:]] == [[1, 1, 9, 1, 9], [1, 2, 11, 0, 20], [1, "3-4", 21, 2, 41], [1, "5-20", 0, 0, 41],
                                        [2, 1, 4, 0, 4], [2, "2-5", 38, 1, 42]]
    assert got[1][5:] == [pytest.approx(9.0), 5]


def test_records(book):
    got = rows(book["Records"])
    assert got[0][:6] == ["Partition", "Offset", "Kafka time", "Event id", "id", "name"]
    assert got[0].index("score") > 0 and got[0].index("score.0.r") > got[0].index("matchEnded")
    assert len(got) == 11
    assert [r[1] for r in got[1:]] == list(range(10))
    last = dict(zip(got[0], got[10]))
    assert last["score.1.o"] == 5 and last["score.0.inning"] == "India Inning 1" and last["matchEnded"] is True
    assert last["teams.1"] == "Australia"


def test_properties(book, book_path):
    with zipfile.ZipFile(book_path) as z:
        custom = z.read("docProps/custom.xml").decode()
    own = dict(re.findall(r'name="([^"]*)"><vt:lpwstr>([^<]*)<', custom))
    assert own["Records"] == "10" and len(own["Journal"]) == 32 and own["Match"] == IDENT
    assert book.properties.title == "India vs Australia, 2nd T20I"
    assert book.properties.created == FIRST + datetime.timedelta(seconds=270)	# the data's time, not ours


def test_the_hundred(make_books):
    out = make_books([state("Brave opt to bat", kind=None, teams=("Brave", "Phoenix")),
                      state("Brave opt to bat", (7, 0, 5, "Brave Inning 1"), kind=None, teams=("Brave", "Phoenix")),
                      state("Brave opt to bat", (16, 1, 15, "Brave Inning 1"), kind=None, teams=("Brave", "Phoenix"))])
    book = openpyxl.load_workbook(next(out.glob("2025*.xlsx")))
    got = rows(book["Overs"])
    assert got[0][1] == "Over (set of 5)" and got[0][5] == "Run rate (per 6 balls)"
    assert [r[:5] for r in got[1:]] == [[1, 1, 7, 0, 7], [1, "2-3", 9, 1, 16]]
    assert got[2][5] == pytest.approx(6.4)
    assert rows(book["Timeline"])[3][6] == 15


def test_rows_that_are_no_match(make_books):
    out = make_books([{"id": "sensor-7", "value": 1.5, "deep": {"list": [1, None, True]}}, {"id": "sensor-7", "value": 2}])
    book = openpyxl.load_workbook(next(out.glob("2025*sensor-7*.xlsx")))
    assert book.sheetnames == ["Match", "Records"]
    got = rows(book["Records"])
    assert got[0][4:] == ["id", "value", "deep.list.0", "deep.list.1", "deep.list.2"]
    assert got[1][4:] == ["sensor-7", 1.5, 1, "null", True]
    assert got[2][4:] == ["sensor-7", 2, None, None, None]


def test_index(make_books):
    out = make_books([*chase()][:8] + [{"id": "f0000000-1", "name": "A vs B, Final", "matchType": "odi",
                                        "status": "Match not started", "date": "2025-05-01",
                                        "dateTimeGMT": "2025-05-01T00:00:00", "teams": ["A", "B"], "score": [],
                                        "matchStarted": False, "matchEnded": False}])
    book = openpyxl.load_workbook(out / "Matches.xlsx")
    assert book.sheetnames == ["Matches", "Errors"]
    got = rows(book["Matches"])
    assert got[0] == ["Date", "Start (UTC)", "Match", "Type", "Venue", "Status", "Score", "States", "Last change", "File"]
    live, fixture = got[1], got[2]		# live on top, though the fixture is newer
    assert live[0] == datetime.datetime(2025, 4, 16) or live[0] == datetime.datetime(2025, 4, 16, 14)
    assert live[2:4] == ["India vs Australia, 2nd T20I", "T20"]
    assert live[6] == "41/3 (20), 4/0 (1)" and live[7] == 8
    assert fixture[1] is None and fixture[2] == "A vs B, Final" and fixture[9] is None
    name = "2025-04-16_India-vs-Australia_18534a4e.xlsx"
    assert live[9] == name and book["Matches"]["J2"].hyperlink.target == name
    assert (out / name).exists()
    assert rows(book["Errors"])[0] == ["Partition", "Offset", "Kafka time", "Reason", "Key", "First bytes"]
