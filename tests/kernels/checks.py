"""Asks sockstat on this kernel what was once answered wrongly on some kernel, as root, with sockets whose truth is known.

    checks.py [--quick] [--only NAME,...] [--binds N] [--seed S] SOCKSTAT MKSOCK [TEST=BINARY...]

One line for each, as it ends: `ok NAME: seconds`, `FAILED NAME: what`, `skipped NAME: why`, `late NAME: why it came to no answer`. Each check
runs in a process of its own with a time limit. TEST=BINARY names test binaries of the project; each of their tests is a check of its own.
"""

import argparse, ctypes, json, os, re, select, shutil, signal, socket, subprocess, sys, tempfile, time, traceback

import binds

RELEASE = tuple(int(number) for number in os.uname().release.split("-")[0].split("+")[0].split(".")[:2])
# Commands whose recordings are replayed on other kernels.
RECORDED = [["-tanp"], ["-xapj"], ["-anj"], ["-tuani"], ["why", "4004"], ["why", "-j", "4004"], ["reach", "127.0.0.1:4004"],
            ["-s"], ["free", "4000-4010"]]
NOBODY = ["setpriv", "--reuid", "65534", "--clear-groups"]
# Emulation makes everything some thirty times slower.
USUAL_LIMIT_S = 240


class Skip(Exception):
    pass


class CannotTell(Exception):
    """Something that this machine lacks to come to an answer: time, memory."""


class Ran:
    def __init__(self, *words, before=()):
        ran = subprocess.run([*before, SOCKSTAT, *words], text=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.status, self.out, self.err = ran.returncode, ran.stdout, ran.stderr
        if ran.returncode == -signal.SIGKILL:
            raise CannotTell(f"{words}: killed")
        self.all = f"{' '.join(words)} = {ran.returncode}\n{ran.stdout}{ran.stderr}"

    def json(self):
        return json.loads(self.out)


class Made:
    """Sockets that mksock holds, and what it says about them."""

    def __init__(self, *specs, before=()):
        self.process = subprocess.Popen([*before, MKSOCK, "--netns", "keep", *specs], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
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


def decided(ran, status):
    """Whether it ended so. In CI the machine may be so slow that a time limit of sockstat's own left it without an answer."""
    return ran.status == status or QUICK and ran.status == 3


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


def why_and_binds(before=(), uids=(0, 0, 0, 1000), undecidable_most=0.01):
    """why against real binds, sampled."""
    def check():
        wanted = min(BINDS, 64) if QUICK else BINDS
        sample = binds.compare(lambda words: Ran("why", "--json", "--quiet", *words, before=before).out, wanted, SEED, uids)
        asked, wrong, undecidable = sample.asked, sample.wrong, sample.undecidable
        print(f"# seed {SEED}: {asked} binds, {len(wrong)} wrong, {len(undecidable)} undecidable; the kernel says",
              ", ".join(f"{what} {count}" for what, count in sample.truths.most_common()))
        expect(not wrong, f"{len(wrong)} of {asked} wrong", *wrong[:20])
        # What takes too long on a slow machine is undecidable, too.
        expect(QUICK or len(undecidable) <= asked * undecidable_most, f"{len(undecidable)} of {asked} undecidable", *undecidable[:20])
        for one in undecidable[:20]:
            print("# undecidable:", one)
    return check


def bound_sockets():
    """free, why 0 and reach with a bound socket that does not listen; an ordinary user gets no wrong yes."""
    with stream("0.0.0.0") as held:
        port = held.getsockname()[1]
        free = Ran("free", f"{port}-{port}")
        expect(decided(free, 1) and not free.out, free.all)
        reach = Ran("reach", f"127.0.0.1:{port}")
        expect(decided(reach, 1), reach.all)
        for words in (["why", "-4", str(port)], ["free", f"{port}-{port}"]):
            ran = Ran(*words, before=NOBODY)
            expect(ran.status in (1, 3) and not ran.out.startswith("Yes"), ran.all)
    subprocess.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40001"], check=True)
    try:
        why = Ran("why", "-4", "0")
        expect(decided(why, 0), "two ports left", why.all)
        with stream("0.0.0.0", 40000), stream("0.0.0.0", 40001):
            why = Ran("why", "-4", "0")
            expect(decided(why, 1), why.all)
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
    """A socket of a family is listed, or the answer says that it is not."""
    def check():
        # Distributions load some protocols for nobody who only asks for a socket.
        subprocess.run(["modprobe", "-q", "dccp_ipv4" if name == "dccp" else name], check=False)
        try:
            one = socket.socket(number, kind, protocol)
        except OSError as error:
            raise Skip(f"no {name} sockets: {error.strerror}") from error
        with one:
            if name == "dccp":
                # Unbound ones are in no dump. A service code is required.
                one.setsockopt(269, 2, bytes(4))
                one.bind(("127.0.0.1", 0))
                one.listen()
            for words in (["-anj"], ["-A", "all", "-aj"]):
                seen = Ran(*words).json()
                listed = any(row["protocol"] == name for row in seen["sockets"])
                said = not seen["complete"] and any(name.upper() in gap["message"] for gap in seen["gaps"])
                expect(listed or said, words, seen["gaps"])
    return check


def tomoyo():
    """What an ordinary user may read of it."""
    return subprocess.run([*NOBODY, "cat", "/sys/kernel/security/tomoyo/stat"], text=True, capture_output=True).stdout


def owners():
    """The owners of every kind of socket by both ways, against the sockets that exist."""
    with Made("tcp-listen:port=4001", "tcp-pair", "udp", "unix-listen:abstract=checks", "unix-pair", "shared-fork:children=2,port=4002") as made:
        truth = {(end["inode"], end["pid"], end["fd"]) for end in made.ends if {"inode", "pid", "fd"} <= end.keys()}
        found = {}
        for by in ("proc", "bpf"):
            seen = Ran("-tuxapj", "--owners", by).json()
            found[by] = {(row["inode"], one["pid"], one["fd"]) for row in seen["sockets"] for one in row["owners"] or []}
            expect(truth <= found[by], by, truth - found[by], seen["gaps"])
        expect(found["proc"] == found["bpf"], found["proc"] ^ found["bpf"])


def kept_namespaces():
    """A network namespace that only a descriptor or a bind mount keeps is listed, or the answer says that it may miss some."""
    keeper = """
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
def new():
    assert libc.unshare(0x40000000) == 0
    other = os.open("/proc/self/ns/net", os.O_RDONLY)
    held = socket.socket()
    held.bind(("0.0.0.0", 4003))
    held.listen()
    assert libc.setns(home, 0x40000000) == 0
    return other, held
kept = new()
other, held = new()
open(sys.argv[1], "w").close()
assert libc.mount(f"/proc/self/fd/{other}".encode(), sys.argv[1].encode(), None, 4096, None) == 0
os.close(other)
print(held.fileno(), kept[1].fileno(), flush=True)
sys.stdin.read()
"""
    with tempfile.TemporaryDirectory(dir="/run") as top, subprocess.Popen(
            [sys.executable, "-c", keeper, f"{top}/mounted"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            expect(process.stdout.readline(), "no namespaces")
            seen = Ran("-tlnj", "-N", "all", "sport = :4003").json()
            namespaces = {row["netns"] for row in seen["sockets"]}
            expect(len(namespaces) == 2 or not seen["complete"], namespaces, seen["gaps"])
            print("#", len(namespaces), "of 2 found, losses:", [gap["code"] for gap in seen["gaps"] if gap["level"] == "loss"])
        finally:
            process.stdin.close()
            subprocess.run(["umount", f"{top}/mounted"], check=False)


def namespace_of_a_socket():
    """A network namespace that only a socket keeps is a loss. Only the BPF iterator knows it."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    expect(libc.unshare(0x40000000) == 0, "unshare")
    held = stream("0.0.0.0")
    expect(libc.setns(home, 0x40000000) == 0, "setns")
    with held:
        seen = Ran("-tlj", "-N", "all").json()
        found = [gap["message"] for gap in seen["gaps"] if gap["code"] == "netns-kept"]
        expect(not seen["complete"] and found or RELEASE < (5, 11), seen["gaps"])
        print("#", *found)


def apparmor():
    """The label of a confined program, and of another."""
    if not os.path.exists("/sys/kernel/security/apparmor/.replace"):
        raise Skip("this kernel runs without AppArmor")
    if not (parser := shutil.which("apparmor_parser", path=f"{os.environ['PATH']}:/job")):
        raise Skip("no apparmor_parser")
    subprocess.run([parser, "--replace", "--skip-cache", "--quiet"], text=True, check=True,
                   input="profile checks flags=(attach_disconnected) { file, network, unix, capability, signal, ptrace, }\n")
    confined = ["sh", "-c", 'echo exec checks >/proc/self/attr/exec && exec "$@"', "sh"]
    with Made("tcp-listen:port=4020", before=confined), Made("tcp-listen:port=4021"):
        for port, context in (("4020", "checks (enforce)"), ("4021", "unconfined")):
            row, = Ran("-tlnZj", "sport", "=", f":{port}").json()["sockets"]
            expect(row["context"] == context, row)
        print("#", Ran("-tlnZH", "sport", "=", ":4020").out.strip())


def destroy():
    """-K ends a connection, a listener and what is left in TIME-WAIT; the kernel then has them no more."""
    for spec, state in (("tcp-pair", "established"), ("tcp-listen", "listening"), ("time-wait", "time-wait")):
        with Made(spec) as made:
            port = made.ends[0]["local_port"]
            killed = Ran("-K", "--yes", "-t", "state", state, "sport", "=", f":{port}")
            left = Ran("-tnaH", "state", state, "sport", "=", f":{port}")
            if state == "time-wait" and "this kernel cannot close sockets in time-wait" in killed.err:
                expect(RELEASE < (6, 0) and killed.status == 1 and left.out, killed.all, left.all)
            else:
                expect(killed.status == 0 and not left.out, killed.all, left.all, made.ends)


def events():
    """A socket that closes is an event, with its address."""
    with stream() as server:
        server.listen()
        port = server.getsockname()[1]
        following = subprocess.Popen([SOCKSTAT, "events", "-t", "--jsonl"], stdout=subprocess.PIPE)
        try:
            # It listens from its first event on, so connections are made until one is told, or this check is late.
            os.set_blocking(following.stdout.fileno(), False)
            told = b""
            while str(port).encode() not in told:
                with socket.create_connection(("127.0.0.1", port)):
                    server.accept()[0].close()
                time.sleep(0.5)
                told += following.stdout.read() or b""
        finally:
            following.kill()
            following.wait()


def record(sockstat, folder):
    """Records what each of these commands reads, with what it printed, for another kernel to replay."""
    for at, words in enumerate(RECORDED):
        ran = subprocess.run([sockstat, *words, "--record", f"{folder}/{at}.tape"], capture_output=True)
        with open(f"{folder}/{at}.out", "wb") as file:
            file.write(b"%d\n" % ran.returncode + ran.stdout)


def replay(sockstat, folder):
    """What the recordings in the folder give here that they did not give where they were made."""
    differences = []
    for at, words in enumerate(RECORDED):
        ran = subprocess.run([sockstat, *words, "--replay", f"{folder}/{at}.tape"], capture_output=True)
        with open(f"{folder}/{at}.out", "rb") as file:
            if (made := file.read()) != b"%d\n" % ran.returncode + ran.stdout:
                differences.append(f"{words}: {made[:600]} gives {ran.returncode} {ran.stdout[:600]} {ran.stderr[:300]}")
    return differences


def recordings():
    """What is recorded here gives the same bytes here; what was recorded on the host's kernel gives the same here."""
    with Made("tcp-listen:port=4004", "tcp-pair", "unix-pair", "udp", "time-wait"):
        os.makedirs("/job/there", exist_ok=True)
        record(SOCKSTAT, "/job/there")
    for folder in ("there", "here"):
        differences = replay(SOCKSTAT, f"/job/{folder}")
        expect(not differences, folder, *differences)


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
        expect("TOMOYO" not in why.all, why.all, tomoyo())


OPTION_SETS = ["-tan", "-tln", "-uan", "-xan", "-tuln", "-wan", "-0an", "-4tan", "-6tan", "-xln", "-tun", "-San", "-Man", "-tane",
               "-tano", "-tanm", "-tani", "-tanp", "-tulpn", "-tulpne", "-xanp", "-xane", "-tanoempi", "-uanoempi", "-xanm",
               "--vsock -an", "--xdp -an", "-tanO", "-tan --tos", "-tan --inet-sockopt", "-tan --cgroup",
               "-f link -an", "-f unix -an", "-f inet -an", "-f inet6 -an", "-A tcp,udp -an", "-A raw,packet -an"]
FILTERS = ["state listening", "state established", "exclude listening", "state connected", "state synchronized", "state bucket",
           "state big", "sport = :4010", "dport = :4011", "sport gt :4000", "sport lt :4012", "sport != :4010", "src 127.0.0.1",
           "src 127.0.0.0/8:4010", "dst [::1]", "src ::/0", "not sport = :4010", "sport = :4010 or sport = :4012",
           "state established sport = :4011", "( sport = :4010 or dport = :4011 ) and src 127.0.0.1", "dev = lo", "autobound",
           "sport ge :4010 and sport le :4011", "fwmark = 1"]


def without_what_moves(text):
    """The rows, without values that move between two looks, and without either program's own sockets."""
    rows = []
    # ss puts details on a line of their own.
    for line in re.sub(r"\n[ \t]+", " ", text).splitlines():
        line = re.sub(r"timer:\((\w+),[^)]*\)", r"timer:\1", line)
        line = re.sub(r"\b(last(?:snd|rcv|ack)|busy|rcv_ooopack|notsent):\S+", r"\1", line)
        # ss knows them from 6.9 on.
        line = re.sub(r"\b(rcv_wnd|rehash):\d+", "", line)
        rows.append(" ".join(line.split()))
    return sorted(rows)


def against_ss(sets):
    """What is listed for each set of words is what ss lists."""
    def check():
        with Made("tcp-listen:port=4010", "tcp-listen:addr=::", "tcp-pair:port=4011", "tcp-pair:addr=::1", "udp:port=4010", "udp-connected",
                  "unix-listen:abstract=rows", "unix-pair", "time-wait", "syn-sent", "close-wait", "fin-wait-2"):
            wrong = []
            for words in sets:
                words = words.split()
                for _ in range(3):
                    theirs = subprocess.run(["ss", "-H", *words], text=True, capture_output=True)
                    ours = Ran("-H", *words)
                    first, second = without_what_moves(ours.out), without_what_moves(theirs.stdout)
                    if first == second and (ours.status == 0) == (theirs.returncode == 0):
                        break
                else:
                    wrong.append([words, ours.status, theirs.returncode, *sorted(set(first) ^ set(second))[:6], ours.err])
            print(f"# {len(sets)} asked, {len(wrong)} differ")
            expect(not wrong, *wrong)
    return check


# Name, check, time limit, whether it is quick.
CHECKS = [
    ("unix-path", unix_path, 120, True),
    ("bound-sockets", bound_sockets, 180, True),
    ("io-uring", io_uring, 120, True),
    ("thread-table", thread_table, 120, True),
    ("namespaces-of-others", namespaces_of_others, 120, True),
    ("exit-status", exit_status, 120, True),
    ("xdp-hides-nothing", xdp_hides_nothing, 120, True),
    ("dccp", family(socket.AF_INET, 6, 33, "dccp"), 120, False),
    ("tipc", family(30, socket.SOCK_STREAM, 0, "tipc"), 120, False),
    ("smc", family(43, socket.SOCK_STREAM, 0, "smc"), 120, False),
    ("wording", wording, 180, True),
    ("owners", owners, 180, False),
    ("kept-namespaces", kept_namespaces, 120, False),
    ("namespace-of-a-socket", namespace_of_a_socket, 120, False),
    ("apparmor", apparmor, 120, False),
    ("destroy", destroy, 120, False),
    ("events", events, 300, False),
    ("recordings", recordings, 600, False),
    ("rows-of-ss", against_ss(OPTION_SETS), 600, False),
    ("filters-of-ss", against_ss([f"-tuan {words}" for words in FILTERS]), 400, False),
    ("why-and-binds", why_and_binds(), 3600, True),
    # Much is hidden from an ordinary user, and undecidable then.
    ("why-of-others", why_and_binds(NOBODY, (65534,), 1), 3600, False),
]

# Tests of the project that depend on the kernel, by binary: what to run, and its time limit. Each test is a result.
TESTS = {
    "bind_matrix": (["matrix::"], 900),
    "bpf": ([], 600),
    "it": (["live::ss::", "live::families::", "live::details::", "live::owners::", "live::netns::", "live::tape::",
            "live::descriptor_only::", "live::destroy::", "live::events::", "live::ways::"], 2400),
}


def new_network_namespace():
    """Moves this process to one of its own, where no port is in use."""
    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def run_check(check, limit_s):
    """Runs it in a process group of its own; prints what it has to say, as it comes, and returns its result."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(read)
        os.dup2(write, 1)
        try:
            new_network_namespace()
            check()
            result = "ok"
        except Skip as reason:
            result = f"skipped {reason}"
        except AssertionError as what:
            result = f"FAILED {what}"
        except (CannotTell, OSError, MemoryError, subprocess.CalledProcessError):
            result = f"late {traceback.format_exc()}"
        except BaseException:
            result = f"FAILED {traceback.format_exc()}"
        sys.stdout.flush()
        os.write(1, f"\0{result}".encode(errors="replace"))
        os._exit(0)
    os.close(write)
    told, shown, deadline = b"", 0, time.monotonic() + limit_s
    while (left := deadline - time.monotonic()) > 0:
        if select.select([read], [], [], left)[0]:
            more = os.read(read, 1 << 16)
            told += more
            end = told.partition(b"\0")[0].rfind(b"\n") + 1
            print(told[shown:end].decode(errors="replace"), end="", flush=True)
            shown = max(shown, end)
            if not more or b"\0" in told:
                break
    # Whatever it left behind goes with it.
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(child, 0)
    os.close(read)
    return told.decode(errors="replace").partition("\0")[2] or f"late it did not end in {limit_s} s"


def report(name, result, seconds, said=""):
    word, _, what = result.partition(" ")
    about = ": ".join(part for part in (f"{seconds:.0f} s", what) if part)
    print(f"{word} {name}: {about}", flush=True)
    for line in said.splitlines():
        print(line, flush=True)


def run_tests(name, binary, filters, limit_s):
    """Runs a test binary; each of its tests is a result."""
    started = time.monotonic()
    words = ["timeout", str(limit_s), binary, "--test-threads=1", *filters]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env={**os.environ, "RUST_BACKTRACE": "0"}) as ran:
        results, details, running, at = 0, {}, None, None
        begun = started
        for line in ran.stdout:
            line = line.rstrip("\n")
            if match := re.match(r"test (\S+)(?: - should panic)? \.\.\. ?(.*)$", line):
                running, rest = match[1], match[2]
                line = rest
            if running and (match := re.search(r"(ok|FAILED|ignored)$", line)):
                now = time.monotonic()
                word = {"ignored": "skipped"}.get(match[1], match[1])
                if word == "FAILED":
                    details[running] = []
                report(f"{name}:{running}", word, now - begun)
                results, running, begun = results + 1, None, now
            elif match := re.match(r"---- (\S+) stdout ----$", line):
                at = match[1]
            elif line == "failures:":
                at = None
            elif at in details:
                details[at].append(line)
        for test, lines in details.items():
            report(f"{name}:{test}", "FAILED", 0, "\n".join(lines[:30]))
    word = {0: "ok", 101: "ok", 124: "late"}.get(ran.returncode, "FAILED")
    result = word if word == "ok" else f"{word} ended with {ran.returncode}" + f" in {running}" * bool(running)
    report(name, result, time.monotonic() - started, f"# {results} tests")


def main():
    global SOCKSTAT, MKSOCK, BINDS, SEED, QUICK
    parser = argparse.ArgumentParser()
    options(parser)
    parser.add_argument("sockstat")
    parser.add_argument("mksock")
    parser.add_argument("tests", nargs="*")
    asked = parser.parse_args()
    SOCKSTAT, MKSOCK, BINDS, SEED, QUICK = asked.sockstat, asked.mksock, asked.binds, asked.seed, asked.quick
    for name, check, limit_s, is_quick in CHECKS:
        if name in asked.only if asked.only else is_quick or not QUICK:
            started = time.monotonic()
            result = run_check(check, limit_s)
            report(name, result, time.monotonic() - started)
    for name, binary in (word.split("=", 1) for word in asked.tests):
        wanted = [part for part in asked.only if part.split(":")[0] == name]
        filters, limit_s = TESTS[name]
        if wanted or not asked.only and not QUICK:
            chosen = [part.partition(":")[2] for part in wanted if ":" in part]
            run_tests(name, binary, chosen or filters, limit_s)


def options(parser):
    """What run passes on."""
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="CHECK,...")
    parser.add_argument("--binds", type=int, default=2000, metavar="N")
    parser.add_argument("--seed", type=int, default=16, metavar="S")


if __name__ == "__main__":
    main()
