"""A TAXII 2.1 server: medallion, the reference implementation of OASIS.

It keeps everything in memory. Here its backend writes each envelope to a file before it is acknowledged, and reads the file
when it starts, so that what it acknowledged survives as it would on a server with a database. All else is as it comes: also
that it calls it a failure if an object is there already.
"""

import base64
import json
import os
import sys
import urllib.request
from pathlib import Path

from . import Server

ADDRESS, PORT = "127.0.0.1", 16100
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
MEDIA = "application/taxii+json;version=2.1"

PROGRAM = '''
import json, pathlib, sys
from medallion import application_instance, register_blueprints, set_config
from medallion.backends.memory_backend import MemoryBackend
from medallion.common import get_timestamp
from servers.kept import keep, lines


class Kept(MemoryBackend):
    def __init__(self, filename, kept, **_):
        super().__init__(filename=filename)
        self.kept = pathlib.Path(kept)
        for line in lines(self.kept):
            super().add_objects("api", COLLECTION, json.loads(line), get_timestamp())

    def add_objects(self, root, collection, envelope, time):
        keep(self.kept, json.dumps(envelope))
        return super().add_objects(root, collection, envelope, time)


sys.modules["kept"] = sys.modules["__main__"]
configuration = json.load(open("medallion.json"))
COLLECTION = configuration["collection"]
for part in ("users", "taxii", "backend"):
    set_config(application_instance, part, configuration)
register_blueprints(application_instance)
application_instance.run(host=sys.argv[1], port=int(sys.argv[2]))
'''


class Taxii(Server):
    kind = "taxii"
    # How long an envelope may be: not much, so that batches are split.
    longest = 20_000

    def prepare(self):
        self.origin = f"http://{ADDRESS}:{PORT}"
        (self.folder / "server.py").write_text(PROGRAM)
        backend = {"module": "kept", "module_class": "Kept", "filename": "data.json", "kept": "kept.jsonl"}
        configuration = {"users": {"plant": "s3cret"}, "taxii": {"max_page_size": 1_000_000}, "backend": backend}
        (self.folder / "medallion.json").write_text(json.dumps({**configuration, "collection": COLLECTION}))
        collections = [
            {"id": "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4", "title": "Feed", "can_read": True, "can_write": False},
            {"id": COLLECTION, "title": "Honeypots", "alias": "honeypots", "can_read": True, "can_write": True},
        ]
        for collection in collections:
            collection.update(media_types=["application/stix+json;version=2.1"], objects=[], manifest=[])
        data = {
            "/discovery": {"title": "Test", "default": f"{self.origin}/api/", "api_roots": [f"{self.origin}/api/"]},
            "api": {
                "information": {"title": "Test", "versions": [MEDIA], "max_content_length": self.longest},
                "status": [],
                "collections": collections,
            },
        }
        (self.folder / "data.json").write_text(json.dumps(data))

    def sink(self):
        return f'url = "{self.origin}"\ncollection = "honeypots"\nuser = "plant"\npassword = "s3cret"\nprivate = true'

    def start(self):
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        self.run(sys.executable, "server.py", ADDRESS, str(PORT), cwd=self.folder, env=environment)
        self.until(lambda: self.get("/taxii2/"), "medallion to answer")

    def get(self, path):
        word = base64.b64encode(b"plant:s3cret").decode()
        request = urllib.request.Request(self.origin + path, headers={"Accept": MEDIA, "Authorization": f"Basic {word}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def objects(self):
        """All that it has, in the order in which it came."""
        return self.get(f"/api/collections/{COLLECTION}/objects/").get("objects", [])

    def expects(self, event):
        return is_shared(event)

    def received(self):
        observed = [one for one in self.objects() if one["type"] == "observed-data"]
        return [one["external_references"][0]["external_id"] for one in observed]


def is_shared(event):
    """Sessions that ended and were more than a scan of ports, and events that are shared at once, as docs/sharing.md says."""
    kind, severity = event["event"]["action"], event["event"]["severity"]
    if kind == "closed":
        return severity >= 2
    return "source" in event and (severity >= 9 or kind in ("login", "relay") or "hash" in event.get("file", {}))
