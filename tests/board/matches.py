"""Made-up matches as timed lines, for `serve --step`: every request sees the next state of each."""
import json

DAY = "2026-01-01"


def state(match, n, ended=False, started=True):
    team = f"Team{match}"
    status = f"{team} won" if ended else f"state {n}"
    return {"id": f"{match:08d}-0000-4000-8000-000000000000", "name": f"{team} vs Others", "matchType": "t20",
            "status": status, "venue": "Some Ground", "date": DAY, "dateTimeGMT": f"{DAY}T10:00:00",
            "teams": [team, "Others"], "series_id": "s", "matchStarted": started, "matchEnded": ended,
            "score": [] if not started else [{"r": n, "w": n % 10, "o": round(n // 6 + n % 6 / 10, 1), "inning": f"{team} Inning 1"}]}


def write_match(path, match, states, ended=True, started=True):
    """A match of so many states, the last of which ends it; not `ended`: it stays as it is then; not `started`: a
    fixture."""
    with open(path, "w", encoding="utf-8") as out:
        for n in range(states):
            last = ended and n == states - 1
            out.write(json.dumps({"t": n, "seq": n, "ev": "", "match": state(match, n, last, started)}) + "\n")
    return path


def book_name(match):
    """The beginning of its workbook's name."""
    return f"{DAY}_Team{match}-vs-Others"
