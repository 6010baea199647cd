"""Splunk's HTTP Event Collector. Splunk cannot be had in a test: a small server stands for it, which holds to the published
API ("HTTP Event Collector REST API endpoints", "Troubleshoot HTTP Event Collector"): it refuses what Splunk refuses, with
its statuses, texts and codes. What it acknowledged is in a file, over SIGKILL.

As a program: `python -m servers.splunk PORT FOLDER [ack]`. A file `refuse` in the folder has the next answers, one a line: a status, a
code and perhaps the number of the bad event; `longest` in it is the most bytes that a request may have.
"""

import http.server
import json
import re
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from servers import kept

PORT = 9188
TOKEN = "7a2e5c1c-9f1b-4c8e-8a57-3f6b0e6f8d11"
INDEXES = ("honeyplant", "main")
TEXTS = {
    0: "Success", 1: "Token disabled", 2: "Token is required", 3: "Invalid authorization", 4: "Invalid token", 5: "No data",
    6: "Invalid data format", 7: "Incorrect index", 8: "Internal server error", 9: "Server is busy",
    10: "Data channel is missing", 11: "Invalid data channel", 12: "Event field is required",
    13: "Event field cannot be blank", 14: "ACK is disabled", 15: "Error in handling indexed fields", 17: "HEC is healthy",
}  # fmt: skip
GUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Seconds after which what was taken is written by the indexers.
INDEXED = 0.2


class Refused(Exception):
    def __init__(self, status, code, **more):
        self.status, self.body = status, {"text": TEXTS[code], "code": code} | more


def events_of(body):
    """The envelopes of a request: JSON objects, one after the other."""
    decoder, events, at = json.JSONDecoder(), [], 0
    text = body.decode()
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        number = len(events)
        try:
            event, at = decoder.raw_decode(text, at)
        except ValueError:
            raise Refused(400, 6, **{"invalid-event-number": number}) from None
        check(event, number)
        events.append(event)
    if not events:
        raise Refused(400, 5)
    return events


def check(event, number):
    at = {"invalid-event-number": number}
    if not isinstance(event, dict) or set(event) - {"time", "host", "source", "sourcetype", "index", "event", "fields"}:
        raise Refused(400, 6, **at)
    if event.get("event") is None:
        raise Refused(400, 12, **at)
    if event["event"] in ("", {}, []):
        raise Refused(400, 13, **at)
    if not all(isinstance(event.get(key, ""), str) for key in ("host", "source", "sourcetype", "index")):
        raise Refused(400, 6, **at)
    try:
        float(event.get("time", 0))
    except (TypeError, ValueError):
        raise Refused(400, 6, **at) from None
    if event.get("index", "main") not in INDEXES:
        raise Refused(400, 7, **at)
    for value in event.get("fields", {}).values():
        many = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str | int | float) for one in many):
            raise Refused(400, 15, **at)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply(200, {"text": TEXTS[17], "code": 17}) if self.path == "/services/collector/health" else self.reply(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.reply(200, self.answer(urlsplit(self.path), body))
        except Refused as refused:
            self.reply(refused.status, refused.body)

    def answer(self, url, body):
        self.authorize()
        longest = self.server.folder / "longest"
        if longest.exists() and len(body) > int(longest.read_text()):
            raise Refused(413, 6)
        refuse = self.server.folder / "refuse"
        if body and refuse.exists() and (lines := refuse.read_text().splitlines()):
            refuse.write_text("".join(line + "\n" for line in lines[1:]))
            status, code, *number = map(int, lines[0].split())
            raise Refused(status, code, **({"invalid-event-number": number[0]} if number else {}))
        match url.path:
            case "/services/collector/event" | "/services/collector":
                if self.server.ack:
                    self.channel(url)
                events = events_of(body)
                with self.server.lock:
                    number = self.server.taken
                    self.server.taken += 1
                    if not self.server.ack:
                        self.server.keep(events)
                        return {"text": TEXTS[0], "code": 0}
                    self.server.waiting[number] = (time.monotonic() + INDEXED, events)
                    return {"text": TEXTS[0], "code": 0, "ackId": number}
            case "/services/collector/ack":
                if not self.server.ack:
                    raise Refused(400, 14)
                self.channel(url)
                with self.server.lock:
                    return {"acks": {str(number): self.server.indexed(number) for number in json.loads(body)["acks"]}}
        raise Refused(404, 8)

    def authorize(self):
        match self.headers.get("Authorization", "").split():
            case []:
                raise Refused(401, 2)
            case ["Splunk", token] if token == TOKEN:
                return
            case ["Splunk", _]:
                raise Refused(403, 4)
        raise Refused(401, 3)

    def channel(self, url):
        channel = self.headers.get("X-Splunk-Request-Channel") or parse_qs(url.query).get("channel", [""])[0]
        if not channel:
            raise Refused(400, 10)
        if not GUID.fullmatch(channel):
            raise Refused(400, 11)

    def reply(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, folder, ack):
        super().__init__(("127.0.0.1", port), Handler)
        self.folder, self.ack = folder, ack
        self.lock, self.taken, self.waiting = threading.Lock(), 0, {}

    def keep(self, events):
        kept.keep(self.folder / "events", *map(json.dumps, events))

    def indexed(self, number):
        """Whether the indexers have it; told true once."""
        due, events = self.waiting.get(number, (None, None))
        if due is None or time.monotonic() < due:
            return False
        self.keep(events)
        del self.waiting[number]
        return True


if __name__ == "__main__":
    Listener(int(sys.argv[1]), Path(sys.argv[2]), "ack" in sys.argv).serve_forever()
else:
    from . import Server

    class Splunk(Server):
        kind = "splunk"
        ack = False

        def start(self):
            ack = "ack" if self.ack else "no-ack"
            self.run(sys.executable, "-m", "servers.splunk", str(PORT), self.folder, ack, cwd=Path(__file__).parent.parent)
            self.until(lambda: socket.create_connection(("127.0.0.1", PORT), 1).close() or True, "Splunk to listen")

        def sink(self):
            ack = str(self.ack).lower()
            return f'url = "http://127.0.0.1:{PORT}"\ntoken = "{TOKEN}"\nindex = "honeyplant"\nack = {ack}\n'

        def events(self):
            return [json.loads(line) for line in kept.lines(self.folder / "events")]

        def received(self):
            return [event["fields"]["event_id"] for event in self.events()]

        def refuse(self, *answers):
            (self.folder / "refuse").write_text("".join(f"{answer}\n" for answer in answers))

    class SplunkAcknowledged(Splunk):
        ack = True
