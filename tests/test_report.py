"""The report on a period: what it says, how it looks to a mail program, and what hostile texts do to it."""

import csv
import io
import json
import re
import subprocess
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from conftest import BINARY, Peer, honeyplant, wait_until

# Elements of HTML without an end.
VOID = {"meta", "br", "img", "hr", "input", "link"}
SCRIPT = "<script>alert(1)</script>"


class Page(HTMLParser):
    """A page, read strictly: what is opened is closed, and nothing comes from elsewhere."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.words, self.tags, self.links, self.identifiers = [], [], set(), [], []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.identifiers) == len(set(self.identifiers))

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            assert name not in ("src", "srcset", "onload", "onerror", "background") and not name.startswith("on"), name
            if name == "href":
                self.links.append(value)
            if name == "id":
                self.identifiers.append(value)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def checked(text):
    """The page, held to what is promised of every page."""
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>") and len(text.encode()) < 1 << 20
    assert not page.tags & {"script", "img", "iframe", "object", "link", "form", "base"}
    assert all(link.startswith("https://attack.mitre.org/techniques/") for link in page.links)
    assert not re.search(r"url\(|@import|javascript:", text, re.IGNORECASE)
    return page


def document(sequence, at, action="read", severity=3, source="198.51.100.7", session=1, install="0123abcd", site="test", **more):
    """One line of a record."""
    facts = {"schema": 1, "site": site, "device": {"name": "plc", "profile": "p"}, "session": {"id": f"{session:016x}"}}
    facts |= more.pop("facts", {})
    return json.dumps(
        {
            "@timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "ecs": {"version": "8.17.0"},
            "event": {"id": f"{install}-{sequence}", "sequence": sequence, "kind": "event", "category": ["network"], "type": ["info"], "action": action, "dataset": "honeyplant.modbus", "outcome": more.pop("outcome", "success"), "severity": severity},
            "message": more.pop("message", f"{source} at plc did it"),
            "source": {"ip": source, "port": 40000},
            "destination": {"ip": "192.0.2.9", "port": 502},
            "network": {"transport": "tcp", "protocol": "modbus", "type": "ipv4", "direction": "inbound"},
            "observer": {"type": "honeypot", "vendor": "honeyplant", "product": "honeyplant", "version": "0.1.0", "name": site},
            "honeyplant": facts,
            **more,
        }
    )


def report(tmp_path, lines, *arguments, code=0):
    record = tmp_path / "record.jsonl"
    record.write_text("".join(line + "\n" for line in lines))
    done = subprocess.run([BINARY, "report", "--from", record, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr
    return done.stdout if code == 0 else done.stderr


NOW = datetime.now(timezone.utc)
YESTERDAY = NOW - timedelta(days=1)


def test_a_report_tells_what_was_done(demo, tmp_path):
    with Peer() as peer:
        peer.ask("05 0003 ff00")
        peer.ask("06 0010 0007")
        peer.ask("03 0000 0004")
    wait_until(lambda: demo.events("closed"), "the end of the session")
    done = demo.tell("report", "--since", "1h", "--out", tmp_path / "report.html")
    assert "1 source opened 1 session at 1 device" in done
    page = checked((tmp_path / "report.html").read_text())
    assert "Values were written" in page.text and "127.0.0[.]1" in page.text and "127.0.0.1" not in page.text
    facts = json.loads(demo.tell("report", "--json"))
    writes = [event for event in demo.events("write")]
    assert facts["figures"]["writes"] == len(writes) == 2
    assert facts["figures"]["sessions"] == 1 and facts["sessions"]["rows"][0]["severity"] == 8
    rows = list(csv.DictReader(io.StringIO(demo.tell("report", "--csv", "writes"))))
    assert len(rows) == 2 and {row["device"] for row in rows} == {"plc-intake"}
    live = demo.tell("report", "--live-links")
    assert "127.0.0.1" in checked(live).text


def test_an_empty_period_is_told(tmp_path):
    page = checked(report(tmp_path, []))
    assert "Nothing was recorded in this period" in page.text
    ago = NOW - timedelta(days=10)
    page = checked(report(tmp_path, [document(1, ago)]))
    assert "see whether the site runs" in page.text
    honeyplant("report", "--from", tmp_path / "record.jsonl", "--since", "1d", "--until", "2d", code=1)


def test_one_event_is_a_report(tmp_path):
    facts = json.loads(report(tmp_path, [document(1, YESTERDAY)], "--json"))
    assert facts["figures"]["events"] == 1 and facts["sources"]["total"] == 1 and facts["sources"]["rows"][0]["new"]
    assert sum(sum(step["events"]) for step in facts["timeline"]["steps"]) == 1
    checked(report(tmp_path, [document(1, YESTERDAY)]))


def test_the_period_before_is_compared(tmp_path):
    lines = [document(n, NOW - timedelta(days=14, seconds=60 - n), session=n) for n in range(1, 2)]
    lines += [document(n, NOW - timedelta(days=10), session=n) for n in range(2, 6)]
    lines += [document(n, YESTERDAY, session=n, source="198.51.100.8") for n in range(6, 14)]
    facts = json.loads(report(tmp_path, lines, "--json"))
    assert facts["before_is_whole"] and facts["figures_before"]["sessions"] == 4 and facts["figures"]["sessions"] == 8
    assert any("% more" in sentence for sentence in facts["sentences"]), facts["sentences"]
    assert facts["figures"]["new_sources"] == 1
    only = json.loads(report(tmp_path, lines, "--json", "--source", "198.51.100.7", "--since", "12d"))
    assert only["figures"]["sessions"] == 4 and only["filters"] == ["source 198.51.100.7"]


def test_hostile_texts_stay_texts(tmp_path):
    hostile = [SCRIPT, '"><img src=x onerror=alert(1)>', "http://evil.example/x", "\x1b[2J\x00\u202egnp.exe", "</style></title>", "a" * 100_000, "=cmd|' /C calc'!A1", "𝕏" * 50, "'; DROP TABLE events; --"]
    lines = []
    for number, text in enumerate(hostile, 1):
        facts = {"secret": text, "device": {"name": text[:200], "profile": text[:200]}, "tool": {"name": text[:200], "kind": "attack"}, "tags": [text[:500]], "before": [text[:500]], "after": [text[:500]], "command": text[:200], "area": text}
        common = {"message": text, "severity": 9, "session": number, "facts": facts, "site": text[:200], "user": {"name": text}, "install": f"{number:08x}"}
        common["source"] = "2001:db8::7"
        common["file"] = {"path": text, "size": 5, "hash": {"sha256": f"{number:064x}"}}
        common["user_agent"] = {"original": text}
        for sequence, action in enumerate(["opened", "login", "write", "command", "upload", "request"], 1):
            lines.append(document(sequence, YESTERDAY, action, **common))
    text = report(tmp_path, lines)
    page = checked(text)
    assert SCRIPT in page.text, "it is shown, as text"
    assert "<script" not in text and "\x1b" not in text and "\x00" not in text and "\u202e" not in text
    assert "http://evil" not in text and "hxxp" in text
    for table in ("logins", "writes", "commands", "artefacts", "tools", "sources", "sessions", "services"):
        rows = list(csv.reader(io.StringIO(report(tmp_path, lines, "--csv", table))))
        assert len(rows) > 1 and not any(cell.startswith(("=", "@")) for row in rows for cell in row), table


def test_a_fleet_has_its_sites_told_apart(tmp_path):
    lines = [document(1, YESTERDAY, site=site, install=install) for site, install in (("north", "0000000a"), ("south", "0000000b"))]
    facts = json.loads(report(tmp_path, lines, "--json"))
    assert [service["device"] for service in facts["services"]] == ["north/plc", "south/plc"]
    assert [sensor["site"] for sensor in facts["sensors"]] == ["north", "south"]


@pytest.mark.parametrize("since", ["30m", "12h", "7d", "30d", "400d", "4000d"])
def test_every_length_of_time_has_its_plot(tmp_path, since):
    now = datetime.now(timezone.utc)  # The other tests may have taken longer than what is looked at here.
    lines = [document(n, now - timedelta(minutes=n), session=n) for n in range(1, 20)]
    facts = json.loads(report(tmp_path, lines, "--json", "--since", since))
    assert 1 <= len(facts["timeline"]["steps"]) <= 62
    assert sum(sum(step["sessions"]) for step in facts["timeline"]["steps"]) == 19
    checked(report(tmp_path, lines, "--since", since))
