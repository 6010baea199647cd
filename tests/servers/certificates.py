"""Certificates of servers that speak TLS, and of a client."""

from . import succeed


def alone(folder):
    """Writes `server.pem` and `server.key`, for 127.0.0.1 and its own authority. Returns the path of the first."""
    # An authority would not be taken as the certificate of a server.
    options = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-days", "2"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *options]
    files = ["-subj", "/CN=honeyplant test", "-keyout", folder / "server.key", "-out", folder / "server.pem"]
    succeed(*command, *files)
    return folder / "server.pem"


def make(folder):
    """Writes `ca`, `server` and `client`, each as `.pem` and `.key`; the server is `localhost`."""
    for name, extension in (
        ("ca", "basicConstraints=critical,CA:TRUE"),
        ("server", "subjectAltName=DNS:localhost"),
        ("client", "extendedKeyUsage=clientAuth"),
    ):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        command += ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-addext", extension]
        if name != "ca":
            command += ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]
        succeed(*command)
