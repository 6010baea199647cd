"""HTTP with real clients: curl, nmap and http.client, what a server may be asked, and what is none of its requests."""

import concurrent.futures
import hashlib
import http.client
import re
import socket
import ssl
import subprocess
import time

import pytest
from conftest import PATIENCE, ROOT, Capture, wait_until

SITE = ROOT / "tests/sites/http"
PANEL = "127.0.32.2"
PLAN = bytes(range(256)) * 64
INDEX = (SITE / "profiles/web-server/www/index.html").read_bytes()


@pytest.fixture
def panel(plant):
    return plant.start(SITE, listens=(PANEL, 80))


def run(*command, code=0):
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE * 6)
    assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def curl(*options, path="/index.html", scheme="http", code=0, host=PANEL):
    return run("curl", "-sSgk", "--max-time", "10", *options, f"{scheme}://{host}{path}", code=code)


def nmap(*options):
    return run("nmap", "-Pn", "-n", "-p", "80", *options, PANEL).decode()


def recorded(plant, action, count=1):
    """The first so many events, which are in the journal a little after the answer was heard."""
    wait_until(lambda: len(plant.events(action)) >= count, f"{count} times {action}")
    return plant.events(action)


def raw(octets, timeout=PATIENCE, end=True):
    """All that is answered to these octets until the connection ends."""
    with socket.create_connection((PANEL, 80), timeout) as peer:
        peer.sendall(octets)
        if end:
            peer.shutdown(socket.SHUT_WR)
        answer = b""
        while part := peer.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", [PANEL, "[::1]"])
@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_curl_gets_pages(panel, scheme, host, version):
    get = lambda *options, **more: curl(version, *options, scheme=scheme, host=host, **more)
    assert get() == INDEX
    assert get("--raw") == INDEX
    assert get(path="/images/plan.bin") == PLAN
    head = get("-I").decode()
    assert re.match(r"HTTP/1.1 200 OK\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nServer: Decoy/2.1\r\n", head)
    assert f"Content-Length: {len(INDEX)}\r\n" in head and "Accept-Ranges: bytes\r\n" in head
    assert get("-L", path="/old") == INDEX
    assert get(path="/chunked") == b"0123456789abcdefghijklmnopqrstuvwxyz"
    assert get("-o", "/dev/null", "-w", "%{http_code}", path="/nothing") == b"404"
    event = recorded(panel, "request")[0]
    assert event["url"]["path"] == "/index.html" and event["http"]["response"]["status_code"] == 200


def test_curl_gets_parts(panel):
    get = lambda *options: curl(*options, path="/images/plan.bin")
    assert get("-r", "256-511") == PLAN[256:512]
    assert get("-r", "-1") == PLAN[-1:]
    assert get("-r", "16000-") == PLAN[16000:]
    several = get("-r", "0-1,300-301")
    assert PLAN[0:2] in several and PLAN[300:302] in several and several.count(b"Content-Range: bytes ") == 2
    assert get("-r", "99999-", "-o", "/dev/null", "-w", "%{http_code}") == b"416"


def test_curl_asks_only_for_what_has_changed(panel, tmp_path):
    tag, page = tmp_path / "tag", tmp_path / "page"
    again = lambda: curl("--etag-save", tag, "--etag-compare", tag, "-o", page, "-w", "%{http_code}", path="/images/plan.bin")
    assert (again(), again()) == (b"200", b"304")
    assert curl("-o", page, "-R", path="/images/plan.bin") == b""
    assert curl("-z", page, "-o", "/dev/null", "-w", "%{http_code}", path="/images/plan.bin") == b"304"
    assert page.read_bytes() == PLAN


def test_curl_speaks_http_0_9(panel):
    assert raw(b"GET /index.html\r\n") == INDEX
    assert curl("--http0.9") == INDEX


def test_curl_logs_in(panel):
    code = lambda *options: curl("-o", "/dev/null", "-w", "%{http_code}", *options, path="/private/setup").decode()
    assert code() == "401"
    assert code("--digest", "-u", "op:s3cret") == "200"
    assert code("--anyauth", "-u", "op:s3cret") == "200"
    assert code("--digest", "-u", "op:wrong") == "401"
    assert code("--digest", "-u", "nobody:s3cret") == "401"
    assert code("--basic", "-u", "op:s3cret") == "401"
    logins = recorded(panel, "login", 5)
    told = [(event["user"]["name"], event["event"]["outcome"]) for event in logins]
    assert ("op", "success") in told and ("op", "failure") in told and ("nobody", "failure") in told
    basic = [event for event in logins if event["honeyplant"].get("operation", {}).get("name") == "basic"]
    assert basic and "s3cret" in str(basic[0])


def test_curl_sends_forms_and_files(panel, tmp_path):
    assert curl("-d", "level=42", path="/level") == b"42"
    assert curl(path="/level") == b"42"
    assert curl("-H", "Transfer-Encoding: chunked", "-d", "level=43", path="/level") == b"43"
    assert curl("-H", "Expect: 100-continue", "-d", "level=44", path="/level") == b"44"
    file = tmp_path / "firmware.bin"
    file.write_bytes(PLAN * 60)
    assert curl("-T", file, "-w", "%{http_code}", path="/upload/firmware.bin") == b"201"
    wait_until((panel.state / "artefacts" / hashlib.sha256(PLAN * 60).hexdigest()).exists, "the file that was put")
    file.write_bytes(PLAN * 50)
    assert curl("-F", f"file=@{file}", path="/upload/x") == b"done"
    wait_until((panel.state / "artefacts" / hashlib.sha256(PLAN * 50).hexdigest()).exists, "the file of the form")
    file.write_bytes(PLAN * 40)
    chunked = ("-H", "Transfer-Encoding: chunked", "--data-binary", f"@{file}", "-X", "PUT")
    assert curl(*chunked, "-w", "%{http_code}", path="/upload/y") == b"201"
    wait_until((panel.state / "artefacts" / hashlib.sha256(PLAN * 40).hexdigest()).exists, "the file in chunks")
    file.write_bytes(PLAN * 300)
    assert curl("-T", file, "-o", "/dev/null", "-w", "%{http_code}", path="/upload/large") == b"413"


def test_connections_are_used_again(panel):
    urls = [f"http://{PANEL}/index.html?{number}" for number in range(5)]
    told = run("curl", "-sSv", *[option for url in urls for option in ("-o", "/dev/null", url)])
    assert told == b""
    assert len(recorded(panel, "request", 5)) == 5
    wait_until(lambda: len(panel.events("closed")) == 1, "the one connection to end")


@pytest.mark.parametrize("tls", [False, True])
def test_http_client_and_pipelining(panel, tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = http.client.HTTPSConnection(PANEL, context=context) if tls else http.client.HTTPConnection(PANEL)
    for method, path, status in [("GET", "/index.html", 200), ("HEAD", "/", 200), ("OPTIONS", "*", 200),
                                 ("TRACE", "/", 200), ("DELETE", "/", 405), ("GET", "/chunked", 200), ("BREW", "/", 501)]:
        client.request(method, path)
        answer = client.getresponse()
        body = answer.read()
        assert answer.status == status, (method, path)
        assert (method != "TRACE") or body.startswith(b"TRACE / HTTP/1.1\r\nHost: ")
    paths = ["/index.html", "/slow", "/chunked", "/nothing", "/level"]
    client.sock.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths))
    client.sock.settimeout(PATIENCE)
    heard = b""
    while heard.count(b"HTTP/1.1 ") < len(paths) or not heard.endswith(b"7"):
        heard += client.sock.recv(65536)
    assert re.findall(rb"HTTP/1.1 (\d+)", heard) == [b"200", b"200", b"200", b"404", b"200"]
    client.close()


def test_many_ask_at_once(panel):
    def ask(number):
        client = http.client.HTTPConnection(PANEL, timeout=PATIENCE)
        for _ in range(20):
            client.request("GET", "/images/plan.bin")
            assert client.getresponse().read() == PLAN
        client.close()
        return number

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(ask, range(40))) == list(range(40))
    assert sum(event["honeyplant"].get("count", 1) for event in recorded(panel, "request", 1)) <= 800


MALFORMED = {
    b"\r\n\r\n": b"",
    b"x\r\n": b"HTTP/1.1 400 ",
    b"GET / HTTP/9.9\r\n\r\n": b"HTTP/1.1 505 ",
    b"GET / HTTP/1.1\r\n\r\n": b"HTTP/1.1 400 ",
    b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n": b"HTTP/1.1 400 ",
    b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n": b"HTTP/1.1 400 ",
    b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n": b"HTTP/1.1 400 ",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n": b"HTTP/1.1 414 ",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20000 + b"\r\n\r\n": b"HTTP/1.1 431 ",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: a\r\n" * 200 + b"\r\n": b"HTTP/1.1 431 ",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello": b"HTTP/1.1 400 ",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": b"HTTP/1.1 400 ",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n": b"HTTP/1.1 400 ",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n": b"HTTP/1.1 400 ",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": b"HTTP/1.1 505 ",
    b"OPTIONS / RTSP/1.0\r\n\r\n": b"HTTP/1.1 400 ",
    bytes.fromhex("16030100050100000103"): b"HTTP/1.1 400 ",
    bytes.fromhex("030000130ee000000000000100080003000000"): b"",
}


def test_what_is_no_request_is_refused_and_recorded(panel):
    for octets, begin in MALFORMED.items():
        answer = raw(octets)
        assert answer.startswith(begin) and (begin or not answer), (octets[:60], answer[:200])
    wait_until(lambda: len(panel.events("malformed")) >= len(MALFORMED) - 1, "all of them in the record")


def test_a_slow_request_is_told_so(panel):
    start = time.monotonic()
    answer = raw(b"GET / HTTP/1.1\r\nHost", end=False)
    assert answer.startswith(b"HTTP/1.1 408 ") and time.monotonic() - start >= 7


SCRIPTS = "http-headers,http-title,http-methods,http-auth-finder,http-auth,http-robots.txt,http-server-header,http-date,http-trace,http-enum,http-useragent-tester"


def test_nmap_reads_it(panel):
    told = nmap("--script", SCRIPTS, "--script-args", "http-auth.path=/private/setup,http-methods.test-all")
    assert "http-title: Pump station 3" in told
    assert re.search(r"Supported Methods:.* GET HEAD POST", told), told
    assert "2 disallowed entries" in told and "/private/ /upload/" in told
    assert "Server: Decoy/2.1" in told
    assert re.search(r"Digest .*realm=panel|realm=panel", told), told
    assert "robots.txt" in told
    assert not panel.events("fault")


def test_nmap_knows_that_it_is_http(panel):
    told = nmap("-sV", "--version-light")
    assert re.search(r"80/tcp open\s+http\s+Decoy/2.1|80/tcp open\s+http", told), told


def test_tshark_reads_all_of_it(panel, tmp_path):
    with Capture(tmp_path / "http.pcap") as capture:
        curl()
        curl("-I")
        curl("-r", "0-1,300-301", path="/images/plan.bin")
        curl(path="/chunked")
        curl("--digest", "-u", "op:s3cret", path="/private/setup")
        curl("-H", "Transfer-Encoding: chunked", "-d", "level=43", path="/level")
        curl("-H", "Expect: 100-continue", "-d", "level=43", path="/level")
        raw(b"GET /level HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
    assert capture.shown("_ws.malformed") == ""
    assert len(capture.shown("http.response").splitlines()) >= 10
    assert len(capture.shown("http.response.code == 206").splitlines()) == 1
