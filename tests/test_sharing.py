"""What is shared with others: bundles of STIX that the reference implementations of OASIS accept, and nothing that should stay."""

import contextlib
import ftplib
import http.client
import io
import json
import re
import subprocess
import uuid

import pymisp
import pytest
import stix2
from conftest import PATIENCE, ROOT, Peer, honeyplant, site, wait_until
from servers.misp import Misp
from servers.taxii import Taxii
from snap7 import Client
from stix2validator import ValidationOptions, validate_instance

PUBLIC = "198.51.100.7"
HILL, INTAKE = "127.0.10.1", "127.0.10.2"
SECRETS = ("fwdownload", "wrong-Secret-1")
ALL = ROOT / "tests/stix/catalogue.json"
MITRE = "identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"
# STIX 2.1 §2.9, and what §6 makes the ids of.
NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
IDENTIFYING = {
    "ipv4-addr": ["value"],
    "autonomous-system": ["number"],
    "file": ["hashes", "name"],
    "network-traffic": "start end src_ref dst_ref src_port dst_port protocols extensions".split(),
}
# What a drawn number may stand in by chance: ids, hashes, times and ports.
OTHER_DIGITS = re.compile(r'"external_id": "[^"]*"|[0-9a-f-]{32,}|[-0-9T:.]+Z|_port": \d+')


def valid(bundle):
    """Both readers of OASIS take it: the one is strict in what is there, the other knows what the standard recommends."""
    parsed = stix2.parse(bundle, allow_custom=False, version="2.1")
    result = validate_instance(bundle, ValidationOptions(version="2.1", strict_properties=True))
    assert result.is_valid, [str(error) for error in result.errors]
    # It would have ids be random (103), but what is delivered twice must have the same; and pages be hashed (302).
    warnings = [str(one) for one in result.warnings if not ("{103}" in str(one) or "{302}" in str(one))]
    assert not warnings
    known = {one["id"] for one in bundle["objects"]}
    for one in bundle["objects"]:
        for name, value in one.items():
            for target in value if name.endswith("_refs") else [value] if name.endswith("_ref") else []:
                assert target in known or target == MITRE, f"{name} of {one['id']} leads nowhere"
        if names := IDENTIFYING.get(one["type"]):
            parts = {name: one[name] for name in names if name in one}
            text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert one["id"].endswith(str(uuid.uuid5(NAMESPACE, text))), "everybody makes the same id of it"
    assert len(parsed.objects) == len(known)
    return bundle


def bundles(plant):
    return [valid(json.loads(path.read_text())) for path in sorted((plant.state / "stix").glob("*.json"))]


def objects(plant):
    """All that was shared, each in its last version."""
    return {one["id"]: one for bundle in bundles(plant) for one in bundle["objects"]}


def of(shared, kind):
    return [one for one in shared.values() if one["type"] == kind]


def plants(folder, more):
    """The demo site with one more sink."""
    text = (ROOT / "sites/waterworks/site.toml").read_text()
    (folder / "site.toml").write_text(f"{text}\n[[sinks.stix]]\nevery = '200ms'\n{more}\n")
    process = ROOT / "sites/waterworks/process.st"
    (folder / "process.st").write_text(process.read_text())
    return folder


def attack(source="127.0.0.1"):
    """An hour of an intruder in a second: looks around, tries passwords, brings a file, writes to the process, stops a CPU."""
    with Peer(source=source) as peer:
        peer.ask("2b 0e 01 00")
        peer.ask("03 0064 0004")
        peer.ask("10 0064 0002 04 0001 0002")
    ftp = ftplib.FTP(timeout=PATIENCE, source_address=(source, 0))
    ftp.connect(INTAKE, 10021)
    with contextlib.suppress(ftplib.error_perm):
        ftp.login("root", SECRETS[1])
    ftp.login("loader", SECRETS[0])
    ftp.storbinary(f"STOR at-{INTAKE}.bin", io.BytesIO(b"\x7fELF, or so it says"))
    ftp.quit()
    fetch(source, f"/cgi-bin/x?to=http://{INTAKE}/&or=plc-intake")


def fetch(source, path):
    web = http.client.HTTPConnection(INTAKE, 10080, timeout=PATIENCE, source_address=(source, 0))
    web.request("GET", path, headers={"User-Agent": "probe/1.0 \x07"})
    web.getresponse().read()
    web.close()


def try_names():
    """Names that nobody has, but that some database, screen or form might choke on."""
    for name in (" ", "' OR 1=1 --", 'a"b\\c', "{{7*7}}<script>", "\x07\x1b[2J", "n" * 400, "ä😀"):
        ftp = ftplib.FTP(timeout=PATIENCE)
        ftp.connect(INTAKE, 10021)
        with contextlib.suppress(ftplib.Error, EOFError, UnicodeEncodeError):
            ftp.login(name, "x")
        ftp.close()


def stop_cpu():
    client = Client()
    client.connect(HILL, 0, 2, tcp_port=10102)
    client.plc_stop()
    client.disconnect()


def closed(plant, sessions):
    wait_until(lambda: len(plant.events("closed")) >= sessions, "the sessions to be over")


@pytest.fixture
def public():
    """An address of the Internet, as far as this network knows."""
    subprocess.run(["ip", "address", "replace", f"{PUBLIC}/32", "dev", "lo"], check=True)
    return PUBLIC


def test_an_attack_on_the_demo_is_a_valid_bundle(plant, tmp_path):
    plant.start(plants(tmp_path, "private = true\norganisation = 'Example Utility'\nsector = 'water'"))
    attack()
    try_names()
    stop_cpu()
    closed(plant, 11)
    plant.stop()
    shared = objects(plant)
    kinds = {one["type"] for one in shared.values()}
    assert kinds >= {
        "identity", "marking-definition", "observed-data", "note", "sighting", "indicator", "relationship",
        "attack-pattern", "ipv4-addr", "network-traffic", "user-account", "file",
    }
    identity = of(shared, "identity")[0]
    assert (identity["name"], identity["identity_class"], identity["sectors"]) == ("Example Utility", "organization", ["water"])
    seen = {one["external_references"][0]["external_id"]: one for one in of(shared, "attack-pattern")}
    assert seen.keys() >= {"T0836", "T0855", "T0858", "T0816", "T0867", "T0859"}
    # MITRE's own.
    assert seen["T0836"]["id"] == "attack-pattern--097924ce-a9a9-4039-8591-e0deedfb8722"
    assert "[ipv4-addr:value = '127.0.0.1']" in {one["pattern"] for one in of(shared, "indicator")}
    # What stops a CPU is told at once and not only in the summary.
    told = {one["external_references"][0]["external_id"] for one in of(shared, "observed-data")}
    stop = next(event for event in plant.events("command") if event["event"]["severity"] == 10)
    assert stop["event"]["id"] in told
    summaries = [note["content"] for note in of(shared, "note")]
    assert any("write 1" in text and "the furthest tactic is Impair Process Control" in text for text in summaries), summaries


def test_what_should_stay_stays(plant, public, tmp_path):
    plant.start(plants(tmp_path, "withhold = ['or=plc-intake']"))
    attack()
    attack(public)
    closed(plant, 6)
    plant.stop()
    shared = objects(plant)
    assert {one["value"] for one in of(shared, "ipv4-addr")} == {public}, "sources of the operator's own network are withheld"
    text = json.dumps(list(shared.values()))
    others = OTHER_DIGITS.sub("", text)
    drawn = [value for value in plant.identity().values() if len(value) > 3]
    for secret in ["plc-intake", "waterworks", "127.0.", *SECRETS, *drawn]:
        assert secret not in (others if secret.isdigit() else text), secret
    assert {one["account_login"] for one in of(shared, "user-account")} == {"root", "loader"}
    assert {one["name"] for one in of(shared, "file")} == {"at-decoy.invalid.bin"}
    asked = [one["extensions"]["http-request-ext"] for one in of(shared, "network-traffic") if "extensions" in one]
    assert "/cgi-bin/x?to=http://decoy.invalid/&decoy.invalid" in [one["request_value"] for one in asked]


def test_who_asks_for_more_shares_more(plant, public, tmp_path):
    plant.start(plants(tmp_path, "credentials = true\ndecoy = true\ntlp = 'amber+strict'\nseverity = 0"))
    attack(public)
    closed(plant, 3)
    plant.stop()
    shared = objects(plant)
    assert {one.get("credential") for one in of(shared, "user-account")} == set(SECRETS)
    assert {one["value"] for one in of(shared, "ipv4-addr")} == {public, INTAKE}
    assert [one["name"] for one in of(shared, "marking-definition")] == ["TLP:AMBER+STRICT"]


def test_every_kind_of_event_makes_a_valid_bundle():
    """The bundle is that of a test of the record, which has an event of every kind."""
    bundle = valid(json.loads(ALL.read_text()))
    assert len([one for one in bundle["objects"] if one["type"] == "observed-data"]) > 5


def test_settings_that_cannot_be_are_told(tmp_path):
    folder = plants(tmp_path, "severity = 11\nsector = 'watr'\nwithhold = ['']\nvalid = '0s'")
    told = honeyplant("check", folder, code=1)
    assert "did you mean `organisation`?" in honeyplant("check", plants(tmp_path, "organization = 'x'"), code=1)
    assert "11 is no severity" in told and "did you mean `water`?" in told and "valid" in told


def test_misp_gets_what_its_own_client_would_send(plant, tmp_path):
    with Misp(tmp_path / "server") as other:
        folder = tmp_path / "site"
        folder.mkdir()
        site(folder, plc=INTAKE, more=f"port-offset = 10000\n[[sinks.misp]]\n{other.sink()}\ncredentials = true")
        plant.start(folder)
        attack()
        try_names()
        closed(plant, 10)
        plant.stop()
        other.until(lambda: len(other.received()) >= 10, "the event")
        events = other.kept()
    assert len(events) in (1, 2), "an event a day"
    assert not [*plant.state.glob("sinks/*.refused.jsonl")], "it took everything"
    assert events[0]["published"]
    event = pymisp.MISPEvent(strict_validation=True)
    event.from_dict(**events[0])
    names = {one.name for one in event.objects}
    assert names == {"network-connection", "credential", "file", "http-request"}
    for one in event.objects:
        strict = pymisp.MISPObject(one.name, strict=True)
        for attribute in one.attributes:
            made = strict.add_attribute(attribute.object_relation, attribute.value)
            assert (made.type, made.category) == (attribute.type, attribute.category), attribute.object_relation
        strict.to_dict()
    assert [(one.type, one.value, one.to_ids) for one in event.attributes] == [("ip-src", "127.0.0.1", True)]
    tags = {tag.name for tag in event.tags}
    assert {"tlp:green", 'misp-galaxy:mitre-attack-pattern="Modify Parameter - T0836"'} <= tags
    secrets = {value for one in event.get_objects_by_name("credential") for value in [one.get_attributes_by_relation("password")[0].value]}
    assert secrets >= set(SECRETS)


def test_a_server_gets_what_the_files_have(plant, tmp_path):
    with Taxii(tmp_path / "server") as other:
        # The address may be that of an API root.
        table = other.sink().replace(other.origin, f"{other.origin}/api/")
        plant.start(plants(tmp_path, f"private = true\n[[sinks.taxii]]\n{table}"))
        attack()
        closed(plant, 3)
        plant.stop()
        there = other.objects()
    valid({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": there})
    assert {one["id"] for one in there} == objects(plant).keys()
    assert len({one["id"] for one in there}) == len(there), "once each"


class Narrow(Taxii):
    """A server that takes less than some objects need."""

    kind = ""
    longest = 700


def test_what_a_server_never_takes_is_put_aside_and_told(plant, tmp_path):
    with Narrow(tmp_path / "server") as other:
        folder = tmp_path / "site"
        folder.mkdir()
        site(folder, plc=INTAKE, more=f"port-offset = 10000\n[[sinks.taxii]]\n{other.sink()}")
        plant.start(folder)
        attack()
        closed(plant, 3)
        aside = plant.state / "sinks/taxii.refused.jsonl"
        wait_until(aside.exists, "what was refused to be put aside")
        wait_until(lambda: "the sink taxii works again" in plant.log.read_text(), "the others to go on")
        plant.stop()
        there = {one["id"] for one in other.objects()}
    refused = [json.loads(line) for line in aside.read_text().splitlines()]
    assert all("longer than the 700 bytes" in one["refused"] and len(json.dumps(one["object"])) > 600 for one in refused)
    assert {one["object"]["type"] for one in refused} >= {"observed-data", "note"}
    assert there and not there & {one["object"]["id"] for one in refused}
    assert "it refused" in plant.log.read_text()
