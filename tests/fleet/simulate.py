"""A fleet of 100 machines with planted facts, made from the snapshot of a real namespace.

Reads a snapshot of a namespace with a TCP listener, a TCP connection and a UDP socket on standard input. Writes to the
directory of the first argument `batches/NAME.jsonl`, in the order in which a collector would send them, and `truth.json`:
what each question of examples/fleet must answer, line by line. The second argument is the time of the newest look, in
seconds since 1970.
"""

import copy
import datetime
import json
import os
import sys

directory, newest = sys.argv[1], int(sys.argv[2])
lines = [json.loads(line) for line in sys.stdin]
rows, closing = lines[:-1], lines[-1]
assert closing["schema"] == "sockstat-snapshot/1" and closing["rows"] == len(rows)


def real(**facts):
    """The first real row with these facts."""
    return next(row for row in rows if all(row[key] == value for key, value in facts.items()))


LISTENER = real(state="listen", protocol="tcp", family="inet")
CONNECTION = real(state="established", protocol="tcp", family="inet")
RECEIVER = real(protocol="udp", state="unconnected")

HOUR = 3600
LOOKS = {"yesterday": -24 * HOUR, "before": -2 * HOUR, "middle": -1 * HOUR, "now": 0}
ROLES = [("web", 40, "10.0.1."), ("db", 10, "10.0.2."), ("cache", 10, "10.0.3."), ("node", 40, "10.0.4.")]
HOSTS = {f"{role}{i:02}": f"{net}{i + 1}" for role, count, net in ROLES for i in range(count)}
NUMBERS = {host: number for number, host in enumerate(HOSTS)}
OUTSIDE = "198.51.100.7"


class Look:
    """What one machine shows at one time."""

    def __init__(self, host, when):
        self.host, self.when, self.rows, self.cookies = host, when, [], 0
        # Machines do not take their snapshots at the same moment.
        at = newest + LOOKS[when] + NUMBERS[host] * 0.05
        taken = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        machine = NUMBERS["node04" if host == "node05" else host]
        self.identity = {
            "host": host,
            # node05 is a clone of node04.
            "machine_id": f"{machine:032x}",
            "boot_id": f"00000000-0000-4000-8000-{NUMBERS[host]:012x}",
            "taken_at": taken.strftime("%Y-%m-%dT%H:%M:%S.") + f"{taken.microsecond // 1000:03}Z",
        }

    def add(self, template, process, **facts):
        self.cookies += 1
        cookie = f"{list(LOOKS).index(self.when) + 1:x}{self.cookies:04x}"
        row = copy.deepcopy(template) | self.identity
        row |= {"process": process, "exe": f"/usr/bin/{process.split()[0]}" if process else None, "pid": 1000 + self.cookies}
        row |= {"cookie": cookie, "netns": 4026531840, "netns_name": None, "user": "root", "unit": None} | facts
        self.rows.append(row)

    def listen(self, process, port, address="0.0.0.0", **facts):
        scope = "loopback" if address.startswith("127.") else "all-v4"
        self.add(LISTENER, process, local_address=address, local_port=port, scope=scope, **({"accept_q": 0} | facts))

    def connect(self, process, local, peer, **facts):
        ends = dict(zip(("local_address", "local_port", "peer_address", "peer_port"), local + peer))
        self.add(CONNECTION, process, **ends, **facts)

    def last_line(self):
        line = copy.deepcopy(closing) | self.identity
        line |= {"complete": True, "rows": len(self.rows), "gaps": [], "ips": [HOSTS[self.host]], "version": "0.1.0"}
        line |= {"port_low": 32768, "port_high": 60999}
        return line


def look(host, when):
    """All of one machine, or nothing."""
    address, this = HOSTS[host], Look(host, when)
    role, number = host[:-2], int(host[-2:])
    this.listen("sshd", 22)
    # The same addresses on every machine, with both ends visible.
    this.listen("exporter", 9100, "127.0.0.1")
    this.connect("telegraf", ("127.0.0.1", 40000), ("127.0.0.1", 9100))
    this.connect("exporter", ("127.0.0.1", 9100), ("127.0.0.1", 40000))
    if role == "web":
        this.listen("nginx", 443)
        for port in (50000, 50001):
            # One connection of web00 is as old as its first snapshot.
            old = {"cookie": "abcdef", "pid": 77} if (host, port) == ("web00", 50000) else {}
            this.connect("python3 shop.py", (address, port), (HOSTS[f"db{number % 10:02}"], 5432), **old)
    if role == "db":
        deleted = {"exe": "/usr/lib/postgresql/15/bin/postgres (deleted)"} if host == "db03" else {}
        this.listen("postgres", 5432, **deleted)
        for client in range(number, 40, 10):
            for port in (50000, 50001):
                this.connect("postgres", (address, 5432), (HOSTS[f"web{client:02}"], port))
    if role == "cache":
        this.listen("redis-server", 6379, "0.0.0.0" if host == "cache03" else "127.0.0.1")
    if host == "web05":
        # Behind address translation: its server sees another client.
        this.connect("curl", (address, 45000), ("203.0.113.50", 443))
    if host == "node07" and when != "yesterday":
        this.listen("python3 debug.py", 9999)
    if host == "node08" and when == "yesterday":
        this.listen("java", 8080)
    if host == "node09":
        this.listen("python3 new.py", 7000)
    if host in ("node10", "node11"):
        leaks = {"yesterday": 2, "before": 5, "middle": 12, "now": 25}[when] if host == "node10" else 3
        for port in range(leaks):
            this.connect("java", (address, 40100 + port), (OUTSIDE, 8443), state="close-wait")
    if host == "node12":
        for port in range(90):
            this.connect("crawler", (address, 32768 + port), (OUTSIDE, 80))
    if host == "node13":
        full = when in ("middle", "now")
        queue = {"accept_q": 129 if full else 3, "backlog": 128, "accept_queue_full": full}
        this.listen("gunicorn", 8000, **queue)
    if host == "node14":
        this.listen("nginx", 443)
        this.connect("nginx", (address, 443), ("203.0.113.1", 45000))
    if host == "node15":
        this.connect("rsync", (address, 46000), (HOSTS["node01"], 22))
    if host in ("node16", "node17"):
        # The other end is in a namespace that was not read.
        this.connect("docker-proxy", ("172.17.0.1", 40001), ("172.17.0.2", 5000))
    if host == "node19":
        this.add(RECEIVER, "avahi-daemon", local_address="0.0.0.0", local_port=5353, scope="all-v4")
    last = this.last_line()
    if host == "node00":
        # Owners are hidden: what is new today may have been hidden yesterday.
        if when == "now":
            this.listen(None, 8443, owner_status="hidden", pid=None, exe=None, owner_count=None)
        gap = {"level": "loss", "code": "owners-hidden", "message": "3 owners hidden", "remedy": None, "count": 3}
        last |= {"complete": False, "gaps": [gap], "rows": len(this.rows)}
    if host == "node06" and when == "now":
        last["version"] = "0.0.9"
    if host == "node12":
        last |= {"port_low": 32768, "port_high": 32867}
    silent = (host == "node01" and when in ("middle", "now")) or (host == "node09" and when == "yesterday")
    if silent:
        return []
    # The stream of node02 was cut off.
    return this.rows if (host, when) == ("node02", "now") else this.rows + [last]


os.makedirs(f"{directory}/batches")
for index, when in enumerate(LOOKS):
    text = "".join(json.dumps(line) + "\n" for host in HOSTS for line in look(host, when))
    with open(f"{directory}/batches/{index}-{when}.jsonl", "w") as file:
        file.write(text)
    if when == "now":
        # A collector that gets no answer sends the batch again.
        with open(f"{directory}/batches/{index}-{when}-again.jsonl", "w") as file:
            file.write(text)

# node01 is silent, and node02 was cut off.
ANSWERED = 98
TRUTH = {
    "Q1": [
        ["", "tcp", 8443, 1, "node00"],
        ["avahi-daemon", "udp", 5353, 1, "node19"],
        ["gunicorn", "tcp", 8000, 1, "node13"],
        ["python3 debug.py", "tcp", 9999, 1, "node07"],
        ["python3 new.py", "tcp", 7000, 1, "node09"],
        ["redis-server", "tcp", 6379, 1, "cache03"],
        ["postgres", "tcp", 5432, 10, "db00 db01 db02"],
        ["nginx", "tcp", 443, 41, "node14 web00 web01"],
        ["sshd", "tcp", 22, ANSWERED, "cache00 cache01 cache02"],
    ],
    "Q2": [
        ["telegraf", "exporter", 9100, ANSWERED, ANSWERED, ANSWERED],
        ["python3 shop.py", "postgres", 5432, 80, 40, 10],
    ],
    "Q3": [
        ["opened", "node07", "tcp", 9999, "0.0.0.0", "python3 debug.py"],
        ["closed", "node08", "tcp", 8080, "0.0.0.0", "java"],
    ],
    "Q4": [["node13", 8000, "gunicorn", 2, 4, 129, 128]],
    "Q5": [
        ["accepted", "exporter", 9100, ANSWERED, ANSWERED],
        ["opened", "telegraf", 9100, ANSWERED, ANSWERED],
        ["opened", "crawler", 80, 90, 1],
        ["accepted", "postgres", 5432, 80, 10],
        ["opened", "python3 shop.py", 5432, 80, 40],
        ["opened", "docker-proxy", 5000, 2, 2],
        ["accepted", "nginx", 443, 1, 1],
        ["opened", "curl", 443, 1, 1],
        ["opened", "rsync", 22, 1, 1],
    ],
    "Q6": [["web00", "python3 shop.py", 77, 24 * 60]],
    "Q7": [["node12", OUTSIDE, 80, 90, 90]],
    "Q8": [["node10", "java", 2, 25, 25]],
    "Q9": [["db03", "postgres", 5432, "/usr/lib/postgresql/15/bin/postgres (deleted)"]],
    "Q10": [
        ["node00", 0, False, "owners-hidden 3", "0.1.0"],
        ["node01", 120, True, "", "0.1.0"],
        ["node02", 60, True, "", "0.1.0"],
        ["node06", 0, True, "", "0.0.9"],
    ],
    "Q11": [
        ["nobody we know", "crawler", 80, 90],
        ["several machines have these addresses", "docker-proxy", 5000, 2],
        ["nobody we know", "curl", 443, 1],
        ["nobody we know", "nginx", 443, 1],
        ["a machine that did not show it", "rsync", 22, 1],
    ],
}
with open(f"{directory}/truth.json", "w") as file:
    json.dump(TRUTH, file)
