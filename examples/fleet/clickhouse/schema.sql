-- Tables for the lines of `sockstat snapshot` of many machines, and a view of the newest snapshot of each.
--
-- Lines are inserted into sockstat.landing, which keeps nothing: rows of sockets go on to sockstat.sockets, the last
-- line of each snapshot to sockstat.snapshots. A row counts only together with its last line: a stream that was cut
-- off has none.
--
--   INSERT INTO sockstat.landing SETTINGS input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort'
--   FORMAT JSONEachRow
--
-- Several machines may share a machine id (clones of an image), so a machine is (machine_id, host) here, and a socket is
-- (boot_id, cookie).

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
    tcp_time_wait_max    UInt32
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(taken_at)
ORDER BY (machine_id, host, boot_id, taken_at)
TTL toDateTime(taken_at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Each part covers an hour: a query for the newest snapshot reads one or two of them.
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
    cookie            UInt64 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(taken_at)
ORDER BY (machine_id, netns, state, local_port, local_address, peer_address, peer_port, taken_at)
TTL toDateTime(taken_at) + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sockstat.landing
(
    host Nullable(String), machine_id Nullable(String), boot_id Nullable(String), taken_at DateTime64(3, 'UTC'),
    netns Nullable(UInt32), netns_name Nullable(String), container_id Nullable(String), pod Nullable(String),
    unit Nullable(String), protocol Nullable(String), family Nullable(String), state Nullable(String),
    local_address Nullable(String), local_port Nullable(UInt16), peer_address Nullable(String),
    peer_port Nullable(UInt16), scope Nullable(String), recv_q Nullable(UInt32), send_q Nullable(UInt32),
    accept_q Nullable(UInt32), backlog Nullable(UInt32), accept_queue_full Nullable(Bool), drops Nullable(UInt32),
    uid Nullable(UInt32), user Nullable(String), owner_status Nullable(String), process Nullable(String),
    pid Nullable(UInt32), exe Nullable(String), started_at Nullable(DateTime('UTC')), owner_count Nullable(UInt16),
    inode Nullable(UInt64), cookie Nullable(String),
    -- Only the last line of a snapshot has these.
    schema Nullable(String), version Nullable(String), kernel Nullable(String), complete Nullable(Bool),
    rows Nullable(UInt32),
    gaps Array(Tuple(level String, code String, message String, remedy Nullable(String), count Nullable(UInt32))),
    port_low Nullable(UInt16), port_high Nullable(UInt16), ips Array(String),
    listen_overflows Nullable(UInt64), listen_drops Nullable(UInt64), tcp_memory_bytes Nullable(UInt64),
    tcp_memory_max_bytes Nullable(UInt64), tcp_orphans Nullable(UInt32), tcp_orphans_max Nullable(UInt32),
    tcp_time_wait Nullable(UInt32), tcp_time_wait_max Nullable(UInt32)
)
ENGINE = Null;

-- Columns of the source are written in full: a bare name would be the alias beside it, which is never null.
CREATE MATERIALIZED VIEW IF NOT EXISTS sockstat.to_sockets TO sockstat.sockets AS
SELECT
    ifNull(landing.host, '') AS host, ifNull(landing.machine_id, '') AS machine_id, ifNull(landing.boot_id, '') AS boot_id,
    landing.taken_at AS taken_at, ifNull(landing.netns, 0) AS netns, ifNull(landing.netns_name, '') AS netns_name,
    ifNull(landing.container_id, '') AS container_id, ifNull(landing.pod, '') AS pod, ifNull(landing.unit, '') AS unit,
    ifNull(landing.protocol, '') AS protocol, ifNull(landing.family, '') AS family, ifNull(landing.state, '') AS state,
    toIPv6OrDefault(ifNull(landing.local_address, '::')) AS local_address, ifNull(landing.local_port, 0) AS local_port,
    toIPv6OrDefault(ifNull(landing.peer_address, '::')) AS peer_address, ifNull(landing.peer_port, 0) AS peer_port,
    ifNull(landing.scope, '') AS scope, ifNull(landing.recv_q, 0) AS recv_q, ifNull(landing.send_q, 0) AS send_q,
    ifNull(landing.accept_q, 0) AS accept_q, ifNull(landing.backlog, 0) AS backlog,
    ifNull(landing.accept_queue_full, false) AS accept_queue_full, ifNull(landing.drops, 0) AS drops, landing.uid AS uid,
    ifNull(landing.user, '') AS user, ifNull(landing.owner_status, '') AS owner_status,
    ifNull(landing.process, '') AS process, ifNull(landing.pid, 0) AS pid, ifNull(landing.exe, '') AS exe,
    ifNull(landing.started_at, toDateTime(0, 'UTC')) AS started_at, ifNull(landing.owner_count, 0) AS owner_count,
    ifNull(landing.inode, 0) AS inode,
    reinterpretAsUInt64(reverse(unhex(leftPad(ifNull(landing.cookie, '0'), 16, '0')))) AS cookie
FROM sockstat.landing
WHERE landing.rows IS NULL;

CREATE MATERIALIZED VIEW IF NOT EXISTS sockstat.to_snapshots TO sockstat.snapshots AS
SELECT
    ifNull(landing.host, '') AS host, ifNull(landing.machine_id, '') AS machine_id, ifNull(landing.boot_id, '') AS boot_id,
    landing.taken_at AS taken_at, ifNull(landing.schema, '') AS schema, ifNull(landing.version, '') AS version,
    ifNull(landing.kernel, '') AS kernel, ifNull(landing.complete, false) AS complete, ifNull(landing.rows, 0) AS rows,
    landing.gaps.level AS `gaps.level`, landing.gaps.code AS `gaps.code`,
    arrayMap(count -> ifNull(count, 0), landing.gaps.count) AS `gaps.count`, landing.gaps.message AS `gaps.message`,
    ifNull(landing.port_low, 0) AS port_low, ifNull(landing.port_high, 0) AS port_high,
    arrayMap(ip -> toIPv6OrDefault(ip), landing.ips) AS ips,
    ifNull(landing.listen_overflows, 0) AS listen_overflows, ifNull(landing.listen_drops, 0) AS listen_drops,
    ifNull(landing.tcp_memory_bytes, 0) AS tcp_memory_bytes,
    ifNull(landing.tcp_memory_max_bytes, 0) AS tcp_memory_max_bytes, ifNull(landing.tcp_orphans, 0) AS tcp_orphans,
    ifNull(landing.tcp_orphans_max, 0) AS tcp_orphans_max, ifNull(landing.tcp_time_wait, 0) AS tcp_time_wait,
    ifNull(landing.tcp_time_wait_max, 0) AS tcp_time_wait_max
FROM sockstat.landing
WHERE landing.rows IS NOT NULL;

-- The newest complete snapshot of each machine that answered in the ten minutes before the last one.
CREATE VIEW IF NOT EXISTS sockstat.now AS
WITH (SELECT max(taken_at) FROM sockstat.snapshots) - INTERVAL 10 MINUTE AS since
SELECT * FROM sockstat.sockets
WHERE taken_at > since
  AND (machine_id, host, taken_at) IN
      (SELECT machine_id, host, max(taken_at) FROM sockstat.snapshots WHERE taken_at > since GROUP BY machine_id, host);
