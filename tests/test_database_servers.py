"""The record in databases on servers: the questions of the documentation, texts that were made to hurt, and several sensors
at once."""

import csv
import io
import json
import socket
import subprocess
import threading

import pytest
from conftest import DEMO, Peer, Plant, honeyplant, site, wait_until
from servers.clickhouse import ClickHouse
from servers.mariadb import MariaDb
from servers.postgres import PASSWORD, Postgres
from test_databases import DOCUMENT, SITE, STORE, attack, holds

HOSTILE = b"a\x00b\xf0\x9f\x98\x80\xff'); DROP TABLE events; -- \\' \\u0000 \" \x1b[2J"


@pytest.fixture(params=[Postgres, MariaDb], ids=lambda server: server.__name__.lower())
def server(request, tmp_path):
    with request.param(tmp_path / "server") as server:
        yield server


def sensor(folder, server, address=DEMO[0]):
    """A site that delivers to the server."""
    folder.mkdir()
    return site(folder, plc=address, more=f"port-offset = 10000\n[[sinks.{server.kind}]]\n{server.sink()}")


def asking(server):
    """What asks the server: the rows of the answer, by the names of their columns."""

    def postgres(sql):
        [answer] = server.ask(f"SET TIME ZONE 'UTC'; SELECT coalesce(json_agg(row), '[]')::jsonb FROM ({sql}) row")[1:]
        return json.loads(answer)

    def mariadb(sql):
        command = ["mariadb", "--no-defaults", "-B", f"--socket={server.folder / 'socket'}", "--user=root", "honeyplant"]
        command += ["--default-character-set=utf8mb4", "-e", f"SET SESSION sql_mode = DEFAULT; {sql}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = csv.DictReader(io.StringIO(done.stdout), delimiter="\t", quoting=csv.QUOTE_NONE)
        return [{name: read(name, value) for name, value in row.items()} for row in rows]

    def read(name, value):
        if value == "NULL":
            return None
        return int(value) if name != "install" and value.isdecimal() and str(int(value)) == value else value

    return postgres if server.kind == "postgres" else mariadb


def delivered(plant, server, folder):
    """Runs the site until all of the record is in the server."""
    plant.start(folder)
    server.until(lambda: {event["event"]["id"] for event in plant.events()} <= set(server.received()), "every event")
    plant.stop()
    server.until(lambda: {event["event"]["id"] for event in plant.events()} <= set(server.received()), "the end")


def test_the_questions_of_the_documentation_have_answers(server, plant, tmp_path):
    attack(plant)
    delivered(plant, server, sensor(tmp_path / "sensor", server))
    holds(asking(server), plant)
    assert f"{len(plant.events())} events of this install" in honeyplant(
        "--state", plant.state, "check", "--probe", tmp_path / "sensor"
    )


def test_the_questions_for_clickhouse_have_answers(plant, tmp_path):
    with ClickHouse(tmp_path / "server") as server:
        attack(plant)
        delivered(plant, server, sensor(tmp_path / "sensor", server))
        _, section = DOCUMENT.split("\n## ClickHouse\n")
        questions = [block.split("\n```")[0] for block in section.split("\n## ")[0].split("```sql\n")[1:]]
        for question in questions:
            if question.startswith("SELECT"):
                assert server.ask(question.rstrip(";\n")), question


def test_what_an_actor_sends_is_data(server, plant, tmp_path):
    plant.start(SITE, listens=(STORE, 21))
    with socket.create_connection((STORE, 21), 20) as ftp:
        ftp.recv(1000)
        for line in [b"USER " + HOSTILE, b"PASS " + HOSTILE, b"CWD " + HOSTILE]:
            ftp.sendall(line + b"\r\n")
            ftp.recv(1000)
    wait_until(lambda: plant.events("login"), "the login to be recorded")
    plant.stop()
    delivered(plant, server, sensor(tmp_path / "sensor", server))
    [login] = [event for event in plant.events("login") if "secret" in event["honeyplant"]]
    names = [login["user"]["name"], login["honeyplant"]["secret"]]
    assert any("\0" in name for name in names) and any("\U0001F600" in name for name in names), names
    [row] = asking(server)("SELECT hex(user_name) AS u, hex(secret) AS s FROM logins") if server.kind == "mysql" else asking(
        server
    )("SELECT encode(convert_to(user_name, 'UTF8'), 'hex') AS u, encode(convert_to(secret, 'UTF8'), 'hex') AS s FROM logins")
    written = [bytes.fromhex(str(row[name])).decode() for name in "us"]
    assert written == [name.replace("\0", "\u2400") for name in names]


def test_sensors_that_write_at_once_do_not_lose_or_block_each_other(server, tmp_path):
    sensors = []
    for number in range(3):
        folder = tmp_path / f"sensor-{number}"
        folder.mkdir()
        plant = Plant(folder)
        address = f"127.0.10.{number + 2}"
        sensors.append((plant, address, sensor(folder / "site", server, address)))

    def attacked(address):
        for _ in range(20):
            with Peer((address, 10502)) as peer:
                for number in range(30):
                    peer.ask(f"03 {number:04x} 0001")

    try:
        for plant, address, folder in sensors:
            plant.start(folder, listens=(address, 10502))
        threads = [threading.Thread(target=attacked, args=(address,)) for _, address, _ in sensors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        plants = [plant for plant, _, _ in sensors]
        server.until(
            lambda: {event["event"]["id"] for plant in plants for event in plant.events()} <= set(server.received()), "every event"
        )
    finally:
        for plant, _, _ in sensors:
            plant.stop()
    events = [event for plant, _, _ in sensors for event in plant.events()]
    assert sorted(server.received()) == sorted(event["event"]["id"] for event in events)
    count = sum(event["honeyplant"].get("repeated", 1) for event in events if "source" in event)
    [actor] = asking(server)("SELECT events, sessions FROM actors")
    assert actor == {"events": count, "sessions": 60}
    assert not any("fails" in plant.log.read_text() for plant, _, _ in sensors)


def test_what_a_restored_database_lacks_comes_from_the_journal(server, plant, tmp_path):
    folder = sensor(tmp_path / "sensor", server)
    delivered(plant, server, folder)
    before = len(plant.events())
    delivered(plant, server, folder)
    # As it was after the first run.
    for table in ["events", "logins"]:
        server.ask(f"DELETE FROM {table} WHERE sequence > {before}")
    server.ask(f"UPDATE position SET next = {before + 1}")
    delivered(plant, server, folder)
    assert server.received() == [event["event"]["id"] for event in plant.events()]


def test_a_migration_that_was_broken_off_is_gone_on_with(plant, tmp_path):
    with MariaDb(tmp_path / "server") as server:
        folder = sensor(tmp_path / "sensor", server)
        delivered(plant, server, folder)
        # Half of the tables are there, and nothing tells of which version.
        server.ask("DROP TABLE honeyplant_version, actors, artefacts, logins; DROP INDEX events_at ON events")
        delivered(plant, server, folder)
        assert server.received() == [event["event"]["id"] for event in plant.events()]


def test_a_database_that_cannot_hold_texts_is_told(plant, tmp_path):
    with Postgres(tmp_path / "server") as server:
        server.ask("CREATE DATABASE old ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        folder = sensor(tmp_path / "sensor", server)
        text = (folder / "site.toml").read_text().replace('database = "postgres"', 'database = "old"')
        (folder / "site.toml").write_text(text)
        said = honeyplant("--state", plant.state, "check", "--probe", folder, code=1)
        assert "LATIN1" in said and "UTF8" in said, said


def test_a_user_without_rights_is_told(plant, tmp_path):
    with Postgres(tmp_path / "server") as server:
        server.ask(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'")
        folder = sensor(tmp_path / "sensor", server)
        path = folder / "site.toml"
        path.write_text(path.read_text().replace('database = "postgres"', 'database = "postgres"\nuser = "guest"'))
        assert "may not create tables" in honeyplant("--state", plant.state, "check", "--probe", folder, code=1)
        path.write_text(path.read_text().replace('user = "guest"', 'user = "nobody"'))
        said = honeyplant("--state", plant.state, "check", "--probe", folder, code=1)
        assert "nobody" in said and "secret" not in said, said
