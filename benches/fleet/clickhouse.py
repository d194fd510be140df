"""Measures ClickHouse with the tables and questions of examples/fleet/clickhouse. docs/performance.md has the figures.

    python3 benches/fleet/clickhouse.py load DIRECTORY SNAPSHOT    loads a snapshot 25 times, on one thread
    python3 benches/fleet/clickhouse.py cost DIRECTORY SNAPSHOT    the same with parts left out, in turn: what each part costs
    python3 benches/fleet/clickhouse.py ask DIRECTORY [MINUTES]    asks a day of 1,000 machines, 70 sockets each, every minute

DIRECTORY holds the data and must be new; a whole day takes about 1 GB. The engine is the real one, in this process (chdb).
"""

import random
import re
import resource
import sys
import time
import uuid
from pathlib import Path

from chdb import session

SQL = Path(__file__).parents[2] / "examples/fleet/clickhouse"
HOSTS = 1000
SOCKETS = 70
COPIES = 25
ROUNDS = 4
ONE_THREAD = "max_threads = 1, max_insert_threads = 1, input_format_parallel_parsing = 0"
SETTINGS = "input_format_skip_unknown_fields = 1, input_format_defaults_for_omitted_fields = 0, date_time_input_format = 'best_effort'"


def statements(text):
    """The statements of a file, without comments."""
    text = re.sub(r"^\s*--.*$|\s--\s.*$", "", text, flags=re.MULTILINE)
    return [statement for statement in map(str.strip, text.split(";")) if statement]


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work):
    """Seconds by the clock, and of the processor."""
    began = time.monotonic(), processor_seconds()
    work()
    return time.monotonic() - began[0], processor_seconds() - began[1]


def create(engine, schema):
    for statement in statements(schema):
        engine.query(statement)


def opened(directory):
    engine = session.Session(str(directory / "clickhouse"))
    create(engine, (SQL / "schema.sql").read_text())
    return engine


def batch_of(directory, snapshot, copies):
    """A file with the lines of a snapshot as if several machines had sent it, and the number of rows."""
    lines = snapshot.read_text().splitlines(keepends=True)
    host = re.search(r'"host":"[^"]*"', lines[-1])[0]
    batch = directory / "lines.jsonl"
    with batch.open("w") as file:
        for number in range(copies):
            file.write("".join(lines).replace(host, f'"host":"load{number:03}"'))
    return batch, copies * (len(lines) - 1)


def columns_of_landing(engine):
    found = """SELECT arrayStringConcat(groupArray(name || ' ' || type), ', ') FROM system.columns
        WHERE database = 'sockstat' AND table = 'landing'"""
    return str(engine.query(found, "TabSeparatedRaw")).strip()


def insert(table, batch, columns, select="*", form="JSONEachRow", settings=ONE_THREAD):
    """From a file, because there is no HTTP server here."""
    source = columns.replace("'", "\\'")
    settings = f"{SETTINGS}, {settings}"
    return f"INSERT INTO {table} SELECT {select} FROM file('{batch}', '{form}', '{source}') SETTINGS {settings}"


def load(directory, snapshot):
    """Into the table that keeps nothing, as an agent would."""
    engine = opened(directory)
    batch, count = batch_of(directory, snapshot, COPIES)
    statement = insert("sockstat.landing", batch, columns_of_landing(engine))
    clock, processor = timed(lambda: engine.query(statement))
    found = str(engine.query("SELECT count() FROM sockstat.sockets")).strip()
    assert found == str(count), f"{found} of {count} rows arrived"
    print(f"{count} rows in {clock:.2f} s, {processor:.2f} s of the processor: {count / clock:,.0f} rows/s by the clock,")
    print(f"{count / processor:,.0f} rows a second of the processor, {batch.stat().st_size / count:.0f} bytes of JSON a row")


def cost(directory, snapshot):
    """The best of some rounds for each variant; in each round, every variant has its turn."""
    engine = opened(directory)
    batch, count = batch_of(directory, snapshot, 10)
    every = columns_of_landing(engine)
    rows_only = every.split(", schema String")[0]
    as_text = re.sub(r"DateTime(64)?\([^)]*\)", "String", every)
    typed = every.replace("machine_id String", "machine_id FixedString(32)").replace("boot_id String", "boot_id UUID")
    few = re.sub(r"(?<=[a-z] )String", "LowCardinality(String)", rows_only)
    schema = (SQL / "schema.sql").read_text()
    light = re.sub(r" CODEC\((?:\w+(?:\(\d\))?(?:, )?)+\)", "", schema)
    unsorted = re.sub(r"ORDER BY \(state.*\)", "ORDER BY tuple()", schema)
    small = f"{ONE_THREAD}, max_insert_block_size = 65536, min_insert_block_size_rows = 65536"
    one = f"Tuple({as_text.split(', schema String')[0]})"
    tables = [
        ("into the tables", schema, {}),
        ("with codecs left out (LZ4)", light, {}),
        ("unsorted", unsorted, {}),
        ("with repeated batches not looked for", schema.replace(", non_replicated_deduplication_window = 10000", ""), {}),
        ("in blocks of 65,536 rows", schema, {"settings": small}),
        ("on all threads, parsed in parallel", schema, {"settings": "input_format_parallel_parsing = 1"}),
    ]
    parsed = [
        ("parsed only", every, {}),
        ("parsed only, in blocks of 65,536 rows", every, {"settings": small}),
        ("parsed only, file mapped", every, {"settings": f"{ONE_THREAD}, storage_file_read_method = 'mmap'"}),
        ("parsed only, times as text", as_text, {}),
        ("parsed only, FixedString and UUID", typed, {}),
        ("parsed only, without the last line's columns", rows_only, {}),
        ("parsed only, into LowCardinality", few, {}),
        ("lines as text, not parsed", "line String", {"form": "LineAsString"}),
        ("lines as text, then JSONExtract", "line String", {"form": "LineAsString", "select": f"JSONExtract(line, '{one}')"}),
    ]
    times = {}

    def measure(name, statement):
        clock, processor = timed(lambda: engine.query(statement))
        times.setdefault(name, []).append((processor, clock))

    for _ in range(ROUNDS):
        for name, schema, options in tables:
            engine.query("DROP DATABASE sockstat SYNC")
            create(engine, schema)
            measure(name, insert("sockstat.landing", batch, every, **options))
            found = str(engine.query("SELECT count() FROM sockstat.sockets")).strip()
            assert found == str(count), f"{name}: {found} of {count} rows arrived"
        for name, columns, options in parsed:
            kept = f"found {one}" if "select" in options else columns
            engine.query("DROP TABLE IF EXISTS sockstat.nothing")
            engine.query(f"CREATE TABLE sockstat.nothing ({kept}) ENGINE = Null")
            measure(name, insert("sockstat.nothing", batch, columns, **options))
    print(f"{count} rows, {batch.stat().st_size / count:.0f} bytes of JSON a row; rows a second of the processor, and by the clock")
    for name, found in times.items():
        print(f"{count / min(found)[0]:10,.0f} {count / min(clock for _, clock in found):10,.0f}  {name}")


# Of 70 sockets 15 listen, 30 are connections between two of the machines (15 ends of clients, 15 of servers) that stay for hours, and
# 25 are short: they stay for 1 to 8 minutes, to a machine that is not known.
ROWS = """
WITH
    toUInt32(intDiv(number, {sockets} * 60)) AS machine, intDiv(number, {sockets}) % 60 + {hour} * 60 AS minute, number % {sockets} AS slot,
    slot < 15 AS listens, slot BETWEEN 15 AND 44 AS stays, slot BETWEEN 30 AND 44 AS serves,
    slot % 15 AS service, 17 * (service + 1) AS distance,
    [22, 80, 443, 5432, 6379, 9100, 9090, 8080, 3000, 25, 53, 111, 2049, 11211, 27017][service + 1] AS port,
    ['sshd', 'nginx', 'nginx', 'postgres', 'redis-server', 'node_exporter', 'prometheus', 'java', 'node', 'master', 'dnsmasq',
     'rpcbind', 'nfsd', 'memcached', 'mongod'][service + 1] AS program,
    toUInt32(if(serves, (machine + {hosts} - distance) % {hosts}, machine)) AS client,
    multiIf(listens, 0, stays, intDiv(minute + cityHash64(client, service) % 360, 360),
            intDiv(minute + cityHash64(machine, slot) % 8, 1 + cityHash64(machine, slot, 1) % 8)) AS generation,
    toUInt16(32768 + cityHash64(client, service, generation, stays) % 28232) AS ephemeral,
    IPv4ToIPv6(toUInt32(167772160 + machine + 1)) AS own,
    IPv4ToIPv6(toUInt32(167772160 + if(serves, client, (machine + distance) % {hosts}) + 1)) AS mate,
    IPv4ToIPv6(toUInt32(cityHash64(machine, slot, generation) % 4294967296)) AS stranger,
    cityHash64(machine, slot, generation, 2) % 10 AS kind
SELECT
    {names}[machine + 1] AS host, {ids}[machine + 1] AS machine_id, {boots}[machine + 1] AS boot_id,
    toDateTime64('2026-11-29 00:00:00', 3, 'UTC') + toIntervalSecond(minute * 60) + toIntervalMillisecond(machine * 30) AS taken_at,
    4026531833 AS netns, '' AS netns_name, '' AS container_id, '' AS pod, concat(program, '.service') AS unit,
    'tcp' AS protocol, 'inet' AS family,
    multiIf(listens, 'listen', stays OR kind < 6, 'established', kind < 9, 'time-wait', 'close-wait') AS state,
    if(listens AND service % 3 > 0, toIPv6('::'), own) AS local_address, if(listens OR serves, port, ephemeral) AS local_port,
    multiIf(listens, toIPv6('::'), stays, mate, stranger) AS peer_address,
    multiIf(listens, 0, serves, ephemeral, port) AS peer_port,
    if(listens AND service % 3 > 0, 'all', 'private') AS scope,
    if(cityHash64(number, {hour}) % 100 = 0, cityHash64(number, 3) % 60000, 0) AS recv_q,
    if(cityHash64(number, {hour}) % 50 = 1, cityHash64(number, 4) % 60000, 0) AS send_q,
    if(listens AND cityHash64(number, {hour}) % 1000 = 0, 129, 0) AS accept_q, if(listens, 128, 0) AS backlog,
    accept_q > backlog AS accept_queue_full, 0 AS drops, if(state = 'time-wait', NULL, 33) AS uid, 'www-data' AS user,
    if(state = 'time-wait', 'none', 'known') AS owner_status, if(state = 'time-wait', '', program) AS process,
    if(state = 'time-wait', 0, 800 + slot) AS pid, if(state = 'time-wait', '', concat('/usr/bin/', program)) AS exe,
    toDateTime('2026-11-01 00:00:00', 'UTC') + slot AS started_at, 1 AS owner_count,
    if(state = 'time-wait', 0, 20000 + (generation * 70 + slot) * 3 + machine) AS inode,
    generation * 70 + slot + machine * 4096 AS cookie
FROM numbers({hosts} * 60 * {sockets})
"""

SNAPSHOTS = """
SELECT host, machine_id, boot_id, taken_at, 'sockstat-snapshot/1' AS schema, '0.1.0' AS version, '6.1.0' AS kernel,
       true AS complete, toUInt32(count()) AS rows, 32768 AS port_low, 60999 AS port_high,
       [IPv4ToIPv6(toUInt32(167772160 + toUInt32(substring(host, 4)) + 1))] AS ips
FROM sockstat.sockets WHERE taken_at >= toDateTime64('2026-11-29 00:00:00', 3, 'UTC') + INTERVAL {hour} HOUR
GROUP BY host, machine_id, boot_id, taken_at
"""


def ask(directory, minutes):
    engine = opened(directory)
    generator = random.Random(1)
    machines = {
        "names": [f"web{number:04}" for number in range(HOSTS)],
        "ids": [f"{generator.getrandbits(128):032x}" for _ in range(HOSTS)],
        "boots": [str(uuid.UUID(int=generator.getrandbits(128))) for _ in range(HOSTS)],
    }
    # What is old is removed after two weeks, and this day may be older.
    for table in ("sockets", "snapshots"):
        engine.query(f"ALTER TABLE sockstat.{table} REMOVE TTL")
    for hour in range(minutes // 60):
        began = time.monotonic()
        engine.query("INSERT INTO sockstat.sockets " + ROWS.format(hosts=HOSTS, sockets=SOCKETS, hour=hour, **machines))
        columns = "(host, machine_id, boot_id, taken_at, schema, version, kernel, complete, rows, port_low, port_high, ips)"
        engine.query(f"INSERT INTO sockstat.snapshots {columns} " + SNAPSHOTS.format(hour=hour))
        print(f"hour {hour}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    sizes = """SELECT sum(rows), sum(bytes_on_disk), sum(bytes_on_disk) / sum(rows), count() FROM system.parts
        WHERE active AND database = 'sockstat' AND table = 'sockets'"""
    print("rows, bytes, bytes a row, parts:", str(engine.query(sizes)).strip())
    questions = re.split(r"^-- (Q\d+): (.*)$", (SQL / "questions.sql").read_text(), flags=re.MULTILINE)[1:]
    for name, title, text in zip(questions[::3], questions[1::3], questions[2::3]):
        [statement] = statements(text)
        answers = []
        times = [timed(lambda: answers.append(str(engine.query(statement)))) for _ in range(3)]
        clock, processor = min(times)
        rows = answers[0].count("\n")
        print(f"{name} {clock:6.2f} s {processor:6.2f} s of the processor, first {times[0][0]:.2f} s, {rows} rows: {title}")


if __name__ == "__main__":
    what, directory = sys.argv[1], Path(sys.argv[2])
    directory.mkdir(parents=True)
    if what in ("load", "cost"):
        {"load": load, "cost": cost}[what](directory, Path(sys.argv[3]))
    else:
        ask(directory, int(sys.argv[3]) if len(sys.argv) > 3 else 24 * 60)
