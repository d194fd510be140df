-- Tables for the lines of `sockstat snapshot` of many machines, and a view of the newest snapshot of each.
--
-- Lines are inserted into sockstat.landing, which keeps nothing: rows of sockets go on to sockstat.sockets, the last
-- line of each snapshot to sockstat.snapshots. A row counts only together with its last line: a stream that was cut
-- off has none.
--
--   INSERT INTO sockstat.landing SETTINGS input_format_skip_unknown_fields = 1, input_format_defaults_for_omitted_fields = 0,
--   date_time_input_format = 'best_effort'
--   FORMAT JSONEachRow
--
-- Several machines may share a machine id (clones of an image), so a machine is (machine_id, host) here, and a socket is
-- (boot_id, cookie). `machine` is a number for a machine, and `look` one for a snapshot: numbers are compared and grouped
-- several times faster than names. Both are computed, and are not part of SELECT *.

CREATE DATABASE IF NOT EXISTS sockstat;

-- A batch that is sent again counts once: identical blocks are dropped (non_replicated_deduplication_window), and what
-- differs only in its blocks is merged by the key.
CREATE TABLE IF NOT EXISTS sockstat.snapshots
(
    host                 LowCardinality(String),
    machine_id           LowCardinality(String),
    boot_id              LowCardinality(String),
    taken_at             DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    schema               LowCardinality(String),
    version              LowCardinality(String),
    kernel               LowCardinality(String),
    complete             Bool,
    rows                 UInt32 CODEC(ZSTD(1)),
    gaps                 Nested(level LowCardinality(String), code LowCardinality(String), count UInt32, message String),
    port_low             UInt16,
    port_high            UInt16,
    ips                  Array(IPv6),
    listen_overflows     UInt64 CODEC(Delta, ZSTD(1)),
    listen_drops         UInt64 CODEC(Delta, ZSTD(1)),
    tcp_memory_bytes     UInt64 CODEC(ZSTD(1)),
    tcp_memory_max_bytes UInt64 CODEC(ZSTD(1)),
    tcp_orphans          UInt32,
    tcp_orphans_max      UInt32,
    tcp_time_wait        UInt32,
    tcp_time_wait_max    UInt32,
    machine              UInt64 MATERIALIZED cityHash64(machine_id, host) CODEC(ZSTD(1)),
    look                 UInt64 ALIAS machine + toUnixTimestamp64Milli(taken_at)
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(taken_at)
ORDER BY (machine_id, host, boot_id, taken_at)
TTL toDateTime(taken_at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Each part covers an hour: a query for the newest snapshot reads one or two of them. Within it, rows are sorted by what
-- queries ask for: a state, and the port that a client has connected to. All rows of one connection stay together, so
-- they take few bytes.
CREATE TABLE IF NOT EXISTS sockstat.sockets
(
    host              LowCardinality(String),
    machine_id        LowCardinality(String),
    boot_id           LowCardinality(String),
    taken_at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    netns             UInt32 CODEC(ZSTD(1)),                       -- 0: unknown
    netns_name        LowCardinality(String),
    container_id      LowCardinality(String),
    pod               LowCardinality(String),
    unit              LowCardinality(String),
    protocol          LowCardinality(String),
    family            LowCardinality(String),
    state             LowCardinality(String),
    local_address     IPv6 CODEC(ZSTD(1)),                         -- IPv4 as ::ffff:a.b.c.d
    local_port        UInt16 CODEC(ZSTD(1)),
    peer_address      IPv6 CODEC(ZSTD(1)),                         -- ::, with port 0: no peer
    peer_port         UInt16 CODEC(ZSTD(1)),
    scope             LowCardinality(String),
    recv_q            UInt32 CODEC(T64, ZSTD(1)),
    send_q            UInt32 CODEC(T64, ZSTD(1)),
    accept_q          UInt32 CODEC(T64, ZSTD(1)),
    backlog           UInt32 CODEC(T64, ZSTD(1)),
    accept_queue_full Bool,
    drops             UInt32 CODEC(T64, ZSTD(1)),
    uid               Nullable(UInt32) CODEC(ZSTD(1)),
    user              LowCardinality(String),
    owner_status      LowCardinality(String),
    process           LowCardinality(String),
    pid               UInt32 CODEC(ZSTD(1)),                       -- 0: unknown or none
    exe               LowCardinality(String),
    started_at        DateTime('UTC') CODEC(ZSTD(1)),              -- 1970: unknown
    owner_count       UInt16 CODEC(T64, ZSTD(1)),
    inode             UInt64 CODEC(ZSTD(1)),
    cookie            UInt64 CODEC(ZSTD(1)),
    machine           UInt64 MATERIALIZED cityHash64(machine_id, host) CODEC(ZSTD(1)),
    look              UInt64 ALIAS machine + toUnixTimestamp64Milli(taken_at)
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(taken_at)
ORDER BY (state, peer_port, machine, netns, local_port, local_address, peer_address, taken_at)
TTL toDateTime(taken_at) + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- A null becomes the default of its column: the empty string, 0, ::.
CREATE TABLE IF NOT EXISTS sockstat.landing
(
    host String, machine_id String, boot_id String, taken_at DateTime64(3, 'UTC'), netns UInt32, netns_name String,
    container_id String, pod String, unit String, protocol String, family String, state String, local_address String,
    local_port UInt16, peer_address String, peer_port UInt16, scope String, recv_q UInt32, send_q UInt32,
    accept_q UInt32, backlog UInt32, accept_queue_full Bool, drops UInt32, uid Nullable(UInt32), user String,
    owner_status String, process String, pid UInt32, exe String, started_at DateTime('UTC'), owner_count UInt16,
    inode UInt64, cookie String,
    -- Only the last line of a snapshot has these.
    schema String, version String, kernel String, complete Bool, rows UInt32,
    gaps Array(Tuple(level String, code String, message String, remedy Nullable(String), count Nullable(UInt32))),
    port_low UInt16, port_high UInt16, ips Array(String), listen_overflows UInt64, listen_drops UInt64,
    tcp_memory_bytes UInt64, tcp_memory_max_bytes UInt64, tcp_orphans UInt32, tcp_orphans_max UInt32,
    tcp_time_wait UInt32, tcp_time_wait_max UInt32
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS sockstat.to_sockets TO sockstat.sockets AS
SELECT host, machine_id, boot_id, taken_at, netns, netns_name, container_id, pod, unit, protocol, family, state,
       toIPv6OrDefault(landing.local_address) AS local_address, local_port,
       toIPv6OrDefault(landing.peer_address) AS peer_address, peer_port, scope, recv_q, send_q, accept_q, backlog,
       accept_queue_full, drops, uid, user, owner_status, process, pid, exe, started_at, owner_count, inode,
       reinterpretAsUInt64(reverse(unhex(leftPad(landing.cookie, 16, '0')))) AS cookie
FROM sockstat.landing
WHERE schema = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS sockstat.to_snapshots TO sockstat.snapshots AS
SELECT host, machine_id, boot_id, taken_at, schema, version, kernel, complete, rows,
       gaps.level AS `gaps.level`, gaps.code AS `gaps.code`,
       arrayMap(count -> ifNull(count, 0), landing.gaps.count) AS `gaps.count`, gaps.message AS `gaps.message`,
       port_low, port_high, arrayMap(ip -> toIPv6OrDefault(ip), landing.ips) AS ips, listen_overflows, listen_drops,
       tcp_memory_bytes, tcp_memory_max_bytes, tcp_orphans, tcp_orphans_max, tcp_time_wait, tcp_time_wait_max
FROM sockstat.landing
WHERE schema != '';

-- The newest complete snapshot of each machine that answered in the ten minutes before the last one.
CREATE VIEW IF NOT EXISTS sockstat.now AS
WITH (SELECT max(taken_at) FROM sockstat.snapshots) - INTERVAL 10 MINUTE AS since
SELECT *, machine FROM sockstat.sockets
WHERE taken_at > since
  AND look IN (SELECT max(look) FROM sockstat.snapshots WHERE taken_at > since GROUP BY machine);
