-- The questions of clickhouse/questions.sql without a server: DuckDB reads the files that ansible/snapshot.yml fetched,
-- one or more snapshots in each, from the directory `snapshots`:
--
--   duckdb -c '.read duckdb.sql'

SET TimeZone = 'UTC';

-- Every line: rows of sockets, and the last line of each snapshot, which has "rows". The same line twice counts once.
CREATE OR REPLACE VIEW lines AS
SELECT DISTINCT * FROM read_json('snapshots/*.jsonl', format = 'newline_delimited', ignore_errors = true, columns = {
    host: 'VARCHAR', machine_id: 'VARCHAR', boot_id: 'VARCHAR', taken_at: 'TIMESTAMP', netns: 'BIGINT', netns_name: 'VARCHAR',
    container_id: 'VARCHAR', pod: 'VARCHAR', unit: 'VARCHAR', protocol: 'VARCHAR', family: 'VARCHAR', state: 'VARCHAR',
    local_address: 'VARCHAR', local_port: 'INTEGER', peer_address: 'VARCHAR', peer_port: 'INTEGER', scope: 'VARCHAR',
    recv_q: 'BIGINT', send_q: 'BIGINT', accept_q: 'BIGINT', backlog: 'BIGINT', accept_queue_full: 'BOOLEAN', drops: 'BIGINT',
    uid: 'BIGINT', user: 'VARCHAR', owner_status: 'VARCHAR', process: 'VARCHAR', pid: 'BIGINT', exe: 'VARCHAR',
    started_at: 'TIMESTAMP', owner_count: 'INTEGER', inode: 'BIGINT', cookie: 'VARCHAR',
    schema: 'VARCHAR', version: 'VARCHAR', kernel: 'VARCHAR', complete: 'BOOLEAN', rows: 'BIGINT',
    gaps: 'STRUCT(level VARCHAR, code VARCHAR, message VARCHAR, remedy VARCHAR, count BIGINT)[]',
    port_low: 'INTEGER', port_high: 'INTEGER', ips: 'VARCHAR[]'});

CREATE OR REPLACE TABLE snapshots AS
SELECT host, machine_id, boot_id, taken_at, schema, version, kernel, complete, rows, gaps, port_low, port_high, ips
FROM lines WHERE rows IS NOT NULL;

-- A row counts only together with its last line: a stream that was cut off has none.
CREATE OR REPLACE TABLE sockets AS
SELECT lines.* EXCLUDE (schema, version, kernel, complete, rows, gaps, port_low, port_high, ips)
FROM lines SEMI JOIN snapshots USING (machine_id, host, taken_at)
WHERE lines.rows IS NULL;

-- The newest snapshot of each machine that answered in the ten minutes before the last one. Several machines may share a
-- machine id, so a machine is (machine_id, host).
CREATE OR REPLACE VIEW now AS
SELECT sockets.* FROM sockets SEMI JOIN
(
    SELECT machine_id, host, max(taken_at) AS taken_at FROM snapshots
    WHERE taken_at > (SELECT max(taken_at) FROM snapshots) - INTERVAL 10 MINUTE
    GROUP BY machine_id, host
) USING (machine_id, host, taken_at);

CREATE OR REPLACE VIEW flows AS
SELECT machine_id, host, coalesce(process, '') AS process, local_port, peer_address, peer_port,
       EXISTS (FROM now AS l WHERE l.state = 'listen' AND l.machine_id = now.machine_id AND l.host = now.host
                              AND l.netns = now.netns AND l.local_port = now.local_port) AS serves,
       row(local_address, local_port) < row(peer_address, peer_port) AS ahead,
       least(row(local_address, local_port), row(peer_address, peer_port))::VARCHAR
       || greatest(row(local_address, local_port), row(peer_address, peer_port))::VARCHAR AS flow
FROM now WHERE protocol = 'tcp' AND state = 'established';

-- Q1: Which ports are open to everybody, by which program, and where?
SELECT coalesce(process, '') AS process, protocol, local_port AS port, count(DISTINCT (machine_id, host)) AS machines,
       array_to_string(list_slice(list_sort(list(DISTINCT host)), 1, 3), ' ') AS examples
FROM now
WHERE state IN ('listen', 'unconnected') AND scope IN ('all', 'all-v4', 'all-v6', 'public') AND local_port < 32768
GROUP BY ALL ORDER BY machines, process, port;

-- Q2: Who talks to whom?
WITH
    ends AS
    (
        SELECT *, CASE count(*) OVER (PARTITION BY flow, machine_id, host)
                      WHEN 2 THEN flow || machine_id || host ELSE flow END AS pair
        FROM flows
    ),
    pairs AS
    (
        SELECT arg_min(process, serves) AS client, arg_max(process, serves) AS server, arg_max(local_port, serves) AS port,
               arg_min(host, serves) AS client_host, arg_max(host, serves) AS server_host
        FROM ends GROUP BY pair HAVING count(*) = 2 AND sum(serves::INTEGER) = 1
    )
SELECT client, server, port, count(*) AS connections, count(DISTINCT client_host) AS client_hosts,
       count(DISTINCT server_host) AS server_hosts
FROM pairs GROUP BY ALL ORDER BY connections DESC, client;

-- Q3: Which ports opened or closed since yesterday?
WITH
    last AS (SELECT max(taken_at) AS latest FROM snapshots),
    looks AS
    (
        SELECT machine_id, host, max(taken_at) FILTER (taken_at < latest - INTERVAL 23 HOUR) AS before, max(taken_at) AS newest
        FROM snapshots, last WHERE complete AND taken_at > latest - INTERVAL 26 HOUR
        GROUP BY machine_id, host, latest HAVING before IS NOT NULL AND newest > latest - INTERVAL 10 MINUTE
    )
SELECT CASE WHEN bool_or(taken_at = newest) THEN 'opened' ELSE 'closed' END AS what, host, protocol, local_port AS port,
       local_address AS address, any_value(process) AS program
FROM sockets JOIN looks USING (machine_id, host)
WHERE state = 'listen' AND (taken_at = before OR taken_at = newest)
GROUP BY host, protocol, local_port, local_address
HAVING NOT bool_or(taken_at = newest) OR NOT bool_or(taken_at = before)
ORDER BY host, port;

-- Q4: Whose accept queue is full, and in how many snapshots of the last day?
SELECT host, local_port AS port, coalesce(process, '') AS process, count(*) FILTER (accept_queue_full) AS looks_full,
       count(*) AS looks, max(accept_q) AS worst, max(backlog) AS allowed
FROM sockets
WHERE state = 'listen' AND taken_at > (SELECT max(taken_at) FROM snapshots) - INTERVAL 25 HOUR
GROUP BY ALL HAVING looks_full > 0 ORDER BY looks_full DESC, host;

-- Q5: How many connections are there per port and program?
SELECT CASE WHEN serves THEN 'accepted' ELSE 'opened' END AS direction, process,
       CASE WHEN serves THEN local_port ELSE peer_port END AS port, count(*) AS connections,
       count(DISTINCT (machine_id, host)) AS machines
FROM flows GROUP BY ALL ORDER BY connections DESC, direction, process, port;

-- Q6: Who holds the oldest connections to a database?
SELECT host, coalesce(process, '') AS process, coalesce(pid, 0) AS pid,
       date_diff('minute', min(taken_at), max(taken_at)) AS minutes
FROM sockets WHERE state = 'established' AND peer_port = 5432
GROUP BY host, boot_id, cookie, process, pid HAVING minutes >= 60 ORDER BY minutes DESC, host;

-- Q7: Where do ephemeral ports run out?
WITH ranges AS
(
    SELECT machine_id, host, arg_max(port_low, taken_at) AS low, arg_max(port_high, taken_at) AS high
    FROM snapshots GROUP BY machine_id, host
)
SELECT host, peer_address AS peer, peer_port AS port, count(DISTINCT local_port) AS used,
       round(100 * used / (any_value(high) - any_value(low) + 1)) AS percent
FROM now JOIN ranges USING (machine_id, host)
WHERE protocol = 'tcp' AND state NOT IN ('listen', 'bound') AND local_port BETWEEN low AND high
GROUP BY host, local_address, peer_address, peer_port HAVING percent >= 50 ORDER BY percent DESC;

-- Q8: Which programs forget to close?
WITH counted AS
(
    SELECT host, coalesce(process, '') AS process, taken_at AS look, count(*) AS sockets FROM sockets
    WHERE state = 'close-wait' GROUP BY ALL
)
SELECT host, process, min(sockets) AS least, max(sockets) AS most, arg_max(sockets, look) AS newest
FROM counted GROUP BY ALL HAVING newest > 10 AND newest > least AND newest >= 0.9 * most ORDER BY newest DESC, host;

-- Q9: Which programs serve from a file that was replaced or removed since they started?
SELECT host, process, local_port AS port, exe FROM now
WHERE state = 'listen' AND ends_with(exe, ' (deleted)') ORDER BY host, port;

-- Q10: Which machines answered only in part, not any more, or with another version of sockstat?
WITH
    last AS (SELECT max(taken_at) AS latest FROM snapshots),
    usual AS (SELECT mode(version) AS version FROM snapshots)
SELECT host, date_diff('minute', max(taken_at), any_value(latest)) AS minutes_ago, arg_max(complete, taken_at) AS whole,
       array_to_string(list_transform(arg_max(gaps, taken_at), lambda gap: gap.code || ' ' || coalesce(gap.count, 0)), ', ') AS missing,
       arg_max(snapshots.version, taken_at) AS runs
FROM snapshots, last, usual GROUP BY machine_id, host
HAVING NOT whole OR minutes_ago > 10 OR runs != any_value(usual.version) ORDER BY host;

-- Q11: Of which connections is only one end seen, and why?
WITH
    known AS (SELECT DISTINCT unnest(ips) AS ip FROM snapshots WHERE taken_at > (SELECT max(taken_at) FROM snapshots) - INTERVAL 26 HOUR),
    counted AS
    (
        SELECT *, count(*) OVER (PARTITION BY flow) AS ends, count(*) OVER (PARTITION BY flow, machine_id, host) AS here,
               sum(ahead::INTEGER) OVER (PARTITION BY flow) AS ahead_ends, sum(serves::INTEGER) OVER (PARTITION BY flow) AS servers
        FROM flows
    )
SELECT CASE WHEN ends = 2 AND ahead_ends = 1 THEN 'its listener is gone'
            WHEN ends > 1 THEN 'several machines have these addresses'
            WHEN peer_address IN (SELECT ip FROM known) THEN 'a machine that did not show it'
            ELSE 'nobody we know' END AS why,
       process, CASE WHEN serves THEN local_port ELSE peer_port END AS port, count(*) AS connections
FROM counted WHERE here != 2 AND NOT (ends = 2 AND ahead_ends = 1 AND servers = 1)
GROUP BY ALL ORDER BY connections DESC, process, port;
