"""Sinks for operations: alerts, metrics, and the records of Conpot, as those see them who get them."""

import ast
import datetime
import json
import re
import urllib.error
import urllib.request
import uuid

import pytest
from conftest import DEMO, Peer, honeyplant, site, wait_until
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics
from servers.splunk import Splunk
from servers.webhook import Discord, Slack, Webhook

METRICS = "http://127.0.0.1:9101/metrics"


@pytest.fixture
def place(tmp_path):
    """A site's folder, with the sink of a table."""

    def make(kind, table):
        folder = tmp_path / "site"
        folder.mkdir(exist_ok=True)
        return site(folder, plc=DEMO[0], more=f"port-offset = 10000\n[[sinks.{kind}]]\n{table}")

    return make


def session(*requests):
    with Peer() as peer:
        for request in requests:
            peer.ask(request)


def logstash(line):
    """What T-Pot's pipeline does with a line of its type ConPot: the fields of JSON, the event's own time, the destination
    under another name, and every address and port as such."""
    fields = json.loads(line)
    fields["@timestamp"] = datetime.datetime.fromisoformat(fields["timestamp"]).replace(tzinfo=datetime.timezone.utc)
    fields["dest_ip"], fields["dest_port"] = fields.pop("dst_ip"), fields.pop("dst_port")
    fields["type"] = "ConPot"
    return fields


def test_a_file_of_conpot_is_read_as_conpots(plant, place):
    plant.start(place("json-lines", 'path = "conpot.json"\nformat = "conpot"\n'))
    session("03 0000 0002", "05 0000 ff00")
    wait_until(lambda: plant.events("closed"), "the session to end")
    plant.stop()
    records = [logstash(line) for line in (plant.state / "conpot.json").read_text().splitlines()]
    keys = "timestamp sensorid id src_ip src_port dst_ip dst_port public_ip data_type request response event_type"
    line = (plant.state / "conpot.json").read_text().splitlines()[0]
    assert list(json.loads(line)) == keys.split()
    assert [record["event_type"] for record in records] == ["NEW_CONNECTION", None, None, "CONNECTION_LOST"]
    assert {record["data_type"] for record in records} == {"modbus"}
    assert len({record["id"] for record in records}) == 1 and uuid.UUID(records[0]["id"]).version == 4
    first = records[1]
    assert bytes.fromhex(ast.literal_eval(first["request"]).decode()) == bytes.fromhex("0001 0000 0006 01 03 0000 0002")
    assert ast.literal_eval(first["response"]).startswith(b"0304")
    assert (first["src_ip"], first["dest_ip"], first["dest_port"]) == ("127.0.0.1", *DEMO)
    started = plant.events("opened")[0]["@timestamp"]
    assert first["@timestamp"] >= datetime.datetime.fromisoformat(started)


def test_a_grave_session_is_told_and_no_other(plant, place, tmp_path):
    with Slack(tmp_path / "server") as server:
        plant.start(place("webhook", server.sink() + 'about = "sessions"\nmin-severity = 6\n'))
        session("03 0000 0002")
        session("05 0000 ff00")
        session("03 0000 0003")
        ended = wait_until(lambda: len(plant.events("closed")) == 3 and plant.events("closed"), "all to end")
        told = server.until(server.received, "the alert")
        assert told == [event["event"]["id"] for event in ended if event["event"]["severity"] >= 6]
        header, section, _ = server.bodies()[0]["blocks"]
        assert header["text"]["text"] == "Session ended at plc, severity 8 of 10"
        fields = dict(field["text"].split("\n", 1) for field in section["fields"])
        assert fields["Actor"].startswith("127.0.0.1") and fields["Tried"] == "write 1"
        assert "T0855" in fields["Techniques"] and fields["Device"] == "plc (schneider-m340)"
        plant.stop()


def test_beyond_the_limit_one_message_tells_how_many_more(plant, place, tmp_path):
    with Discord(tmp_path / "server") as server:
        table = server.sink().replace("limit = 0", "limit = 3").replace("most = 10", 'most = 1\nevery = "2s"')
        plant.start(place("webhook", table + 'actions = ["read"]\n'))
        session(*[f"03 {number:04x} 0001" for number in range(40)])
        bodies = server.until(lambda: len(server.bodies()) == 3 and server.bodies(), "three messages")
        singles = [body["embeds"][0]["title"] for body in bodies if body["embeds"][0]["title"].startswith("read at")]
        more = re.match("([0-9]+) more events", bodies[-1]["embeds"][0]["title"])
        assert more and len(singles) == 2 and int(more[1]) + len(singles) <= 40
        fields = {field["name"]: field["value"] for field in bodies[-1]["embeds"][0]["fields"]}
        assert fields["Actions"] == f"read {more[1]}" and "127.0.0.1" in fields["Actors"]
        plant.kill()


def test_a_service_that_is_busy_or_does_not_like_a_message(plant, place, tmp_path):
    with Webhook(tmp_path / "server") as server:
        server.refuse("429 0.2", "413", "404")
        plant.start(place("webhook", server.sink() + 'actions = ["write"]\n'))
        session("05 0000 ff00")
        wait_until(lambda: "there is no such webhook" in plant.log.read_text(), "the operator to be told of the 404")
        body = server.until(lambda: server.bodies() and server.bodies()[0], "the message")
        assert body["event"]["id"] == plant.events("write")[0]["event"]["id"]
        plant.stop()


def test_a_template_makes_the_body(plant, place, tmp_path):
    with Webhook(tmp_path / "server") as server:
        template = '''template = '{"text": {{ message ~ "!" }}, "from": {{ source.ip }}, "event": {"id": {{ event.id }}}}'\n'''
        plant.start(place("webhook", server.sink() + template + 'actions = ["read"]\n'))
        session("03 0000 0001")
        body = server.until(lambda: server.bodies() and server.bodies()[0], "the message")
        read = plant.events("read")[0]
        assert body == {"text": read["message"] + "!", "from": "127.0.0.1", "event": {"id": read["event"]["id"]}}
        plant.stop()


def test_secrets_of_an_address_are_not_told(plant, place):
    folder = place("webhook", 'url = "http://127.0.0.1:9/services/T0/B0/TOKEN"\n')
    assert "TOKEN" not in honeyplant("--state", plant.state, "check", "--probe", folder, code=1)


def test_splunk_has_events_with_their_own_time_and_fields(plant, place, tmp_path):
    with Splunk(tmp_path / "server") as server:
        plant.start(place("splunk", server.sink()))
        session("03 0000 0002", "05 0000 ff00")
        wait_until(lambda: plant.events("closed"), "the session to end")
        server.until(lambda: len(server.events()) == len(plant.events()), "all of it")
        for event, document in zip(server.events(), plant.events()):
            assert event["event"] == document
            moment = datetime.datetime.fromisoformat(document["@timestamp"]).timestamp()
            assert event["time"] == pytest.approx(moment, abs=1e-6)
            assert (event["host"], event["source"], event["index"]) == ("test", "honeyplant", "honeyplant")
        write = next(event for event in server.events() if event["fields"]["action"] == "write")
        assert write["fields"]["technique"] == ["T0855"] and write["fields"]["src"] == "127.0.0.1"
        plant.stop()


def test_one_event_that_splunk_does_not_like_holds_up_no_other(plant, place, tmp_path):
    with Splunk(tmp_path / "server") as server:
        server.refuse("503 9", "400 6 0", "400 15 0")
        (server.folder / "longest").write_text("4500")
        plant.start(place("splunk", server.sink()))
        session("10 0000 007b f6" + 246 * "ff")
        session("03 0000 0002")
        wait_until(lambda: "it is busy" in plant.log.read_text(), "the operator to be told")
        wait_until(lambda: len(plant.events("closed")) == 2, "the sessions to end")

        def there():
            events = [event["event"] for event in server.events()]
            taken = [json.loads(event) if isinstance(event, str) else event for event in events]
            return {event["event"]["id"] for event in taken} == {event["event"]["id"] for event in plant.events()}

        server.until(there, "all of it")
        plant.stop()
        cut = [event for event in server.events() if event.get("fields", {}).get("shortened")]
        assert [event["fields"]["action"] for event in cut] == ["write"]
        assert cut[0]["event"]["honeyplant"]["request"]["length"] == 259 and len(json.dumps(cut[0]["event"])) < 2500


def scrape(accept="text/plain"):
    with urllib.request.urlopen(urllib.request.Request(METRICS, headers={"Accept": accept}), timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def value(text, name, **labels):
    samples = [sample for family in text_metrics(text) for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_metrics_count_what_happens(plant, place):
    folder = place("prometheus", "[[sinks.json-lines]]\n")
    assert "http://127.0.0.1:9101/metrics can be had" in honeyplant("--state", plant.state, "check", "--probe", folder)
    plant.start(folder)
    session(*["03 0000 0002"] * 50, "05 0000 ff00")
    wait_until(lambda: plant.events("closed"), "the session to end")
    with Peer() as peer:
        peer.ask("03 0000 0001")
        wait_until(lambda: value(scrape()[1], "honeyplant_events_total", action="opened") == 2, "both sessions to be counted")
        text, events = scrape()[1], plant.events()
    assert value(text, "honeyplant_sessions_open", protocol="modbus") == 1
    assert "is answered by a site that runs" in honeyplant("--state", plant.state, "check", "--probe", folder)
    for action in ("opened", "read", "write", "closed"):
        count = sum(event["honeyplant"].get("repeated", 1) for event in events if event["event"]["action"] == action)
        counted = value(text, "honeyplant_events_total", action=action)
        assert counted == count or action == "read" and counted >= 50, action
    assert value(text, "honeyplant_events_total", action="write", protocol="modbus", device="plc", outcome="success") == 1
    assert value(text, "honeyplant_techniques_total", technique="T0855") == 1
    ending = plant.events("closed")[0]["honeyplant"]["ending"]
    assert value(text, "honeyplant_received_bytes_total") == ending["received"]
    assert value(text, "honeyplant_sent_bytes_total") == ending["sent"]
    assert value(text, "honeyplant_session_severity_bucket", le="7.0") == 0
    assert value(text, "honeyplant_session_severity_bucket", le="8.0") == 1
    assert value(text, "honeyplant_journal_next_sequence") >= len(events)
    assert value(text, "honeyplant_build_info", site="test") == 1
    assert value(text, "process_resident_memory_bytes") / 2**20 == pytest.approx(plant.megabytes(), rel=0.5)
    assert value(text, "process_open_fds") > 5
    wait_until(lambda: value(scrape()[1], "honeyplant_sink_behind_events", sink="json-lines") == 0, "the sink to be up to date")


def test_both_formats_are_what_prometheus_reads(plant, place):
    plant.start(place("prometheus", ""))
    session("03 0000 0002", "41")
    wait_until(lambda: plant.events("closed"), "the session to end")
    wait_until(lambda: value(scrape()[1], "honeyplant_sessions_total") == 1, "the session to be counted")
    kind, text = scrape()
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    old = {family.name for family in text_metrics(text)}
    kind, text = scrape("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8" and text.endswith("# EOF\n")
    new = {family.name for family in open_metrics(text)}
    assert {name.removesuffix("_info") for name in old} == new
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(METRICS.replace("metrics", ""), timeout=10)


def test_the_page_is_not_where_actors_are(plant, place):
    said = honeyplant("--state", plant.state, "check", place("prometheus", 'listen = "0.0.0.0:9101"\n'), code=1)
    assert "may be reached by actors" in said and "public = true" in said
    plant.start(place("prometheus", f'listen = "{DEMO[0]}:{DEMO[1]}"\n'))
    wait_until(lambda: "nobody can ask for metrics" in plant.log.read_text(), "the operator to be told")
    session("03 0000 0002")
