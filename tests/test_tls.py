"""TLS from the first byte, with real clients: what is offered, what is shown, and what of a client is told."""

import re
import socket
import ssl
import subprocess

import pytest
from conftest import PATIENCE, ROOT, Capture, honeyplant, wait_until

SITE = ROOT / "tests/sites/tls"
MODERN, AGED, AUTHORITY = "127.0.31.1", "127.0.31.2", "127.0.31.3"


@pytest.fixture
def site(plant):
    return plant.start(SITE, listens=(AUTHORITY, 802))


def run(*command, code=0, within=None):
    done = subprocess.run(command, capture_output=True, input=within, timeout=PATIENCE * 2)
    assert code is None or done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return (done.stdout + done.stderr).decode(errors="replace")


def openssl(host, port, *options):
    """What OpenSSL's client says of a handshake, security level 0 so that it offers what it has."""
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-cipher", "ALL:@SECLEVEL=0", *options]
    return run(*command, code=None, within=b"")


def handshake(host, port):
    """A connection over TLS that believes every certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection((host, port), PATIENCE))


def certificate(host, port):
    """The certificate that is shown, as OpenSSL writes it out."""
    with handshake(host, port) as peer:
        shown = ssl.DER_cert_to_PEM_cert(peer.getpeercert(True))
    return run("openssl", "x509", "-noout", "-text", within=shown.encode())


def recorded(plant, action, count=1):
    wait_until(lambda: len(plant.events(action)) >= count, f"{count} times {action}")
    return plant.events(action)


@pytest.mark.parametrize("host", [MODERN, "[::1]"])
@pytest.mark.parametrize("options", [[], ["--tls-max", "1.2"], ["--disable-epsv"]], ids=" ".join)
def test_curl_speaks_ftps(site, host, options):
    if host == "[::1]" and "--disable-epsv" in options:
        pytest.skip("there is no other way over IPv6")
    curl = ["curl", "-sSgk", "--max-time", "15", "-u", "op:s3cret", *options]
    assert run(*curl, f"ftps://{host}/hello.txt") == "hello\r\n"
    assert "hello.txt" in run(*curl, f"ftps://{host}/")
    version = "1.2" if options[:1] == ["--tls-max"] else "1.3"
    secured = recorded(site, "secured", 4)
    assert {event["tls"]["version"] for event in secured} == {version}
    opened = [event for event in site.events() if event["event"]["action"] in ("opened", "secured")][:2]
    assert [event["event"]["action"] for event in opened] == ["opened", "secured"]


def test_what_is_listed_names_the_ports(site):
    listed = site.log.read_text()
    assert "ftp 21, ftp 990/tls, http 80, http 443/tls, modbus 502, modbus 802/tls" in listed
    assert re.search(r"127\.0\.31\.2  ftp 990/tls\n", listed)


def test_nmap_finds_the_versions_and_suites_of_the_profile(site):
    def suites(host):
        said = run("nmap", "-n", "-Pn", "-p990", "--script", "ssl-enum-ciphers", host)
        preference = re.search(r"cipher preference: (\w+)", said).group(1)
        return re.findall(r"(TLSv\S+):|(TLS_\w+) ", said), preference

    found, preference = suites(AGED)
    names = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    assert found == [("TLSv1.2", ""), *[("", name) for name in names]]
    assert preference == "server"
    found, preference = suites(MODERN)
    assert [version for version, _ in found if version] == ["TLSv1.2", "TLSv1.3"]
    assert (len(found), preference) == (8, "client")
    for event in recorded(site, "unsecured", 5):
        assert event["tls"]["established"] is False and event["tls"]["client"]["supported_ciphers"]
        assert event["event"]["outcome"] == "failure"


def test_nmap_reads_the_certificate(site):
    said = run("nmap", "-n", "-Pn", "-p990", "--script", "ssl-cert", AGED)
    serial = site.identity("aged")["serial"]
    assert f"Subject: commonName=aged-{serial}/organizationName=Vendor (Devices)/countryName=DE" in said, said
    assert "Public Key type: rsa" in said and "Public Key bits: 2048" in said
    assert "sha256WithRSAEncryption" in said


def test_certificates_are_as_their_vendor_makes_them(site):
    aged = certificate(AGED, 990)
    assert re.search(r"Subject: CN = aged-\S+, O = Vendor \(Devices\), C = DE", aged), aged
    assert "X509v3 extensions" not in aged
    assert re.search(r"Serial Number: \d+ \(0x[4-7][0-9a-f]{7}\)", aged), aged
    signed = certificate(AUTHORITY, 802)
    serial = site.identity("authority")["serial"]
    assert f"Issuer: O = Vendor, CN = Authority of {serial}" in signed, signed
    assert f"DNS:{serial}.local, IP Address:127.0.31.3" in signed and "(384 bit)" in signed
    chain = openssl(AUTHORITY, 802, "-showcerts")
    assert chain.count("BEGIN CERTIFICATE") == 2
    assert "self-signed certificate in certificate chain" in chain


def test_a_certificate_is_drawn_once_and_by_each_install_anew(site, tmp_path):
    kept = site.state / "certificates"
    assert not kept.exists(), "nobody has asked yet"
    first = certificate(MODERN, 990)
    assert [file.name for file in kept.iterdir()] == ["modern.pem"]
    assert (kept / "modern.pem").stat().st_mode & 0o777 == 0o600
    assert certificate(MODERN, 802) == first
    site.stop()
    site.start(SITE, listens=(AUTHORITY, 802))
    assert certificate(MODERN, 990) == first
    site.stop()
    site.state = tmp_path / "other"
    site.start(SITE, listens=(AUTHORITY, 802))
    assert certificate(MODERN, 990) != first


def test_many_who_ask_first_see_the_same_certificate(site):
    waiting = [socket.create_connection((AGED, 990), PATIENCE) for _ in range(20)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    shown = set()
    for peer in waiting:
        with context.wrap_socket(peer) as peer:
            shown.add(peer.getpeercert(True))
    assert len(shown) == 1


@pytest.mark.parametrize(
    ("host", "options", "alert", "offered"),
    [
        (MODERN, ["-tls1"], "alert protocol version", "1.0"),
        (AGED, ["-tls1_1"], "alert protocol version", "1.1"),
        (AGED, ["-tls1_3"], "alert protocol version", "1.3"),
        (AGED, ["-tls1_2", "-cipher", "AES256-SHA:@SECLEVEL=0"], "alert handshake failure", "1.2"),
        (AGED, ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "alert handshake failure", "1.2"),
        (AGED, ["-tls1_2", "-groups", "X25519"], "alert handshake failure", "1.2"),
    ],
)
def test_who_offers_too_little_is_refused_as_servers_do(site, host, options, alert, offered):
    assert alert in openssl(host, 990, *options)
    event = recorded(site, "unsecured")[0]
    assert (event["tls"]["client"]["version"], event["tls"]["established"]) == (offered, False)
    assert event["honeyplant"]["reply"]["hex"].startswith("15")


def test_fingerprints_are_those_that_others_find(site, tmp_path):
    with Capture(tmp_path / "hello.pcap") as capture:
        run("curl", "-sSk", "--max-time", "15", "-u", "op:s3cret", f"ftps://{MODERN}/")
        openssl(MODERN, 990, "-tls1_1")
        openssl(AGED, 990, "-servername", "plc.example", "-alpn", "ftp,h2")
    fields = ["-T", "fields", "-e", "tls.handshake.ja3"]
    shown = run("tshark", "-r", capture.path, "-Y", "tls.handshake.type == 1", *fields).splitlines()
    told = [event for event in recorded(site, "closed", 3) and site.events() if "client" in event.get("tls", {})]
    found = re.findall(r"^[0-9a-f]{32}$", "\n".join(shown), re.MULTILINE)
    # What is not on the standard port of TLS, tshark may not take for TLS.
    assert found and set(found) <= {event["tls"]["client"]["ja3"] for event in told}
    client = told[-1]["tls"]["client"]
    assert (client["server_name"], client["protocols"]) == ("plc.example", ["ftp", "h2"])
    assert re.fullmatch(r"t13d\d{4}fp_[0-9a-f]{12}_[0-9a-f]{12}", client["ja4"]), client["ja4"]


def test_what_is_not_tls_is_recorded_and_answered_with_an_alert(site):
    request = b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"
    with socket.create_connection((MODERN, 990), PATIENCE) as peer:
        peer.sendall(request)
        assert peer.recv(100)[:1] == b"\x15"
        assert peer.recv(100) == b""
    event = recorded(site, "malformed")[0]
    assert event["honeyplant"]["request"]["hex"] == request.hex()
    assert event["honeyplant"]["malformed"] == "what came is not TLS"


@pytest.mark.parametrize(("host", "reused"), [(AGED, True), (MODERN, True)])
def test_sessions_are_resumed(site, tmp_path, host, reused):
    session = tmp_path / "session"
    assert "New, TLSv1.2" in openssl(host, 990, "-tls1_2", "-sess_out", str(session))
    again = openssl(host, 990, "-tls1_2", "-sess_in", str(session))
    assert ("Reused, TLSv1.2" in again) == reused, again
    ticket = "TLS session ticket:" in run("openssl", "sess_id", "-in", str(session), "-noout", "-text")
    assert ticket == (host == AGED), "only one of them has tickets"


def test_a_dialogue_is_played_over_tls(site, tmp_path):
    dialogue = tmp_path / "read.txt"
    dialogue.write_text("serve modbus\n> 0001 0000 0006 01 03 0000 0002\n< 0001 0000 0007 01 03 04 .. .. .. ..\n")
    said = honeyplant("play", dialogue, "--tls", "--to", f"{AUTHORITY}:802")
    assert "answers as it says" in said
    dialogue.write_text(dialogue.read_text().replace("serve modbus", "serve modbus tls"))
    assert "answers as it says" in honeyplant("play", dialogue, "--to", f"{AUTHORITY}:802")
