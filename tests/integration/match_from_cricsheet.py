#!/usr/bin/env python3
"""Writes the facts of a limited-overs Cricsheet file in the form of src/replay/matchfile.h.

    match_from_cricsheet.py MATCH.json SHORT SHORT [START] > NAME.match

SHORT are the teams' short names, in the order of the file; START the first ball's hour as "14:00:00" UTC when it
is known. Ids and texts follow the same rules as the timed states the tests compare with.
"""
import json
import sys
import textwrap
import uuid

NOT_OUT = ("retired hurt", "retired not out")
TYPES = {"T20": "t20", "IT20": "t20", "ODI": "odi", "ODM": "odi"}
ATTRIBUTION = "Ball-by-ball data from Cricsheet (https://cricsheet.org), ODC-By 1.0."


def ball(delivery):
    extras = delivery.get("extras", {})
    runs = delivery["runs"]["total"]
    kind = next((short for name, short in (("wides", "wd"), ("noballs", "nb"), ("legbyes", "lb"), ("byes", "b"))
                 if name in extras), "")
    wicket = any(w["kind"] not in NOT_OUT for w in delivery.get("wickets", []))
    if kind in ("wd", "nb") and runs == 1:
        text = kind
    else:
        text = (str(runs) if runs else "") + kind
    text += "W" if wicket else ""
    return text or "."


def match_file(data, first_state, last_state, shorts, hour="00:00:00"):
    """`first_state` and `last_state` are rows: they bring id, name and the result's words."""
    info = data["info"]
    short = dict(zip(info["teams"], shorts))
    lines = ["# " + ATTRIBUTION,
             "id " + first_state["id"], "series " + first_state["series_id"], "name " + first_state["name"]]
    if "matchType" in first_state:
        lines.append("type " + first_state["matchType"])
    lines += ["venue " + first_state["venue"], f"start {info['dates'][0]}T{hour}"]
    lines += [f"team {short[raw]} {shown}" for raw, shown in zip(info["teams"], first_state["teams"])]
    lines.append(f"overs {info['overs']} of {info.get('balls_per_over', 6)}")
    toss = info.get("toss", {})
    if "winner" in toss:
        lines.append(f"toss {short[toss['winner']]} {'bowl' if toss['decision'] == 'field' else 'bat'}")
    for innings in data["innings"]:
        lines.append(f"\n{'super' if innings.get('super_over') else 'innings'} {short[innings['team']]}")
        penalty = innings.get("penalty_runs", {})
        if "pre" in penalty:
            lines.append(f"penalty {penalty['pre']}")
        if "overs" in innings.get("target", {}):
            lines.append(f"target {innings['target']['runs']} in {innings['target']['overs']}")
        for over in innings["overs"]:
            lines.append(f"{over['over'] + 1}: " + " ".join(ball(d) for d in over["deliveries"]))
        if "post" in penalty:
            lines.append(f"penalty {penalty['post']}")
    lines.append("\nresult " + last_state["status"])
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) < 4:
        sys.exit(textwrap.dedent(__doc__))
    with open(sys.argv[1], encoding="utf-8") as handle:
        data = json.load(handle)
    info = data["info"]
    home, away = info["teams"]
    event = info.get("event", {})
    row = {"id": str(uuid.uuid5(uuid.UUID(int=0), "match:" + sys.argv[1].rsplit("/", 1)[-1].split(".")[0])),
           "series_id": str(uuid.uuid5(uuid.UUID(int=0), f"series:{event.get('name', '')}:{info.get('season', '')}")),
           "name": f"{home} vs {away}", "matchType": TYPES[info["match_type"]], "venue": info["venue"],
           "teams": [home, away], "status": "to be written by hand"}
    sys.stdout.write(match_file(data, row, row, sys.argv[2:4], *sys.argv[4:5]))


if __name__ == "__main__":
    main()
