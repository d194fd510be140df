-- Ten questions to the tables of schema.sql, and an eleventh about what the second leaves out. duckdb.sql has the same.

-- Q1: Which ports are open to everybody, by which program, and where?
SELECT process, protocol, local_port AS port, uniqExact(machine) AS machines,
       arrayStringConcat(arraySlice(arraySort(groupUniqArray(host)), 1, 3), ' ') AS examples
FROM sockstat.now
WHERE state IN ('listen', 'unconnected') AND scope IN ('all', 'all-v4', 'all-v6', 'public') AND local_port < 32768
GROUP BY process, protocol, port
ORDER BY machines, process, port;

-- Q2: Who talks to whom?
-- Both ends of each connection, named. Every machine has the same loopback and docker addresses, so ends are paired within
-- one machine first; of the rest, only what exactly two ends tell of is a pair.
WITH
    listening AS (SELECT machine, netns, local_port FROM sockstat.now WHERE state = 'listen'),
    flows AS
    (
        SELECT machine, host, process, local_port, (machine, netns, local_port) IN listening AS serves,
               cityHash64(least((local_address, local_port), (peer_address, peer_port)),
                          greatest((local_address, local_port), (peer_address, peer_port))) AS flow
        FROM sockstat.now WHERE protocol = 'tcp' AND state = 'established'
    ),
    ends AS
    (
        SELECT *, if(count() OVER (PARTITION BY flow, machine) = 2, cityHash64(flow, machine), flow) AS pair
        FROM flows
    ),
    pairs AS
    (
        SELECT argMin(process, serves) AS client, argMax(process, serves) AS server, argMax(local_port, serves) AS port,
               argMin(host, serves) AS client_host, argMax(host, serves) AS server_host
        FROM ends GROUP BY pair HAVING count() = 2 AND sum(serves) = 1
    )
SELECT client, server, port, count() AS connections, uniqExact(client_host) AS client_hosts, uniqExact(server_host) AS server_hosts
FROM pairs GROUP BY client, server, port ORDER BY connections DESC, client;

-- Q3: Which ports opened or closed since yesterday?
-- Two complete snapshots of each machine are compared, without owners: an owner that is hidden today is not a new one. A
-- machine without a complete snapshot yesterday has no new ports.
WITH
    (SELECT max(taken_at) FROM sockstat.snapshots) AS last,
    looks AS
    (
        SELECT machine, maxIf(taken_at, taken_at < last - INTERVAL 23 HOUR) AS before, max(taken_at) AS newest
        FROM sockstat.snapshots WHERE complete AND taken_at > last - INTERVAL 26 HOUR
        GROUP BY machine HAVING before > toDateTime64(0, 3, 'UTC') AND newest > last - INTERVAL 10 MINUTE
    )
SELECT if(countIf(taken_at = newest) > 0, 'opened', 'closed') AS what, host, protocol, local_port AS port,
       replaceOne(toString(local_address), '::ffff:', '') AS address, any(process) AS program
FROM sockstat.sockets AS s INNER JOIN looks AS l ON s.machine = l.machine
WHERE state = 'listen' AND (taken_at > last - INTERVAL 10 MINUTE OR taken_at BETWEEN last - INTERVAL 26 HOUR AND last - INTERVAL 23 HOUR)
  AND (taken_at = before OR taken_at = newest)
GROUP BY host, protocol, port, address
HAVING countIf(taken_at = newest) = 0 OR countIf(taken_at = before) = 0
ORDER BY host, port;

-- Q4: Whose accept queue is full, and in how many snapshots of the last day?
-- Only listeners whose queue was full at all are counted.
WITH (SELECT max(taken_at) FROM sockstat.snapshots) - INTERVAL 25 HOUR AS since
SELECT host, local_port AS port, process, countIf(accept_queue_full) AS looks_full, count() AS looks, max(accept_q) AS worst,
       max(backlog) AS allowed
FROM sockstat.sockets
WHERE state = 'listen' AND taken_at > since
  AND (machine, local_port) IN
      (SELECT machine, local_port FROM sockstat.sockets WHERE state = 'listen' AND accept_queue_full AND taken_at > since)
  AND look IN (SELECT look FROM sockstat.snapshots WHERE taken_at > since)
GROUP BY host, port, process HAVING looks_full > 0 ORDER BY looks_full DESC, host;

-- Q5: How many connections are there per port and program?
WITH listening AS (SELECT machine, netns, local_port FROM sockstat.now WHERE state = 'listen')
SELECT if((machine, netns, local_port) IN listening, 'accepted', 'opened') AS direction, process,
       if(direction = 'accepted', local_port, peer_port) AS port, count() AS connections, uniqExact(machine) AS machines
FROM sockstat.now
WHERE protocol = 'tcp' AND state = 'established'
GROUP BY direction, process, port ORDER BY connections DESC, direction, process, port;

-- Q6: Who holds the oldest connections to a database? Age counts from the first snapshot that has the cookie.
SELECT host, process, pid, dateDiff('minute', min(taken_at), max(taken_at)) AS minutes
FROM sockstat.sockets
WHERE state = 'established' AND peer_port = 5432 AND look IN (SELECT look FROM sockstat.snapshots)
GROUP BY host, boot_id, cookie, process, pid HAVING minutes >= 60 ORDER BY minutes DESC, host;

-- Q7: Where do ephemeral ports run out? Used towards one address and port, against the range of the machine.
WITH ranges AS
(
    SELECT machine, argMax(port_low, taken_at) AS low, argMax(port_high, taken_at) AS high FROM sockstat.snapshots
    WHERE taken_at > (SELECT max(taken_at) FROM sockstat.snapshots) - INTERVAL 10 MINUTE GROUP BY machine
)
SELECT n.host AS host, replaceOne(toString(peer_address), '::ffff:', '') AS peer, peer_port AS port,
       uniqExact(local_port) AS used, round(100 * used / (any(high) - any(low) + 1)) AS percent
FROM sockstat.now AS n INNER JOIN ranges AS r ON n.machine = r.machine
WHERE protocol = 'tcp' AND state NOT IN ('listen', 'bound') AND local_port BETWEEN low AND high
GROUP BY host, local_address, peer, port HAVING percent >= 50 ORDER BY percent DESC;

-- Q8: Which programs forget to close? CLOSE-WAIT that grew to more than ten, and is near its highest now.
-- Only programs that had more than ten at all are counted.
WITH
    many AS
    (
        SELECT cityHash64(machine, process) FROM sockstat.sockets
        WHERE state = 'close-wait' GROUP BY cityHash64(machine, process), look HAVING count() > 10
    ),
    counted AS
    (
        SELECT host, process, taken_at AS at, count() AS sockets FROM sockstat.sockets
        WHERE state = 'close-wait' AND cityHash64(machine, process) IN many AND look IN (SELECT look FROM sockstat.snapshots)
        GROUP BY host, process, at
    )
SELECT host, process, min(sockets) AS least, max(sockets) AS most, argMax(sockets, at) AS newest
FROM counted GROUP BY host, process HAVING newest > 10 AND newest > least AND newest >= 0.9 * most ORDER BY newest DESC, host;

-- Q9: Which programs serve from a file that was replaced or removed since they started?
SELECT host, process, local_port AS port, exe FROM sockstat.now
WHERE state = 'listen' AND endsWith(exe, ' (deleted)') ORDER BY host, port;

-- Q10: Which machines answered only in part, not any more, or with another version of sockstat?
WITH
    (SELECT max(taken_at) FROM sockstat.snapshots) AS last,
    (SELECT argMax(version, times) FROM (SELECT version, count() AS times FROM sockstat.snapshots GROUP BY version)) AS usual
SELECT host, dateDiff('minute', max(taken_at), last) AS minutes_ago, argMax(complete, taken_at) AS whole,
       arrayStringConcat(argMax(arrayMap((code, count) -> concat(code, ' ', toString(count)), gaps.code, gaps.count), taken_at), ', ') AS missing,
       argMax(version, taken_at) AS runs
FROM sockstat.snapshots GROUP BY machine, host
HAVING NOT whole OR minutes_ago > 10 OR runs != usual ORDER BY host;

-- Q11: Of which connections is only one end seen, and why?
-- Behind address translation the two ends have different addresses: nobody is guessed.
WITH
    (SELECT max(taken_at) FROM sockstat.snapshots) AS last,
    listening AS (SELECT machine, netns, local_port FROM sockstat.now WHERE state = 'listen'),
    known AS (SELECT arrayJoin(ips) FROM sockstat.snapshots WHERE taken_at > last - INTERVAL 26 HOUR),
    flows AS
    (
        SELECT machine, process, local_port, peer_address, peer_port,
               (machine, netns, local_port) IN listening AS serves,
               (local_address, local_port) < (peer_address, peer_port) AS ahead,
               cityHash64(least((local_address, local_port), (peer_address, peer_port)),
                          greatest((local_address, local_port), (peer_address, peer_port))) AS flow
        FROM sockstat.now WHERE protocol = 'tcp' AND state = 'established'
    ),
    counted AS
    (
        SELECT *, count() OVER (PARTITION BY flow) AS ends, count() OVER (PARTITION BY flow, machine) AS here,
               sum(ahead) OVER (PARTITION BY flow) AS ahead_ends, sum(serves) OVER (PARTITION BY flow) AS servers FROM flows
    )
SELECT multiIf(ends = 2 AND ahead_ends = 1, 'its listener is gone', ends > 1, 'several machines have these addresses',
               peer_address IN known, 'a machine that did not show it', 'nobody we know') AS why,
       process, if(serves, local_port, peer_port) AS port, count() AS connections
FROM counted WHERE here != 2 AND NOT (ends = 2 AND ahead_ends = 1 AND servers = 1)
GROUP BY why, process, port ORDER BY connections DESC, process, port;
