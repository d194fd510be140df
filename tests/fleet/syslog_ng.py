"""Runs syslog-ng with examples/fleet/syslog-ng.conf while its engine is down, then starts the engine.

Arguments: an empty directory, the configuration, and a file of snapshots. Runs in a network namespace of its own, where
127.0.0.1:8123 is free. The engine is a stand-in for the HTTP interface of ClickHouse. Fails unless every line arrives
exactly once, in its order.
"""

import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

directory, configuration, snapshots = map(Path, sys.argv[1:])
PATIENCE = 120
received, arrived = [], threading.Condition()


class Engine(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert "INSERT%20INTO%20sockstat.landing%20FORMAT%20JSONEachRow" in self.path, self.path
        with arrived:
            received.extend(line for line in body.splitlines() if line)
            arrived.notify()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def wait_for(count):
    with arrived:
        assert arrived.wait_for(lambda: len(received) >= count, PATIENCE), f"{len(received)} of {count} lines"


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end and server.poll() is None, what
        time.sleep(0.05)


text = configuration.read_text()
text = text.replace("/var/lib/sockstat", str(directory)).replace("/var/lib/syslog-ng", str(directory))
(directory / "sockstat.conf").write_text(text)
# The package's own file begins like this.
(directory / "syslog-ng.conf").write_text(f'@version: 3.38\n@include "{directory}/sockstat.conf"\n')
source = directory / "snapshots.jsonl"
lines = snapshots.read_text().splitlines()
source.write_text("".join(line + "\n" for line in lines))
log = directory / "log"
server = subprocess.Popen(
    ["syslog-ng", "--foreground", "--no-caps", "--stderr", f"--cfgfile={directory}/syslog-ng.conf"]
    + [f"--persist-file={directory}/persist", f"--control={directory}/ctl", f"--pidfile={directory}/pid"],
    stderr=log.open("w"),
)
try:
    until(lambda: "curl" in log.read_text(), "it tried, and the engine was down: " + log.read_text())
    engine = HTTPServer(("127.0.0.1", 8123), Engine)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    wait_for(len(lines))
    # A later message arrives after everything that was sent again.
    lines.append('{"rows":0}')
    with source.open("a") as file:
        file.write(lines[-1] + "\n")
    wait_for(len(lines))
    assert received == lines, f"{len(received)} lines, {len(set(received))} different, of {len(lines)}"
finally:
    server.terminate()
    server.wait()
print(len(lines))
