"""Real servers that sinks deliver to, one file each. A sink that delivers over a network has one here."""

import importlib
import os
import pkgutil
import signal
import subprocess
import time
from pathlib import Path

# Seconds after which a server should have started, or have what was delivered.
PATIENCE = 60


def succeed(*command, **options):
    """Runs a command to its end. If it fails, what it printed is told."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout.decode(errors='replace')}"


class Server:
    """A server in a folder of its own, in the network of the tests."""

    # The name of the sink.
    kind = ""
    # What the sink promises: an event that was delivered twice is there once.
    exactly_once = False
    # Whether it is known what it has; otherwise all that is sent while it hangs may be lost.
    acknowledges = True

    def __init__(self, folder: Path):
        self.folder = folder
        self.folder.mkdir()
        self.processes = []

    def prepare(self):
        """Makes what the server needs before it first starts."""

    def sink(self) -> str:
        """The lines of the sink's table in a site."""
        raise NotImplementedError

    def start(self):
        """Starts the server, and waits until it can be spoken to."""
        raise NotImplementedError

    def expects(self, event) -> bool:
        """Whether the sink delivers the event; some carry only what somebody wants to hear of."""
        return True

    def received(self) -> list[str]:
        """The `event.id` of all that the server has, in the order in which it came."""
        raise NotImplementedError

    def run(self, *command, **options):
        """Starts one process of the server, whose output is in `log`."""
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)
        self.processes.append(process)
        return process

    def until(self, condition, what):
        """The first true value of `condition()`; what it cannot do yet may raise."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if value := condition():
                    return value
                why = ""
            except (OSError, subprocess.CalledProcessError) as error:
                why = error
            assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}: {why}\n{self.log()}"
            time.sleep(0.05)

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def signal(self, number):
        for process in self.processes:
            os.killpg(process.pid, number)

    def stop(self):
        """Ends it at once, as a loss of power does."""
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes.clear()

    def hang(self):
        """It takes connections still, but answers nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def __enter__(self):
        self.prepare()
        self.start()
        return self

    def __exit__(self, *_):
        self.resume()
        self.stop()


def servers():
    """Every class of the files here that names its sink."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found, known = [], [Server]
    for server in known:
        known.extend(server.__subclasses__())
        found.extend([server] if server.kind else [])
    return sorted(found, key=lambda server: (server.kind, server.__name__))
