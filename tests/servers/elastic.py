"""An imitation of Elasticsearch 8.17, as no package has a real one. It has the few parts of the published API that the sink
uses, and holds to them strictly: it refuses requests that are not framed, typed or authorized as the API says, templates with
types, parameters or patterns that there are not, and documents that do not fit their mapping, each with the status and the
body that the real one has. What it acknowledged is in a file.

https://www.elastic.co/docs/api/doc/elasticsearch/ and the pages on mapping types of the same documentation."""

import base64
import fnmatch
import http.server
import ipaddress
import json
import re
import sys
import threading
import zlib
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from servers import Server, kept

PORT = 19200
USER, PASSWORD = "sensor", "it's: a \"secret\""
# What a mapping of this type may say beside it.
PARAMETERS = {
    "keyword": {"ignore_above", "index", "doc_values"},
    "text": {"index", "norms", "fields"},
    "date": {"format", "ignore_malformed"},
    "ip": {"ignore_malformed", "index", "doc_values"},
    "long": {"ignore_malformed", "coerce", "index", "doc_values"},
    "double": {"ignore_malformed", "coerce", "index", "doc_values"},
    "boolean": {"index", "doc_values"},
    "geo_point": {"ignore_malformed"},
    "flattened": {"ignore_above", "depth_limit", "index", "doc_values"},
    "object": {"properties", "dynamic", "enabled", "subobjects"},
}
TEMPLATE = {"index_patterns", "template", "priority", "version", "_meta", "composed_of", "data_stream", "allow_auto_create"}


class Elastic(Server):
    kind = "elasticsearch"
    exactly_once = True

    def sink(self):
        return f'url = "http://127.0.0.1:{PORT}"\nuser = "{USER}"\npassword = \'\'\'{PASSWORD}\'\'\'\n'

    def start(self):
        self.run(sys.executable, "-m", "servers.elastic", self.folder, cwd=Path(__file__).parent.parent)
        self.until(lambda: "ready" in self.log().splitlines()[-1:], "the imitation of Elasticsearch to start")

    def documents(self):
        """What it has, in the order in which it came: the index, the id and the document of each."""
        return [json.loads(line) for line in kept.lines(self.folder / "documents")]

    def received(self):
        return [document["_id"] for document in self.documents()]


class Refusal(Exception):
    """An answer that says no."""

    def __init__(self, status, kind, reason):
        super().__init__(reason)
        self.status, self.error = status, {"type": kind, "reason": reason}

    def body(self):
        return {"error": {"root_cause": [self.error], **self.error}, "status": self.status}


def fields(mapping, path=""):
    """Checks a mapping; how many fields it has."""
    count = 0
    for name, field in mapping.get("properties", {}).items():
        count += 1
        kind = field.get("type", "object")
        if kind not in PARAMETERS:
            raise Refusal(400, "mapper_parsing_exception", f"No handler for type [{kind}] declared on field [{path}{name}]")
        if unknown := set(field) - PARAMETERS[kind] - {"type"}:
            raise Refusal(400, "mapper_parsing_exception", f"unknown parameter {unknown} on mapper [{path}{name}] of type [{kind}]")
        count += fields(field, f"{path}{name}.")
    return count


class Store:
    """What the server has."""

    def __init__(self, folder):
        self.folder, self.lock = folder, threading.Lock()
        self.documents, self.templates = {}, {}
        for name, there in (("documents", self.documents), ("templates", self.templates)):
            for line in kept.lines(folder / name):
                entry = json.loads(line)
                there[(entry["_index"], entry["_id"])] = entry["_source"]

    def keep(self, name, index, identity, source):
        there = self.documents if name == "documents" else self.templates
        there[(index, identity)] = source
        kept.keep(self.folder / name, json.dumps({"_index": index, "_id": identity, "_source": source}))

    def put_template(self, name, body):
        if unknown := set(body) - TEMPLATE:
            raise Refusal(400, "x_content_parse_exception", f"[index_template] unknown field {unknown}")
        if unknown := set(body["template"]) - {"settings", "mappings", "aliases", "lifecycle"}:
            raise Refusal(400, "x_content_parse_exception", f"[template] unknown field {unknown}")
        settings = body["template"].get("settings", {}).get("index", {})
        if fields(body["template"].get("mappings", {})) > settings.get("mapping.total_fields.limit", 1000):
            raise Refusal(400, "illegal_argument_exception", "Limit of total fields [1000] has been exceeded")
        for (_, other), there in self.templates.items():
            crossing = any(fnmatch.fnmatch(a, b) for a in body["index_patterns"] for b in there["index_patterns"])
            if other != name and crossing and there.get("priority", 0) == body.get("priority", 0):
                raise Refusal(400, "illegal_argument_exception", f"index template [{name}] has the patterns of [{other}]")
        self.keep("templates", "", name, body)

    def template(self, index):
        """The template that a new index of this name has."""
        fitting = [
            body
            for body in self.templates.values()
            if any(fnmatch.fnmatch(index, pattern) for pattern in body["index_patterns"])
        ]
        return max(fitting, key=lambda body: body.get("priority", 0), default=None)

    def create(self, index, identity, source):
        """What came of it, as an item of the answer."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9._+-]{0,254}", index):
            raise Refusal(400, "invalid_index_name_exception", f"Invalid index name [{index}]")
        if len(identity.encode()) > 512:
            raise Refusal(400, "illegal_argument_exception", "id is too long, must be no longer than 512 bytes")
        if (self.folder / "busy").exists() and zlib.crc32(identity.encode()) % 3 == 0:
            raise Refusal(429, "es_rejected_execution_exception", "rejected execution of coordinating operation")
        if (index, identity) in self.documents:
            raise Refusal(409, "version_conflict_engine_exception", f"[{identity}]: version conflict, document already exists")
        template = self.template(index)
        if template:
            if "data_stream" in template and "@timestamp" not in source:
                raise Refusal(400, "document_parsing_exception", "data stream timestamp field [@timestamp] is missing")
            settings = template["template"].get("settings", {}).get("index", {})
            Parser(settings.get("mapping.ignore_malformed", False)).object(template["template"].get("mappings", {}), source, "")
        self.keep("documents", index, identity, source)


class Parser:
    """A document held against a mapping."""

    def __init__(self, lenient):
        self.lenient = lenient

    def object(self, mapping, value, path):
        if mapping.get("enabled") is False:
            return
        if not isinstance(value, dict):
            self.refuse(path, "object mapping tried to parse field as object, but found a concrete value")
        known = mapping.get("properties", {})
        for name, part in value.items():
            if not name.strip() or ".." in name:
                self.refuse(path, f"field name [{name}] is empty")
            for one in part if isinstance(part, list) else [part]:
                if name in known and one is not None:
                    self.field(known[name], one, f"{path}{name}")

    def field(self, field, value, path):
        kind = field.get("type", "object")
        if kind == "object":
            return self.object(field, value, path + ".")
        if kind == "flattened":
            return isinstance(value, dict) or self.refuse(path, "Failed to parse object: expecting token of type [START_OBJECT]")
        if kind == "geo_point":
            return self.number({"lat", "lon"} == set(value) and abs(value["lat"]) <= 90, path)
        if isinstance(value, (dict, list)):
            self.refuse(path, f"failed to parse field of type [{kind}]: Can't get text on a START_OBJECT")
        if kind == "keyword":
            text = value if isinstance(value, str) else json.dumps(value)
            stored = field.get("index", True) or field.get("doc_values", True)
            if stored and len(text) <= field.get("ignore_above", 1 << 31) and len(text.encode()) > 32766:
                self.refuse(path, "Document contains at least one immense term, the max length is 32766", "illegal_argument_exception")
        elif kind == "boolean":
            value in (True, False, "true", "false", "") or self.refuse(path, "Failed to parse value as only [true] or [false]")
        elif kind != "text":
            self.number(self.reads(kind, value), path)

    def reads(self, kind, value):
        try:
            if kind == "ip":
                ipaddress.ip_address(value)
            elif kind == "date":
                datetime.fromisoformat(value)
            elif isinstance(value, bool):
                return False
            else:
                return kind == "double" or -(1 << 63) <= int(value) < 1 << 63
        except (TypeError, ValueError):
            return False
        return True

    def number(self, good, path):
        # `ignore_malformed` is for numbers, dates, addresses and points only.
        if not good and not self.lenient:
            self.refuse(path, f"failed to parse field [{path}]")

    def refuse(self, path, why, kind="document_parsing_exception"):
        raise Refusal(400, kind, f"[1:1] {path}: {why}")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "imitation", ""

    def do_GET(self):
        self.handle_request()

    do_PUT = do_POST = do_GET

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        store = self.server.store
        limit = store.folder / "max_content_length"
        body = self.rfile.read(length)
        if self.headers.get("Transfer-Encoding"):
            return self.answer(411, None)
        if length > (int(limit.read_text()) if limit.exists() else 100 << 20):
            self.close_connection = True
            return self.answer(413, None)
        try:
            self.answer(*self.route(store, body))
        except Refusal as refusal:
            self.answer(refusal.status, refusal.body())

    def route(self, store, body):
        good = {"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "ApiKey it-is-a-key"}
        if self.headers.get("Authorization") not in good:
            raise Refusal(401, "security_exception", "missing authentication credentials for REST request")
        url = urlsplit(self.path)
        path, query = unquote(url.path), dict(parse_qsl(url.query))
        if unknown := set(query) - {"filter_path"}:
            raise Refusal(400, "illegal_argument_exception", f"request [{path}] contains unrecognized parameter: {unknown}")
        kind = (self.headers.get("Content-Type") or "").split(";")[0]
        if body and kind not in {"application/json", "application/x-ndjson"}:
            return 406, {"error": f"Content-Type header [{kind}] is not supported", "status": 406}
        with store.lock:
            match self.command, path.strip("/").split("/"):
                case "GET", [""]:
                    number = {"number": "8.17.0", "build_flavor": "default", "lucene_version": "9.12.0"}
                    return 200, {"name": "imitation", "version": number, "tagline": "You Know, for Search"}
                case "PUT", ["_index_template", name] if kind == "application/json":
                    store.put_template(name, json.loads(body))
                    return 200, {"acknowledged": True}
                case "POST", ["_bulk"]:
                    return 200, self.bulk(store, body)
                case "GET", [pattern, "_count"]:
                    found = [1 for index, _ in store.documents if fnmatch.fnmatch(index, pattern)]
                    if not found and "*" not in pattern:
                        raise Refusal(404, "index_not_found_exception", f"no such index [{pattern}]")
                    return 200, {"count": len(found), "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0}}
        return 405, {"error": f"Incorrect HTTP method for uri [{self.path}] and method [{self.command}]", "status": 405}

    def bulk(self, store, body):
        if not body.endswith(b"\n"):
            raise Refusal(400, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
        lines = body.split(b"\n")[:-1]
        if len(lines) % 2:
            raise Refusal(400, "illegal_argument_exception", "Malformed action/metadata line")
        items, errors = [], False
        for number, (action, source) in enumerate(zip(lines[::2], lines[1::2])):
            try:
                [(verb, where)] = json.loads(action).items()
            except ValueError:
                raise Refusal(400, "illegal_argument_exception", f"Malformed action/metadata line [{2 * number + 1}]") from None
            if verb not in {"create", "index"} or set(where) - {"_index", "_id"}:
                raise Refusal(400, "illegal_argument_exception", f"Action/metadata line [{2 * number + 1}] is unknown")
            try:
                try:
                    source = json.loads(source)
                except ValueError:
                    raise Refusal(400, "document_parsing_exception", "failed to parse") from None
                store.create(where["_index"], where["_id"], source)
                items.append({verb: {**where, "status": 201, "result": "created"}})
            except Refusal as refusal:
                errors = True
                items.append({verb: {**where, "status": refusal.status, "error": refusal.error}})
        return {"took": 1, "errors": errors, "items": items}

    def answer(self, status, body):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """The log is for what goes wrong."""


def main(folder):
    http.server.ThreadingHTTPServer.allow_reuse_address = True
    with http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler) as server:
        server.store = Store(Path(folder))
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
