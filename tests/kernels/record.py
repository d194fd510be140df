#!/usr/bin/env python3
"""Makes DCCP, TIPC and SMC sockets in every state that a program can reach, and prints the kernel's dumps of them.

    tests/kernels/run 6.1 -- python3 tests/kernels/record.py > dumps
    tests/kernels/record.py --unpack VERSION < dumps        writes tests/data/kernels/NAME-VERSION.dump

Each line is a name and the datagrams in hexadecimal; lines that begin with # say what the programs see. Needs root, and
modprobe: some distributions load these protocols for nobody who only asks for a socket.
"""

import ctypes, os, socket, struct, subprocess, sys
from pathlib import Path

SEQUENCE = 7
AF_TIPC, AF_SMC = 30, 43
SOCK_DCCP, IPPROTO_DCCP, SOL_DCCP, DCCP_SERVICE = 6, 33, 269, 2
SOL_TIPC, TIPC_GROUP_JOIN = 271, 135
libc = ctypes.CDLL(None, use_errno=True)


def dump(name, body):
    """Asks for a dump, and prints everything that came until its end."""
    asker = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)
    asker.settimeout(10)
    asker.send(struct.pack("=IHHII", 16 + len(body), 20, 0x301, SEQUENCE, 0) + body)
    reply, ended = b"", False
    while not ended:
        datagram, at = asker.recv(1 << 17), 0
        while at + 16 <= len(datagram):
            length, kind = struct.unpack_from("=IH", datagram, at)
            ended |= kind in (2, 3)
            at += (length + 3) & ~3
        reply += datagram
    print(name, reply.hex(), flush=True)


def told(name, kept):
    """What the program itself knows of its sockets."""
    for one in kept:
        cookie, = struct.unpack("=Q", one.getsockopt(socket.SOL_SOCKET, 57, 8))
        print(f"# {name} ino:{os.fstat(one.fileno()).st_ino} sk:{cookie:x}", flush=True)


def dccp():
    def made(family, service):
        one = socket.socket(family, SOCK_DCCP, IPPROTO_DCCP)
        one.setsockopt(SOL_DCCP, DCCP_SERVICE, struct.pack("!I", service))
        return one

    server, bound, server6 = made(socket.AF_INET, 42), made(socket.AF_INET, 42), made(socket.AF_INET6, 43)
    server.bind(("127.0.0.1", 5001))
    server.listen(5)
    bound.bind(("127.0.0.2", 5002))
    server6.bind(("::", 5003))
    server6.listen(7)
    clients = [made(socket.AF_INET, 42) for _ in range(3)]
    for client in clients:
        client.connect(("127.0.0.1", 5001))
    accepted = [server.accept()[0] for _ in range(2)]
    accepted[0].send(b"hello")
    clients[0].send(b"x" * 100)
    client6 = made(socket.AF_INET6, 43)
    client6.connect(("::1", 5003))
    clients[1].close()
    accepted[1].close()
    told("dccp", [server, bound, server6, clients[0], clients[2], accepted[0], client6])
    for name, family in (("dccp", socket.AF_INET), ("dccp6", socket.AF_INET6)):
        dump(name, struct.pack("=BBBxI", family, IPPROTO_DCCP, 0xff, 0xfffe) + bytes(40) + b"\xff" * 8)


def tipc():
    stream, dgram, rdm, seqpacket = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RDM, socket.SOCK_SEQPACKET
    made = lambda kind: socket.socket(AF_TIPC, kind)

    def begun(kind, service, instance):
        """A connection is made when the server accepts it."""
        one = made(kind)
        one.setblocking(False)
        try:
            one.connect((socket.TIPC_ADDR_NAME, service, instance, 0))
        except BlockingIOError:
            pass
        return one

    server, packets = made(stream), made(seqpacket)
    server.bind((socket.TIPC_ADDR_NAMESEQ, 4711, 0, 10, socket.TIPC_CLUSTER_SCOPE))
    server.listen(0)
    client = begun(stream, 4711, 5)
    accepted = server.accept()[0]
    accepted.send(b"hello")
    accepted.send(b"again")
    packets.bind((socket.TIPC_ADDR_NAMESEQ, 4712, 7, 7, socket.TIPC_NODE_SCOPE))
    packets.listen(0)
    packet_client = begun(seqpacket, 4712, 7)
    receiver, sender, member = made(dgram), made(rdm), made(rdm)
    receiver.bind((socket.TIPC_ADDR_NAMESEQ, 4713, 1, 1, socket.TIPC_CLUSTER_SCOPE))
    for _ in range(2):
        sender.sendto(b"x" * 50, (socket.TIPC_ADDR_NAME, 4713, 1, 0))
    member.setsockopt(SOL_TIPC, TIPC_GROUP_JOIN, struct.pack("=IIII", 5000, 8, 2, 1))
    os.seteuid(1000)
    of_another_user = made(rdm)
    os.seteuid(0)
    left = begun(stream, 4711, 9)
    server.accept()[0].close()
    told("tipc", [server, client, accepted, packets, packet_client, receiver, sender, member, of_another_user, left])
    dump("tipc", struct.pack("=BBHI", AF_TIPC, 0, 0, 0x3ffe))
    dump("tipc-listen", struct.pack("=BBHI", AF_TIPC, 0, 0, 1 << 10))


def smc():
    def called(function, one, address, port):
        """Python has no addresses for this family."""
        if ":" in address:
            packed = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + \
                socket.inet_pton(socket.AF_INET6, address) + bytes(4)
        else:
            packed = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(address) + bytes(8)
        if getattr(libc, function)(one.fileno(), packed, len(packed)) != 0:
            raise OSError(ctypes.get_errno(), function)
        return one

    def made(v6=False):
        return socket.socket(AF_SMC, socket.SOCK_STREAM, int(v6))

    def listening(address, port, backlog):
        one = called("bind", made(":" in address), address, port)
        libc.listen(one.fileno(), backlog)
        return one

    def accepted(one):
        return socket.socket(AF_SMC, socket.SOCK_STREAM, 0, fileno=libc.accept(one.fileno(), None, None))

    server, server6 = listening("127.0.0.1", 5101, 6), listening("::", 5102, 3)
    client, plain = called("connect", made(), "127.0.0.1", 5101), socket.socket()
    kept = [server, server6, client, accepted(server)]
    client.send(b"hello")
    plain.connect(("127.0.0.1", 5101))
    kept += [accepted(server), called("connect", made(True), "::1", 5102), made(), called("bind", made(), "127.0.0.9", 5103)]
    left = called("connect", made(), "127.0.0.1", 5101)
    accepted(server).close()
    os.seteuid(1000)
    kept += [left, listening("127.0.0.9", 5104, 3)]
    os.seteuid(0)
    told("smc", kept)
    dump("smc", struct.pack("=BBBB", AF_SMC, 0, 0, 0xff) + bytes(40) + b"\xff" * 8)


def main(words):
    if words[:1] == ["--unpack"]:
        home = Path(__file__).resolve().parents[1] / "data/kernels"
        for line in sys.stdin:
            if not line.startswith("#"):
                name, datagrams = line.split()
                (home / f"{name}-{words[1]}.dump").write_bytes(bytes.fromhex(datagrams))
        return
    modules = ["dccp_ipv4", "dccp_ipv6", "dccp_diag", "tipc", "tipc_diag", "diag", "smc", "smc_diag"]
    subprocess.run(["modprobe", "-a", *modules], stderr=subprocess.DEVNULL, check=False)
    for make in (dccp, tipc, smc):
        try:
            make()
        except OSError as error:
            print(f"# {make.__name__}: {error}", flush=True)


main(sys.argv[1:])
