"""The web faces of the demo: the S7-300, the M340 and the panel, as people with browsers, curl and nmap see them."""

import json
import re
import subprocess

import pytest
from conftest import DEMO, Peer, wait_until
from snap7 import Client

HILL, INTAKE, PANEL = "http://127.0.10.1:10080", "http://127.0.10.2:10080", "http://127.0.10.3:10080"
FORM = re.compile(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"')


def curl(url, *options):
    """Status, header fields in small letters, and body."""
    done = subprocess.run(["curl", "-sik", "-m", "10", *options, url], capture_output=True, timeout=30)
    assert done.returncode == 0, f"{url}: curl ended with {done.returncode}\n{done.stderr.decode()}"
    head, _, body = done.stdout.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(first.split()[1]), fields, body


def title(body):
    return re.search(r"<title>(.*?)</title>", body)[1]


def values():
    """What the panel shows, as its pages ask for it."""
    return json.loads(curl(f"{PANEL}/api/values.json")[2])


@pytest.fixture
def panel(demo, tmp_path):
    """The demo, and what to give curl to be who may operate the panel."""
    drawn = demo.identity("hmi-works")
    jar = tmp_path / "cookies"
    account = ["-d", f"user={drawn['operator_name']}", "-d", f"password={drawn['operator_password']}"]
    status, fields, _ = curl(f"{PANEL}/login", "-c", str(jar), *account)
    assert (status, fields["location"]) == (302, "/setpoints.html")
    return demo, ["-b", str(jar)]


def test_every_page_of_the_s7_300_names_its_station(demo):
    drawn = demo.identity("plc-hill")
    status, fields, _ = curl(f"{HILL}/")
    assert (status, fields["location"]) == (302, "/Portal0000.htm")
    for number in range(9):
        status, _, body = curl(f"{HILL}/Portal{number}000.htm")
        assert (status, title(body)) == (200, drawn["station"])
        assert "/S7Web.css" in body and f'Header_Title_Description">{drawn["station"]}/{drawn["cpu_name"]}<' in body
    for page, shown in [("Ident", drawn["serial"]), ("Comm", drawn["mac"]), ("Module", "6ES7 315-2EH14-0AB0")]:
        assert shown in curl(f"{HILL}/Portal/Portal.mwsl?PriNav={page}")[2]
    assert "Diagnosepuffer" in curl(f"{HILL}/Portal/Portal.mwsl?PriNav=Diag&Language=de")[2]
    assert curl(f"{HILL}/parts/head.htm")[0] == curl(f"{HILL}/nothing.htm")[0] == 404


def variables(*asked):
    """What the page of variables shows for addresses with their formats."""
    query = "".join(f"&v{row}={address}&t{row}={form}" for row, (address, form) in enumerate(asked, 1))
    body = curl(f"{HILL}/Portal/Portal.mwsl?PriNav=Varstate{query}")[2]
    return re.findall(r'<td class="num">([^<]*)</td>', body)[: len(asked)]


def test_a_visitor_names_an_address_and_sees_its_value(demo):
    level, word, bit, nothing, tag = variables(
        ("DB20.DBD0", "REAL"), ("IW288", "HEX"), ("M20.6", "BOOL"), ("DB999.DBW0", "DEC"), ("reservoir_level", "REAL")
    )
    assert 0.5 < float(level) < 4.7 and word.startswith("16#") and bit == "true" and nothing == "-"
    assert abs(float(tag) - float(level)) < 0.05
    # It lives: the counter of seconds goes on.
    before = int(variables(("DB20.DBW50", "DEC"))[0])
    wait_until(lambda: int(variables(("DB20.DBW50", "DEC"))[0]) != before, "the life counter to change")
    assert 'http-equiv="refresh"' in curl(f"{HILL}/Portal/Portal.mwsl?PriNav=Varstate")[2]


def test_a_pump_that_is_switched_on_at_the_s7_300_is_seen_on_the_panel_and_over_snmp(demo, tmp_path):
    drawn, jar = demo.identity("plc-hill"), str(tmp_path / "cookies")
    poke = ["-d", "Address=Q4.1", "-d", "Value=1"]
    status, fields, _ = curl(f"{HILL}/VarStateRedirect.mwsl", *poke)
    assert status == 302 and "failed" in fields["location"], "who is not logged in is sent to where one can"
    login = ["-d", f"Login={drawn['web_user']}", "-d", f"Password={drawn['web_password']}"]
    assert "failed" not in curl(f"{HILL}/FormLogin", "-c", jar, *login)[1]["location"]
    assert not values()["hill_pump_2_running"]
    assert "v1=Q4.1" in curl(f"{HILL}/VarStateRedirect.mwsl", "-b", jar, *poke)[1]["location"]
    wait_until(lambda: values()["hill_pump_2_running"] and values()["hill_inflow"] > 5, "the pump to run")
    told = subprocess.run(
        ["snmpget", "-v2c", "-cpublic", "-Oqv", "127.0.10.3:10161", "1.3.6.1.4.1.8072.9999.9999.3.6.0"],
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == "1", told.stderr
    wait_until(lambda: any("Q4.1" in event["message"] for event in demo.events("write")), "the write to be recorded")


def test_a_cpu_that_is_stopped_over_s7_says_so_on_its_pages(demo):
    start, buffer = f"{HILL}/Portal0000.htm", f"{HILL}/Portal2000.htm"
    assert '<span class="ok">RUN</span>' in curl(start)[2]
    entries = curl(buffer)[2].count("<tr>")
    client = Client()
    client.connect("127.0.10.1", 0, 2, 10102)
    client.plc_stop()
    assert '<span class="bad">STOP</span>' in curl(start)[2]
    assert "STOP by a command" in curl(buffer)[2] and curl(buffer)[2].count("<tr>") > entries
    client.plc_hot_start()
    client.disconnect()
    assert '<span class="ok">RUN</span>' in curl(start)[2]


def test_the_m340_asks_for_a_name_where_it_does(demo):
    status, fields, _ = curl(f"{INTAKE}/")
    assert (status, fields["location"]) == (302, f"{INTAKE}/index.htm")
    assert fields["server"] == "Schneider-WEB/V2.1.4"
    assert title(curl(f"{INTAKE}/html/english/index.htm")[2]).startswith("TELEMECANIQUE BMX P34 2020")
    status, fields, _ = curl(f"{INTAKE}/secure/system/diag.htm")
    assert status == 401 and fields["www-authenticate"].startswith("Basic realm=")
    assert curl(f"{INTAKE}/secure/system/diag.htm", "-u", "USER:other")[0] == 401
    user = ["-u", "USER:USER"]
    for page in ["monitoring", "dataeditor", "alarms", "control", "diag", "rackviewer", "ethernet", "globaldata", "maintenance"]:
        status, _, body = curl(f"{INTAKE}/secure/system/{page}.htm?Language=English", *user)
        assert status == 200 and demo.identity()["hostname"] in body
    passwords = curl(f"{INTAKE}/secure/embedded/http_passwd_config.htm?Language=English", *user)[2]
    assert title(passwords) == "Passwords modification"
    assert curl(f"{INTAKE}/html/nothing.htm")[0] == 404


def test_the_data_editor_of_the_m340_writes_its_memory(demo):
    editor, user = f"{INTAKE}/secure/system/dataeditor.htm", ["-u", "USER:USER"]
    assert curl(editor, "-d", "ADR=%MW104", "-d", "FMT=INT", "-d", "VAL=391")[0] == 401
    assert "Written" in curl(editor, *user, "--data-urlencode", "ADR=%MW104", "-d", "FMT=INT", "-d", "VAL=391")[2]
    assert "<td>%MW104</td><td class=\"n\">391</td>" in curl(f"{editor}?Address=%25MW100", *user)[2]
    with Peer() as peer:
        assert peer.ask("03 0068 0001") == f"0302{391:04x}"


def test_a_set_point_of_the_panel_reaches_both_controllers(panel):
    demo, me = panel
    page = curl(f"{PANEL}/setpoints.html", *me)[2]
    fields = dict(FORM.findall(page))
    assert len(fields) > 12
    fields |= {"discharge_pressure_setpoint": "3.97", "hill_level_start": "2.31"}
    data = [part for name, value in fields.items() for part in ("-d", f"{name}={value}")]
    assert curl(f"{PANEL}/control", *data)[1]["location"] == "/login.html", "not without a login"
    assert curl(f"{PANEL}/control", *me, *data)[1]["location"] == "/setpoints.html?saved=1"
    with Peer(DEMO) as peer:
        wait_until(lambda: peer.ask("03 0068 0001") == f"0302{397:04x}", "the M340 to have it")
    wait_until(lambda: variables(("DB10.DBD0", "REAL")) == ["2.310000"], "the S7-300 to have it")
    refused = curl(f"{PANEL}/control", *me, "-d", "discharge_pressure_setpoint=99")[2]
    assert "Nothing was changed" in refused and "discharge_pressure_setpoint" in refused
    wait_until(lambda: any("hill_level_start" in event["message"] for event in demo.events("write")), "the record")


def test_a_pump_is_taken_into_manual_at_the_panel(panel):
    _, me = panel
    assert curl(f"{PANEL}/control", *me, "-d", "pump_1_manual=1")[0] == 302
    with Peer(DEMO) as peer:
        wait_until(lambda: peer.ask("01 0002 0001") == "010101", "coil 2 of the M340 to be on")
    assert values()["pump_1_manual"] is True
    assert curl(f"{PANEL}/logout", *me)[0] == 302
    assert curl(f"{PANEL}/control", *me, "-d", "pump_1_manual=0")[1]["location"] == "/login.html"


def test_an_alarm_is_seen_everywhere_until_it_is_acknowledged(panel):
    _, me = panel
    with Peer(DEMO) as peer:
        # A level of 70 cm in place of the measured one.
        assert peer.ask("06 0096 0046") == "0600960046" and peer.ask("05 0040 ff00") == "050040ff00"
    wait_until(lambda: "Raw water: level low" in curl(f"{PANEL}/alarms.html")[2], "the alarm to come at the panel")
    assert "Raw water level low" in curl(f"{INTAKE}/secure/system/alarms.htm", "-u", "USER:USER")[2]
    assert values()["alarm_unacknowledged"] and values()["raw_level"] == 0.7
    acknowledge = [f"{PANEL}/acknowledge", "-d", "alarm_acknowledge=1"]
    assert curl(*acknowledge)[1]["location"] == "/login.html" and values()["alarm_unacknowledged"]
    assert curl(*acknowledge, *me)[1]["location"] == "/alarms.html?done=1"
    wait_until(lambda: not values()["alarm_unacknowledged"], "the alarm to be acknowledged")


def test_every_page_of_the_panel_is_there_in_clear_and_over_tls(demo):
    drawn = demo.identity("hmi-works")
    for page, name in [("", "Overview"), ("trends.html", "Trends"), ("alarms.html", "Alarms"),
                       ("setpoints.html", "Set points"), ("system.html", "System"), ("login.html", "Log in")]:
        for url in [PANEL, PANEL.replace("http", "https", 1).replace("10080", "10443")]:
            status, fields, body = curl(f"{url}/{page}")
            assert (status, title(body)) == (200, f"{name} - {drawn['product']}")
            assert fields["server"] == f"lighttpd/{drawn['lighttpd']}"
            assert not re.search(r'(src|href)="(https?:)?//', body), "nothing is loaded from elsewhere"
    assert drawn["serial"] in curl(f"{PANEL}/system.html")[2]
    assert title(curl(f"{PANEL}/nothing")[2]) == f"Not found - {drawn['product']}"


def test_patience_opens_the_panel(demo):
    """Whoever guesses long enough gets in, and every try is recorded."""
    tries = 0
    while curl(f"{PANEL}/login", "-d", "user=admin", "-d", f"password=guess{tries}")[1]["location"] != "/setpoints.html":
        tries += 1
        assert tries < 100
    assert tries >= 20
    wait_until(lambda: len(demo.events("login")) > tries, "every try to be recorded")


def test_nmap_knows_the_faces(demo):
    scripts = "+http-title,+http-headers,+http-auth,+http-default-accounts"
    arguments = ["--script", scripts, "--script-args", "http-auth.path=/secure/system/diag.htm"]
    done = subprocess.run(
        ["nmap", "-Pn", "-n", "-p", "10080", *arguments, "127.0.10.1", "127.0.10.2", "127.0.10.3"],
        capture_output=True, text=True, timeout=120,
    )
    hill, intake, panel = done.stdout.split("Nmap scan report for ")[1:]
    assert f"http-title: {demo.identity('plc-hill')['station']}" in hill, hill
    assert "http-title: TELEMECANIQUE BMX P34 2020" in intake, intake
    assert "Basic realm=Schneider Web" in intake, intake
    assert "Schneider Modicon Web" in intake and "USER:USER" in intake, intake
    assert f"http-title: Overview - {demo.identity('hmi-works')['product']}" in panel, panel
    assert f"Server: lighttpd/{demo.identity('hmi-works')['lighttpd']}" in panel, panel


def test_nmap_knows_the_servers_by_its_signatures(demo):
    done = subprocess.run(
        ["nmap", "-Pn", "-n", "-sV", "-p", "10080", "127.0.10.1", "127.0.10.2"], capture_output=True, text=True, timeout=120
    )
    hill, intake = done.stdout.split("Nmap scan report for ")[1:]
    assert "Siemens Simatic S7-300 PLC httpd" in hill, hill
    assert "Schneider-WEB 2.1.4" in intake, intake


@pytest.mark.parametrize("page", ["", "trends.html", "alarms.html", "setpoints.html", "system.html", "login.html"])
def test_a_browser_shows_the_panel_live_and_finds_no_fault(demo, tmp_path, page):
    # Browsers do not open port 10080 by themselves: it was another service's once (Fetch Standard, bad ports).
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom",
               "--explicitly-allowed-ports=10080", f"--user-data-dir={tmp_path}/browser", "--virtual-time-budget=9000",
               f"{PANEL}/{page}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    # What its own pages (chrome://) have to say on a slow machine is not about ours.
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line and "source: chrome://" not in line]
    assert not said, said
    if page != "login.html":
        assert int(re.search(r'data-polls="(\d+)"', done.stdout)[1]) >= 2, "it asks for the values, again and again"
    if page == "":
        shown = float(re.search(r'data-value="raw_level"[^>]*>([\d.]+)<', done.stdout)[1])
        assert abs(shown - values()["raw_level"]) < 0.2


def test_a_browser_opens_the_panel_over_tls(demo, tmp_path):
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--ignore-certificate-errors",
               f"--user-data-dir={tmp_path}/browser", "https://127.0.10.3:10443/"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    assert title(shown) == f"Overview - {demo.identity('hmi-works')['product']}", shown
