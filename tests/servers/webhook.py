"""Webhooks of three shapes. Slack and Discord cannot be had in a test: a small server stands for them, which holds to
their published API: it takes what they take, and refuses all else with their statuses and bodies. It keeps what it
acknowledged in a file, over SIGKILL, and has a log of what it was asked.

As a program: `python -m servers.webhook PORT FOLDER SHAPE [SECRET]`. A file `refuse` in the folder has the next answers, one a line: a
status and, for 429, seconds.
"""

import hashlib
import hmac
import http.server
import json
import re
import socket
import sys
from pathlib import Path

from servers import kept

PORT = 9180
SECRET = "s3cret"


def units(text):
    """Characters as both count them."""
    return len(text.encode("utf-16-le")) // 2


class Wrong(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Wrong(why)


def text_object(text, most, kinds=("plain_text", "mrkdwn")):
    need(text.get("type") in kinds and isinstance(text.get("text"), str), "invalid_blocks")
    need(1 <= units(text["text"]) <= most, "invalid_blocks")
    need(set(text) <= {"type", "text", "emoji", "verbatim"}, "invalid_blocks")
    need(text["type"] == "plain_text" or "emoji" not in text, "invalid_blocks")
    if text["type"] == "mrkdwn":
        mentions(text["text"])


def mentions(text):
    """In its markup, what stands in angle brackets is a link, or calls somebody; what an actor sent must not."""
    need(not re.search("<[^>]*>", text), "a mention or link in the markup")


def slack(body):
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and its reference of Block Kit."""
    need(isinstance(body, dict), "invalid_payload")
    need(body.get("text") or body.get("blocks"), "no_text")
    need(set(body) <= {"text", "blocks", "attachments", "thread_ts", "mrkdwn", "unfurl_links", "unfurl_media"}, "invalid_payload")
    text = body.get("text", "")
    need(isinstance(text, str) and units(text) <= 40000, "msg_too_long")
    mentions(text)
    blocks = body.get("blocks", [])
    need(isinstance(blocks, list) and len(blocks) <= 50, "invalid_blocks")
    for block in blocks:
        match block.get("type"):
            case "header":
                text_object(block["text"], 150, ("plain_text",))
            case "section":
                need("text" in block or "fields" in block, "invalid_blocks")
                if "text" in block:
                    text_object(block["text"], 3000)
                fields = block.get("fields", [{"type": "plain_text", "text": "-"}])
                need(1 <= len(fields) <= 10, "invalid_blocks")
                for field in fields:
                    text_object(field, 2000)
            case "context":
                need(1 <= len(block["elements"]) <= 10, "invalid_blocks")
                for element in block["elements"]:
                    text_object(element, 3000)
            case _:
                raise Wrong("invalid_blocks")


def discord(body):
    """https://discord.com/developers/docs/resources/webhook#execute-webhook and its limits of embeds."""
    need(isinstance(body, dict), "must be an object")
    embeds = body.get("embeds", [])
    need(body.get("content") or embeds, "Cannot send an empty message")
    need(units(body.get("content", "x")) <= 2000, "content")
    need(len(embeds) <= 10, "embeds")
    need(body.get("allowed_mentions") == {"parse": []}, "somebody could be mentioned")
    whole = 0
    for embed in embeds:
        known = {"title", "description", "url", "timestamp", "color", "footer", "fields", "author"}
        need(set(embed) <= known, "unknown key")
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", embed["timestamp"]), "timestamp")
        need(0 <= embed["color"] <= 0xFFFFFF, "color")
        texts = [(embed["title"], 256), (embed["description"], 4096), (embed["footer"]["text"], 2048)]
        need(len(embed["fields"]) <= 25, "fields")
        for field in embed["fields"]:
            texts += [(field["name"], 256), (field["value"], 1024)]
            need(isinstance(field["inline"], bool), "inline")
        for text, most in texts:
            need(isinstance(text, str) and 1 <= units(text) <= most, "BASE_TYPE_MAX_LENGTH")
        whole += sum(units(text) for text, _ in texts)
    need(whole <= 6000, "MAX_EMBED_SIZE_EXCEEDED")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body="", **fields):
        body = body.encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.server.shape == "discord":
            known = self.path == "/hook/token"
            return self.answer(200, json.dumps({"type": 1, "name": "plant"})) if known else self.unknown()
        self.answer(405 if self.server.shape == "plain" else 400)

    def unknown(self):
        if self.server.shape == "discord":
            return self.answer(404, json.dumps({"message": "Unknown Webhook", "code": 10015}))
        self.answer(404, "no_service")

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        refuse = self.server.folder / "refuse"
        if refuse.exists() and (lines := refuse.read_text().splitlines()):
            refuse.write_text("".join(line + "\n" for line in lines[1:]))
            status, *more = lines[0].split()
            return self.answer(int(status), "as the test wants it", **({"Retry_After": more[0]} if more else {}))
        if self.path not in ("/hook/token", "/hook/token?wait=true"):
            return self.unknown()
        if self.headers["Content-Type"] != "application/json":
            return self.answer(400, "invalid_payload")
        if self.server.secret:
            signature = "sha256=" + hmac.new(self.server.secret, raw, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(signature, self.headers.get("X-Hub-Signature-256", "")):
                return self.answer(401, "the signature is wrong")
        try:
            body = json.loads(raw)
            {"plain": lambda _: None, "slack": slack, "discord": discord}[self.server.shape](body)
        except (Wrong, ValueError, KeyError, TypeError) as why:
            if self.server.shape == "discord":
                return self.answer(400, json.dumps({"code": 50035, "message": "Invalid Form Body", "errors": str(why)}))
            return self.answer(400, str(why))
        kept.keep(self.server.folder / "bodies", json.dumps(body))
        if self.server.shape == "discord":
            return self.answer(200, json.dumps({"id": "1"})) if "wait=true" in self.path else self.answer(204)
        self.answer(200, "ok")

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    listener = Listener(("127.0.0.1", int(sys.argv[1])), Handler)
    listener.folder, listener.shape = Path(sys.argv[2]), sys.argv[3]
    listener.secret = sys.argv[4].encode() if len(sys.argv) > 4 else b""
    listener.serve_forever()
else:
    from . import Server

    class Webhook(Server):
        kind = "webhook"
        shape = "plain"

        def start(self):
            secret = [SECRET] if self.shape == "plain" else []
            self.run(sys.executable, "-m", "servers.webhook", str(PORT), self.folder, self.shape, *secret, cwd=Path(__file__).parent.parent)
            self.until(lambda: socket.create_connection(("127.0.0.1", PORT), 1).close() or True, "the webhook to listen")

        def sink(self):
            return f'url = "http://127.0.0.1:{PORT}/hook/token"\nsecret = "{SECRET}"\n'

        def bodies(self):
            return [json.loads(line) for line in kept.lines(self.folder / "bodies")]

        def received(self):
            return [body["event"]["id"] for body in self.bodies()]

        def refuse(self, *answers):
            (self.folder / "refuse").write_text("".join(f"{answer}\n" for answer in answers))

    class Slack(Webhook):
        shape = "slack"

        def sink(self):
            return f'url = "http://127.0.0.1:{PORT}/hook/token"\nform = "slack"\nlimit = 0\nmost = 12\n'

        def received(self):
            contexts = [block for body in self.bodies() for block in body.get("blocks", []) if block["type"] == "context"]
            return [block["elements"][0]["text"].split("event ")[1] for block in contexts]

    class Discord(Webhook):
        shape = "discord"

        def sink(self):
            return f'url = "http://127.0.0.1:{PORT}/hook/token"\nform = "discord"\nlimit = 0\nmost = 10\n'

        def received(self):
            embeds = [embed for body in self.bodies() for embed in body.get("embeds", [])]
            return [embed["footer"]["text"].split("event ")[1].replace("\\", "") for embed in embeds]
