"""Asks sockstat on this kernel what was once answered wrongly on some kernel, as root, with sockets whose truth is known.

    checks.py SOCKSTAT MKSOCK

One line for each: `ok NAME`, `FAILED NAME: what`, `skipped NAME: why`.
"""

import errno, itertools, json, os, socket, subprocess, sys, tempfile, traceback

SOCKSTAT, MKSOCK = sys.argv[1:3]
RELEASE = tuple(int(number) for number in os.uname().release.split("-")[0].split("+")[0].split(".")[:2])
NOBODY = ["setpriv", "--reuid", "65534", "--clear-groups"]


class Skip(Exception):
    pass


class Ran:
    def __init__(self, *words, before=()):
        ran = subprocess.run([*before, SOCKSTAT, *words], text=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.status, self.out, self.err = ran.returncode, ran.stdout, ran.stderr
        self.all = f"{' '.join(words)} = {ran.returncode}\n{ran.stdout}{ran.stderr}"

    def json(self):
        return json.loads(self.out)


class Made:
    """Sockets that mksock holds, and what it says about them."""

    def __init__(self, *specs):
        self.process = subprocess.Popen([MKSOCK, "--netns", "keep", *specs], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stdout:
            if line == "ready\n":
                break
            lines.append(json.loads(line))
        else:
            raise Skip(self.process.stderr.read().strip())
        self.ends = [line for line in lines if "inode" in line]
        for line in lines:
            if "skip" in line:
                self.close()
                raise Skip(line["skip"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def expect(truth, *what):
    if not truth:
        raise AssertionError("\n".join(str(word) for word in what))


def stream(address="127.0.0.1", port=0, reuse=False, v6only=False):
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if ":" in address:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
    one.bind((address, port))
    return one


def unix_path():
    """A live listener on this root, an overlay whose layers are on different file systems."""
    with tempfile.TemporaryDirectory(dir="/var") as top, socket.socket(socket.AF_UNIX) as server:
        path = f"{top}/live.sock"
        server.bind(path)
        server.listen()
        why = Ran("why", path)
        expect("stale" not in why.out and "rm " not in why.out and why.status != 0, why.all)
        reach = Ran("reach", path)
        expect(reach.status in (0, 3), reach.all)
        expect(Ran("wait", path, "--timeout", "20s").status == 0, "wait")


def can_bind(address, port, reuse):
    try:
        stream(address, port, reuse).close()
        return True
    except OSError as error:
        expect(error.errno == errno.EADDRINUSE, error)
        return False


def why_and_binds():
    """why against real binds, with and without SO_REUSEADDR, for sockets that are bound, listen or are gone."""
    undecided = asked = 0
    addresses = ["0.0.0.0", "127.0.0.1", "::", "::1", "::ffff:127.0.0.1"]
    for address, reuse, listens in itertools.product(addresses, (False, True), (False, True)):
        with stream(address, 0, reuse) as held:
            port = held.getsockname()[1]
            if listens:
                held.listen()
            for wanted in ("0.0.0.0", "127.0.0.1", "::", "::1"):
                place = f"[{wanted}]:{port}" if ":" in wanted else f"{wanted}:{port}"
                for flag in (False, True):
                    truth = can_bind(wanted, port, flag)
                    why = Ran("why", "--json", "--reuseaddr" if flag else "--no-reuseaddr", place)
                    said = why.json()["answers"][0]["bind"]
                    asked += 1
                    undecided += said == "undecidable"
                    expect(said in ("undecidable", "ok" if truth else "EADDRINUSE"), f"held {address} reuse {reuse} "
                           f"listens {listens}; bind {place} reuse {flag} works: {truth}", why.all)
    expect(undecided * 100 <= asked, f"{undecided} of {asked} undecidable")


def bound_sockets():
    """free, why 0 and reach with a bound socket that does not listen; an ordinary user gets no wrong yes."""
    with stream("0.0.0.0") as held:
        port = held.getsockname()[1]
        free = Ran("free", f"{port}-{port}")
        expect(free.status == 1 and not free.out, free.all)
        reach = Ran("reach", f"127.0.0.1:{port}")
        expect(reach.status == 1, reach.all)
        for words in (["why", "-4", str(port)], ["free", f"{port}-{port}"]):
            ran = Ran(*words, before=NOBODY)
            expect(ran.status in (1, 3) and not ran.out.startswith("Yes"), ran.all)
    subprocess.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40001"], check=True)
    try:
        expect(Ran("why", "-4", "0").status == 0, "why 0 with two ports left")
        with stream("0.0.0.0", 40000), stream("0.0.0.0", 40001):
            why = Ran("why", "-4", "0")
            expect(why.status == 1, why.all)
    finally:
        subprocess.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=32768 60999"], check=True)


def io_uring():
    with Made("io-uring") as made:
        port = next(end["local_port"] for end in made.ends if end.get("local_port"))
        for by in ("proc", "bpf"):
            row, = Ran("-tlnpj", "--owners", by, f"sport = :{port}").json()["sockets"]
            expect(row["owner_status"] in ("known", "unknown"), by, row)
        why = Ran("why", str(port))
        expect("kernel itself" not in why.out, why.all)


def thread_table():
    with Made("thread-table") as made:
        port = next(end["local_port"] for end in made.ends if end.get("local_port"))
        found = [Ran("-tlnpj", "--owners", by, f"sport = :{port}").json()["sockets"][0]["owners"] for by in ("proc", "bpf")]
        expect(found[0] and [(one["pid"], one["tid"], one["fd"]) for one in found[0]]
               == [(one["pid"], one["tid"], one["fd"]) for one in found[1]], *found)


def namespaces_of_others():
    """An ordinary user who cannot see into another namespace is told so."""
    other = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    try:
        seen = Ran("-tan", "-N", "all", "--json", before=NOBODY).json()
        expect(not seen["complete"] and seen["gaps"], seen["gaps"])
    finally:
        other.kill()
        other.wait()


def exit_status():
    expect(Ran("-t", "--exit-status", "dport = :9").status == 1, "dport")
    expect(Ran("-tl", "--exit-status", "sport = :9").status == 1, "listeners")
    wanted = 3 if RELEASE < (6, 8) else 1
    ran = Ran("-ta", "--exit-status", "sport = :9")
    expect(ran.status == wanted, ran.all)


def xdp_hides_nothing():
    with socket.socket(44, socket.SOCK_RAW), socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        inodes = {os.fstat(one.fileno()).st_ino for one in (tcp, udp)}
        seen = Ran("-apj").json()
        expect(inodes <= {row["inode"] for row in seen["sockets"]}, seen["gaps"])


def family(number, kind, protocol, name):
    """A family that is not listed is a gap."""
    def check():
        try:
            one = socket.socket(number, kind, protocol)
        except OSError as error:
            raise Skip(f"no {name} sockets: {error.strerror}") from error
        with one:
            for words in (["-anj"], ["-A", "all", "-j"]):
                seen = Ran(*words).json()
                listed = any(row["protocol"] == name for row in seen["sockets"])
                said = not seen["complete"] and any(name.upper() in gap["message"] for gap in seen["gaps"])
                expect(listed or said, words, seen["gaps"])
    return check


def wording():
    """Small things that were said wrongly."""
    with Made("time-wait") as made:
        killed = Ran("-K", "--yes", "state", "time-wait")
        expect("CONFIG_INET_DIAG_DESTROY" not in killed.all and "no sockets of this protocol" not in killed.all, killed.all)
        del made
    plan = Ran("-tlpn", "--owners", "bpf", "--explain-plan")
    expect("unknown#" not in plan.all, plan.all)
    why = Ran("why", "10.99.99.99:80")
    expect("127.0.0.0" not in why.out and "EADDRNOTAVAIL" in why.out, why.all)
    for before in ([], NOBODY):
        why = Ran("why", "4000", before=before)
        expect("TOMOYO" not in why.all, why.all)


CHECKS = {
    "unix-path": unix_path,
    "why-and-binds": why_and_binds,
    "bound-sockets": bound_sockets,
    "io-uring": io_uring,
    "thread-table": thread_table,
    "namespaces-of-others": namespaces_of_others,
    "exit-status": exit_status,
    "xdp-hides-nothing": xdp_hides_nothing,
    "dccp": family(socket.AF_INET, 6, 33, "dccp"),
    "tipc": family(30, socket.SOCK_STREAM, 0, "tipc"),
    "smc": family(43, socket.SOCK_STREAM, 0, "smc"),
    "wording": wording,
}

for name, check in CHECKS.items():
    try:
        check()
        print("ok", name, flush=True)
    except Skip as reason:
        print(f"skipped {name}: {reason}", flush=True)
    except AssertionError as what:
        print(f"FAILED {name}: {what}", flush=True)
    except Exception:
        print(f"FAILED {name}: {traceback.format_exc()}", flush=True)
