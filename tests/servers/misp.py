"""What MISP's REST API is, as its OpenAPI description and its answers in practice have it: there is no MISP to be had here.

It is strict: a key that is wrong, an Accept that is not JSON, types and categories that MISP does not have (by the lists that
PyMISP, its own client, brings), values that are none of their type, objects that do not fit their template, a second event of
the same UUID and an edit that is not newer are refused with the status and body of MISP. As MISP does, it answers an edit well
though some of its attributes are refused: those are not in the event that it answers. An attribute or object that is there, by
its UUID, is updated; if it is in another event, it is refused. What it acknowledged it wrote to a file first.
"""

import http.client
import json
import re
import sys

from . import Server
from .taxii import is_shared

ADDRESS, PORT, KEY = "127.0.0.1", 16101, "k" * 40

PROGRAM = r'''
import datetime, ipaddress, json, os, pathlib, re, sys, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
import pymisp

ADDRESS, PORT, KEY = sys.argv[1], int(sys.argv[2]), sys.argv[3]
DATA = pathlib.Path(pymisp.__file__).parent / "data"
TYPES = json.loads((DATA / "describeTypes.json").read_text())["result"]["category_type_mappings"]
FOLDER = pathlib.Path("events")
FOLDER.mkdir(exist_ok=True)
events = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
lock = Lock()
SHA256 = re.compile("[0-9a-f]{64}")


class Refused(Exception):
    def __init__(self, status, name, errors=None):
        self.status, self.name, self.errors = status, name, errors


def is_uuid(text):
    try:
        return str(uuid.UUID(text)) == text
    except (TypeError, ValueError, AttributeError):
        return False


def is_value(kind, value):
    if not isinstance(value, str) or not value.strip() or len(value.encode()) > 65535:
        return False
    try:
        if kind in ("ip-src", "ip-dst"):
            ipaddress.ip_address(value)
        elif kind == "port":
            return 1 <= int(value) <= 65535
        elif kind == "datetime":
            datetime.datetime.fromisoformat(value)
        elif kind in ("size-in-bytes", "counter"):
            return int(value) >= 0
        elif kind == "sha256":
            return bool(SHA256.fullmatch(value))
        elif kind == "http-method":
            return bool(re.fullmatch("OPTIONS|GET|HEAD|POST|PUT|DELETE|TRACE|CONNECT|PROP(FIND|PATCH)|MKCOL|COPY|MOVE|(UN)?LOCK|PATCH|SEARCH", value))
    except ValueError:
        return False
    return kind not in ("filename", "text", "uri", "user-agent") or "\n" not in value


def owner(part):
    """The event that has this attribute or object."""
    for name, event in events.items():
        for kind in ("Attribute", "Object"):
            if any(one["uuid"] == part for one in event[kind]):
                return name


def fits(attribute):
    return (
        is_uuid(attribute.get("uuid"))
        and attribute.get("type") in TYPES.get(attribute.get("category"), [])
        and is_value(attribute["type"], attribute.get("value"))
        and int(attribute.get("distribution", 5)) in range(6)
    )


def is_object(one):
    path = DATA / "misp-objects/objects" / str(one.get("name")) / "definition.json"
    if not is_uuid(one.get("uuid")) or "/" in one["name"] or not path.exists():
        return False
    template = json.loads(path.read_text())
    if (one.get("template_uuid"), str(one.get("template_version")), one.get("meta-category")) != (
        template["uuid"], str(template["version"]), template["meta-category"],
    ):
        return False
    relations = [attribute.get("object_relation") for attribute in one["Attribute"]]
    for relation, attribute in zip(relations, one["Attribute"]):
        known = template["attributes"].get(relation)
        if not known or known["misp-attribute"] != attribute["type"]:
            return False
        if attribute["category"] not in known.get("categories", [attribute["category"]]):
            return False
        if relations.count(relation) > 1 and not known.get("multiple"):
            return False
    return bool(set(relations) & set(template.get("requiredOneOf", relations)))


def merge(event, brought):
    name = event["uuid"]
    for attribute in brought.get("Attribute", []):
        if not fits(attribute) or owner(attribute["uuid"]) not in (None, name):
            continue
        same = [one for one in event["Attribute"] if one["uuid"] == attribute["uuid"]]
        like = [one for one in event["Attribute"] if [one[k] for k in ("type", "category", "value")] == [attribute[k] for k in ("type", "category", "value")]]
        if same:
            same[0].update(attribute)
        elif not like:
            event["Attribute"].append(attribute)
    for one in brought.get("Object", []):
        one["Attribute"] = [attribute for attribute in one.get("Attribute", []) if fits(attribute)]
        if not is_object(one) or owner(one["uuid"]) not in (None, name):
            continue
        same = [other for other in event["Object"] if other["uuid"] == one["uuid"]]
        if same:
            same[0].update(one)
        else:
            event["Object"].append(one)
    tags = {tag["name"] for tag in event["Tag"]} | {tag["name"] for tag in brought.get("Tag", [])}
    event["Tag"] = [{"name": tag} for tag in sorted(tags)]
    event["attribute_count"] = str(len(event["Attribute"]) + sum(len(one["Attribute"]) for one in event["Object"]))


def keep(event):
    path = FOLDER / (event["uuid"] + ".json")
    with open(path.with_suffix(".part"), "w") as file:
        json.dump(event, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path.with_suffix(".part"), path)
    events[event["uuid"]] = event


def add(body):
    brought = body.get("Event", body)
    if not str(brought.get("info", "")).strip():
        raise Refused(403, "Could not add Event", {"info": ["Info cannot be empty."]})
    if not is_uuid(brought.get("uuid")):
        raise Refused(403, "Could not add Event", {"uuid": ["Please provide a valid RFC 4122 UUID"]})
    if brought["uuid"] in events:
        raise Refused(404, "Event already exists, if you would like to edit it, use the url in the location header.")
    allowed = {"distribution": range(5), "threat_level_id": range(1, 5), "analysis": range(3)}
    for field, values in allowed.items():
        if int(brought.get(field, values[0])) not in values:
            raise Refused(403, "Could not add Event", {field: ["Options: " + str(list(values))]})
    datetime.date.fromisoformat(brought["date"])
    head = {key: str(brought[key]) for key in ("uuid", "info", "date", *allowed) if key in brought}
    event = {**head, "timestamp": str(int(time.time())), "published": False, "Attribute": [], "Object": [], "Tag": []}
    merge(event, brought)
    keep(event)
    return {"Event": event}


def edit(name, body):
    brought = body.get("Event", body)
    if name not in events:
        raise Refused(404, "Invalid event.")
    event = json.loads(json.dumps(events[name]))
    if int(brought.get("timestamp", time.time())) <= int(event["timestamp"]):
        why = "Event could not be saved: Event in the request not newer than the local copy."
        raise Refused(403, "Could not edit Event", why)
    merge(event, brought)
    event.update(timestamp=str(brought.get("timestamp", int(time.time()))), published=False)
    keep(event)
    return {"Event": event}


def search(body):
    if body.get("returnFormat") != "json":
        raise Refused(400, "Invalid returnFormat.")
    found = [event for name, event in events.items() if name == body.get("uuid")]
    if body.get("metadata"):
        found = [{key: value for key, value in event.items() if key not in ("Attribute", "Object")} for event in found]
    return {"response": [{"Event": event} for event in found]}


def publish(name):
    if name not in events:
        raise Refused(404, "Invalid event.")
    keep({**events[name], "published": True})
    return {"saved": True, "success": True, "name": "Job queued", "message": "Job queued", "id": "1"}


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.handle_with(lambda path, _: {
            "/servers/getVersion": {"version": "2.5.0", "perm_sync": False},
            "/users/view/me": {"User": {"email": "plant@example.org"}, "Role": {"perm_add": True, "perm_publish": True}},
        }.get(path) or ({"response": list(events.values())} if path == "/test/all" else None))

    def do_POST(self):
        def answer(path, body):
            if path == "/events/add":
                return add(body)
            if path == "/events/restSearch":
                return search(body)
            if match := re.fullmatch("/events/(edit|publish)/(.+)", path):
                return edit(match[2], body) if match[1] == "edit" else publish(match[2])

        self.handle_with(answer)

    def handle_with(self, answer):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            if self.headers.get("Authorization") != KEY:
                raise Refused(403, "Authentication failed. Please make sure you pass the API key of an API enabled user along in the Authorization header.")
            if self.headers.get("Accept") != "application/json":
                raise Refused(406, "Not acceptable.")
            if body and self.headers.get("Content-Type") != "application/json":
                raise Refused(415, "Unsupported media type.")
            with lock:
                said = answer(self.path, json.loads(body or b"{}"))
            status, said = (200, said) if said is not None else (404, {"name": "Not Found", "message": "Not Found", "url": self.path})
        except Refused as no:
            status, said = no.status, {"saved": False, "name": no.name, "message": no.name, "url": self.path}
            if no.errors:
                said["errors"] = no.errors
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


ThreadingHTTPServer((ADDRESS, PORT), Api).serve_forever()
'''


class Misp(Server):
    kind = "misp"
    exactly_once = True

    def prepare(self):
        (self.folder / "server.py").write_text(PROGRAM)

    def sink(self):
        return f'url = "http://{ADDRESS}:{PORT}"\nkey = "{KEY}"\nprivate = true\npublish = true'

    def start(self):
        self.run(sys.executable, "server.py", ADDRESS, str(PORT), KEY, cwd=self.folder)
        self.until(lambda: self.get("/servers/getVersion"), "it to answer")

    def get(self, path):
        connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=30)
        connection.request("GET", path, headers={"Accept": "application/json", "Authorization": KEY})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def kept(self):
        """Its events."""
        return self.get("/test/all")["response"]

    def expects(self, event):
        return is_shared(event)

    def received(self):
        connections = [one for event in self.kept() for one in event["Object"] if one["name"] == "network-connection"]
        return [re.search(r"honeyplant event ([0-9a-f]{8}-\d+)", one["comment"])[1] for one in connections]
