"""Samples sockets that have a port and sockets that want it, and compares `sockstat why` with what the kernel does.

Each question has a port of its own. The kernel remembers for each port whether a socket with SO_REUSEPORT was let in, and then
lets in the next one. So the truth is asked on a twin: the same sockets, made anew on another port, for one bind alone.
"""

import errno, itertools, json, os, random, socket, subprocess
from collections import Counter
from typing import NamedTuple

# The interface that is not lo, and its addresses.
CARD, CARD_V4, CARD_V6 = "card", "10.9.0.5", "fd00::5"
# Address and IPV6_V6ONLY of sockets that exist.
ADDRESSES = [("0.0.0.0", False), ("127.0.0.1", False), ("127.0.0.2", False), ("127.0.0.6", False), (CARD_V4, False),
             ("::", False), ("::", True), ("::1", False), (CARD_V6, False), (CARD_V6, True), ("::ffff:127.0.0.1", False),
             ("::ffff:0.0.0.0", False)]
# What nobody has here; and bind refuses a mapped address with IPV6_V6ONLY.
REFUSED = ["10.9.0.77", "fd00::77"]
# Ports that the kernel chooses, for none of ours to meet one.
CHOSEN = (61000, 64999)
# As in include/net/tcp_states.h.
FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSE_WAIT = 4, 5, 6, 8
PATIENCE = 100_000
# Questions that one process answers.
TOGETHER = 8


def set_up():
    """Another interface with addresses, in the network namespace of this process."""
    for words in (f"link add {CARD} type veth peer name other", f"link set {CARD} up", "link set other up",
                  f"addr add {CARD_V4}/24 dev {CARD}", f"addr add {CARD_V6}/64 dev {CARD} nodad"):
        subprocess.run(["ip", *words.split()], check=True)
    subprocess.run(["sysctl", "-qw", f"net.ipv4.ip_local_port_range={CHOSEN[0]} {CHOSEN[1]}"], check=True)


class Options(NamedTuple):
    """A socket that is not there yet."""
    kind: int
    address: str
    v6only: bool
    reuseaddr: bool
    reuseport: bool
    device: str
    uid: int

    def open(self):
        v6 = ":" in self.address
        one = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, self.kind)
        if v6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, self.v6only)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, self.reuseaddr)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, self.reuseport)
        if self.device:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode())
        os.fchown(one.fileno(), self.uid, -1)
        return one

    def bound(self, port):
        one = self.open()
        one.bind((self.address, port))
        return one

    def __str__(self):
        words = [self.address, *(name for name in ("v6only", "reuseaddr", "reuseport") if getattr(self, name))]
        words += [f"on {self.device}"] * bool(self.device) + [f"of {self.uid}"] * bool(self.uid)
        return " ".join(words)


class Scene(NamedTuple):
    """Sockets that have a port."""
    state: str
    options: Options
    # The second socket of a pair.
    other: Options
    # Whether the client of a dual-stack server comes over IPv4.
    by_v4: bool

    def make(self, ports):
        """Makes them on a port of their own: the port, and what keeps it. OSError if there can be no such sockets."""
        port = next(ports)
        if self.state == "connected-from-any":
            one = self.options.open()
            server = self.connect(one, next(ports))
            return one.getsockname()[1], [one, server]
        if self.state == "free":
            return port, []
        one = self.options.bound(port)
        if self.state == "listen":
            one.listen()
        elif self.state == "connected" and self.options.kind == socket.SOCK_DGRAM:
            one.connect((self.seen_from(self.way()), 9))
        elif self.state == "connected":
            return port, [one, self.connect(one, next(ports))]
        elif self.state in ("pair", "pair-listens"):
            pair = [one, self.other.bound(port)]
            if self.state == "pair-listens":
                one.listen()
            return port, pair
        elif self.state != "bound":
            return port, self.accepted(one, port, next(ports))
        return port, [one]

    def way(self):
        """The address where clients reach it."""
        address = self.options.address.removeprefix("::ffff:")
        if address == "::":
            return "127.0.0.1" if self.by_v4 and not self.options.v6only else "::1"
        return "127.0.0.1" if address == "0.0.0.0" else address

    def seen_from(self, way):
        """An IPv6 socket names an IPv4 peer in mapped form."""
        return f"::ffff:{way}" if ":" in self.options.address and ":" not in way else way

    def connect(self, one, port):
        """Connects it to a new server, which is returned."""
        server = socket.create_server((self.way(), port), family=family_of(self.way()))
        one.settimeout(5)
        one.connect((self.seen_from(self.way()), port))
        return server

    def accepted(self, one, port, client_port):
        """A connection to the listener, in some state."""
        one.listen()
        client = socket.socket(family_of(self.way()))
        client.bind(("", client_port))
        client.settimeout(5)
        client.connect((self.way(), port))
        if self.state == "queued":
            return [one, client]
        server, _ = one.accept()
        if self.state == "accepted":
            return [one, client, server]
        if self.state == "worker":
            os.fchown(server.fileno(), 33, -1)
            return [one, client, server]
        one.close()
        if self.state == "close-wait":
            client.shutdown(socket.SHUT_WR)
            wait_for(server, CLOSE_WAIT)
        elif self.state == "fin-wait-2":
            server.shutdown(socket.SHUT_WR)
            wait_for(server, FIN_WAIT_2)
        elif self.state == "time-wait":
            server.close()
            client.recv(1)
            client.close()
            wait_for_rest(port, TIME_WAIT)
            return []
        elif self.state == "orphan":
            server.setblocking(False)
            try:
                while True:
                    server.send(bytes(1 << 16))
            except BlockingIOError:
                server.close()
            wait_for_rest(port, FIN_WAIT_1)
            return [client]
        return [client, server]

    def __str__(self):
        protocol = "UDP" if self.options.kind == socket.SOCK_DGRAM else "TCP"
        other = f" and {self.other}" if self.state.startswith("pair") else ""
        return f"{protocol} {self.state} {self.options}{other}" + " by IPv4" * self.by_v4


TCP_STATES = ["free", "bound", "bound", "listen", "listen", "queued", "accepted", "accepted-alone", "worker", "close-wait",
              "fin-wait-2", "time-wait", "orphan", "connected", "connected-from-any", "pair", "pair-listens"]
UDP_STATES = ["free", "bound", "bound", "bound", "connected", "connected", "pair"]


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def wait_for(one, state):
    """Over loopback a segment has usually arrived when the call that sends it returns."""
    until(lambda: one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == state, state)


def wait_for_rest(port, state):
    """A socket without a program."""
    def there():
        for table in ("tcp", "tcp6"):
            with open(f"/proc/self/net/{table}") as lines:
                if any(line.split()[1].endswith(f":{port:04X}") and int(line.split()[3], 16) == state for line in lines):
                    return True
        return False
    until(there, state)


def until(there, state):
    for _ in range(PATIENCE):
        if there():
            return
        os.sched_yield()
    raise TimeoutError(f"no socket comes to state {state}")


def some_options(chance, kind, devices):
    """Options of a socket that exists."""
    address, v6only = chance.choice(ADDRESSES)
    return Options(kind, address, v6only, chance.random() < 0.5, chance.random() < 0.4, chance.choice(devices),
                   chance.choice([0, 0, 0, 1000]))


def some_scene(chance, kind):
    state = chance.choice(UDP_STATES if kind == socket.SOCK_DGRAM else TCP_STATES)
    # Nothing arrives over the card.
    devices = ["", "", "", "lo"] + [CARD] * (state in ("bound", "listen"))
    options = some_options(chance, kind, devices)
    return Scene(state, options, some_options(chance, kind, devices), chance.random() < 0.5 and options.address == "::")


def outcome(options, port):
    """What the kernel answers to bind, and then to listen."""
    with options.open() as one:
        try:
            one.bind((options.address, port))
        except OSError as error:
            return errno.errorcode[error.errno], None
        if options.kind == socket.SOCK_DGRAM:
            return "ok", None
        try:
            one.listen()
        except OSError as error:
            return "ok", errno.errorcode[error.errno]
        return "ok", "ok"


class Sample:
    """Questions and answers, counted. `ask` runs `why --json` with some words and returns what it printed."""

    def __init__(self, ask, seed, uids):
        self.ask, self.chance, self.uids = ask, random.Random(seed), uids
        self.ports = iter(range(2000, CHOSEN[0]))
        self.met = set()
        self.asked, self.wrong, self.undecidable, self.truths, self.impossible = 0, [], [], Counter(), 0

    def make(self, scene):
        port, kept = scene.make(self.ports)
        if port in self.met:
            raise OSError(f"the kernel chose {port} again")
        self.met.add(port)
        return port, kept

    def some(self, kind):
        """A scene that can be, its port, and what keeps it."""
        while True:
            scene = some_scene(self.chance, kind)
            try:
                return scene, *self.make(scene)
            except OSError:
                self.impossible += 1

    def question(self):
        """Asks about several ports with the same options."""
        chance = self.chance
        kind = chance.choice([socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM])
        v6only, reuseport = chance.random() < 0.2, chance.random() < 0.4
        device, uid = chance.choice(["", "", "", "", "lo", CARD]), chance.choice(self.uids)
        # A trial with SO_REUSEPORT would let the second in.
        reuseaddr = chance.random() < 0.5 if reuseport else None
        words = ["-u"] * (kind == socket.SOCK_DGRAM) + ["--v6only"] * v6only + ["--reuseport"] * reuseport
        words += ["--device", device] * bool(device) + ["--uid", str(uid)]
        words += [] if reuseaddr is None else ["--reuseaddr" if reuseaddr else "--no-reuseaddr"]
        scenes = [self.some(kind) for _ in range(TOGETHER)]
        wanted = [chance.choice(REFUSED) if chance.random() < 0.03 else chance.choice(ADDRESSES)[0] for _ in scenes]
        places = [f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                  for address, (_, port, _) in zip(wanted, scenes)]
        documents = list(parse(self.ask([*words, *places])))
        assert len(documents) == len(scenes), f"{words} {places}: {len(documents)} answers"
        for _, _, kept in scenes:
            for one in kept:
                one.close()
        for address, (scene, _, _), document in zip(wanted, scenes, documents):
            assert len(document["answers"]) == (2 if reuseaddr is None else 1), document
            for answer in document["answers"]:
                attempt = Options(kind, address, v6only and ":" in address, answer["reuseaddr"], reuseport, device, uid)
                self.compare(scene, attempt, answer)

    def compare(self, scene, attempt, answer):
        port, kept = self.make_again(scene)
        truth = outcome(attempt, port)
        for one in kept:
            one.close()
        said = answer["bind"], answer["listen"]
        self.asked += 1
        self.truths[truth[0] if truth[1] in (None, "ok") else f"listen {truth[1]}"] += 1
        if "undecidable" in said:
            self.undecidable.append(f"{scene}; new {attempt}: {answer['verdict']}; the kernel {truth}")
        elif said != truth:
            self.wrong.append(f"{scene}; new {attempt}: the kernel {truth}, why {said} ({answer['verdict']})")

    def make_again(self, scene):
        """Its twin. Only the port that the kernel chose may differ."""
        for _ in range(PATIENCE):
            try:
                return self.make(scene)
            except OSError as error:
                if scene.state != "connected-from-any":
                    raise OSError(f"{scene} could be made once: {error}") from error
        raise OSError(f"{scene} cannot be made again")


def parse(text):
    """The documents in a text, one after the other."""
    while text := text.lstrip():
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:]


def compare(ask, wanted, seed, uids=(0, 0, 0, 1000)):
    """Compares at least as many binds as wanted, and prints how far it is."""
    set_up()
    sample = Sample(ask, seed, uids)
    for step in itertools.count(1):
        if sample.asked >= wanted:
            return sample
        sample.question()
        if step % 8 == 0:
            print(f"# {sample.asked} binds so far, {len(sample.wrong)} wrong, {len(sample.undecidable)} undecidable", flush=True)
