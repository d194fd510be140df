
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'sockstat' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'sockstat'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'sockstat' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'An address family: inet, inet6, unix, link, netlink, vsock, xdp (may be repeated)')
            [CompletionResult]::new('--family', '--family', [CompletionResultType]::ParameterName, 'An address family: inet, inet6, unix, link, netlink, vsock, xdp (may be repeated)')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, sctp, unix, unix_stream, unix_dgram, unix_seqpacket, packet, packet_raw, packet_dgram, netlink, vsock, vsock_stream, vsock_dgram, xdp; !TABLE for all but that one')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, sctp, unix, unix_stream, unix_dgram, unix_seqpacket, packet, packet_raw, packet_dgram, netlink, vsock, vsock_stream, vsock_dgram, xdp; !TABLE for all but that one')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, sctp, unix, unix_stream, unix_dgram, unix_seqpacket, packet, packet_raw, packet_dgram, netlink, vsock, vsock_stream, vsock_dgram, xdp; !TABLE for all but that one')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Exactly these fields, separated by commas, in any form of output')
            [CompletionResult]::new('--add', '--add', [CompletionResultType]::ParameterName, 'These fields as well')
            [CompletionResult]::new('--hide', '--hide', [CompletionResultType]::ParameterName, 'Without these fields')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'The order of rows: fields, each with :desc for the largest first; default for the order of the table')
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'Count rows by these fields instead of listing them; peer_address/24 for subnets')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'No more than N rows or groups')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colours')
            [CompletionResult]::new('--owners', '--owners', [CompletionResultType]::ParameterName, 'How owners are found')
            [CompletionResult]::new('--proc-root', '--proc-root', [CompletionResultType]::ParameterName, 'Read DIR instead of /proc, and ask nothing by netlink')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Write everything that this run reads to FILE, for a bug report or a replay (docs/recording.md)')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Answer from FILE, made by --record or by -D, and look at nothing else')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Write the kernel''s messages about TCP sockets to FILE (- for standard output), and show nothing')
            [CompletionResult]::new('--diag', '--diag', [CompletionResultType]::ParameterName, 'Write the kernel''s messages about TCP sockets to FILE (- for standard output), and show nothing')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--netns', '--netns', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'More of the filter from FILE, or with - from standard input; lines that begin with # are comments')
            [CompletionResult]::new('--filter-file', '--filter-file', [CompletionResultType]::ParameterName, 'More of the filter from FILE, or with - from standard input; lines that begin with # are comments')
            [CompletionResult]::new('--bpf-map-id', '--bpf-map-id', [CompletionResultType]::ParameterName, 'The same, of one map')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TCP')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'TCP')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Raw IP')
            [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'Raw IP')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Unix domain')
            [CompletionResult]::new('--unix', '--unix', [CompletionResultType]::ParameterName, 'Unix domain')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'SCTP')
            [CompletionResult]::new('--sctp', '--sctp', [CompletionResultType]::ParameterName, 'SCTP')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'DCCP, which has left Linux')
            [CompletionResult]::new('--dccp', '--dccp', [CompletionResultType]::ParameterName, 'DCCP, which has left Linux')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Packet (link layer)')
            [CompletionResult]::new('--packet', '--packet', [CompletionResultType]::ParameterName, 'Packet (link layer)')
            [CompletionResult]::new('--vsock', '--vsock', [CompletionResultType]::ParameterName, 'VM sockets')
            [CompletionResult]::new('--xdp', '--xdp', [CompletionResultType]::ParameterName, 'XDP')
            [CompletionResult]::new('--tipc', '--tipc', [CompletionResultType]::ParameterName, 'TIPC, which sockstat does not read')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'Multipath TCP')
            [CompletionResult]::new('--mptcp', '--mptcp', [CompletionResultType]::ParameterName, 'Multipath TCP')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 only (with -6: both)')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'IPv4 only (with -6: both)')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Every state')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every state')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Listening sockets, and unconnected ones of protocols without listeners')
            [CompletionResult]::new('--listening', '--listening', [CompletionResultType]::ParameterName, 'Listening sockets, and unconnected ones of protocols without listeners')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'TCP sockets that are bound and neither listen nor connect (Linux 6.8 and newer)')
            [CompletionResult]::new('--bound-inactive', '--bound-inactive', [CompletionResultType]::ParameterName, 'TCP sockets that are bound and neither listen nor connect (Linux 6.8 and newer)')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The programs that hold each socket')
            [CompletionResult]::new('--processes', '--processes', [CompletionResultType]::ParameterName, 'The programs that hold each socket')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'The thread as well, where its file table is its own; implies -p')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'The thread as well, where its file table is its own; implies -p')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'User, inode, cookie, mark, cgroup, shutdown; implies -o')
            [CompletionResult]::new('--extended', '--extended', [CompletionResultType]::ParameterName, 'User, inode, cookie, mark, cgroup, shutdown; implies -o')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Counts, memory, limits and losses instead of sockets; with tables or a filter, before them')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'Counts, memory, limits and losses instead of sockets; with tables or a filter, before them')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Timers')
            [CompletionResult]::new('--options', '--options', [CompletionResultType]::ParameterName, 'Timers')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Memory of each socket, and its limits')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Memory of each socket, and its limits')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'What TCP knows of each connection: round trips, windows, rates, losses, congestion control')
            [CompletionResult]::new('--info', '--info', [CompletionResultType]::ParameterName, 'What TCP knows of each connection: round trips, windows, rates, losses, congestion control')
            [CompletionResult]::new('--tos', '--tos', [CompletionResultType]::ParameterName, 'Type of service, traffic class, and class or priority')
            [CompletionResult]::new('--cgroup', '--cgroup', [CompletionResultType]::ParameterName, 'The cgroup of the task that created the socket')
            [CompletionResult]::new('--inet-sockopt', '--inet-sockopt', [CompletionResultType]::ParameterName, 'Options set on the socket')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Numbers, not names: what happens anyway')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Numbers, not names: what happens anyway')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Names for hosts and services, from the system''s resolver')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Names for hosts and services, from the system''s resolver')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'One JSON object on each line, as rows come')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Comma-separated values (RFC 4180), as rows come')
            [CompletionResult]::new('--table', '--table', [CompletionResultType]::ParameterName, 'The table for people, also into a pipe')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'The columns of ss, also on a terminal')
            [CompletionResult]::new('--pids', '--pids', [CompletionResultType]::ParameterName, 'Only the process ids of owners, each once, one a line')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'No heading')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'No heading')
            [CompletionResult]::new('-Q', '-Q ', [CompletionResultType]::ParameterName, 'No queues')
            [CompletionResult]::new('--no-queues', '--no-queues', [CompletionResultType]::ParameterName, 'No queues')
            [CompletionResult]::new('-O', '-O ', [CompletionResultType]::ParameterName, 'One line per socket: what happens anyway')
            [CompletionResult]::new('--oneline', '--oneline', [CompletionResultType]::ParameterName, 'One line per socket: what happens anyway')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'No word on stderr about what is missing')
            [CompletionResult]::new('--exit-status', '--exit-status', [CompletionResultType]::ParameterName, 'Exit 0 with rows, 1 without, 3 without but with an incomplete view')
            [CompletionResult]::new('--explain-plan', '--explain-plan', [CompletionResultType]::ParameterName, 'Say which tables are read, what the kernel filters, how owners are found, and how it went; no rows')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print the version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print the version')
            [CompletionResult]::new('-K', '-K ', [CompletionResultType]::ParameterName, 'Close the sockets that the filter matches, with SOCK_DESTROY: connections, unless a state is named. Shows them and asks first. Programs go on; they and their peers see a broken connection')
            [CompletionResult]::new('--kill', '--kill', [CompletionResultType]::ParameterName, 'Close the sockets that the filter matches, with SOCK_DESTROY: connections, unless a state is named. Shows them and asks first. Programs go on; they and their peers see a broken connection')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'With -K: do not ask')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'With -K: show which, and close nothing')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'b')
            [CompletionResult]::new('--bpf', '--bpf', [CompletionResultType]::ParameterName, 'bpf')
            [CompletionResult]::new('-Z', '-Z ', [CompletionResultType]::ParameterName, 'Z')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'context')
            [CompletionResult]::new('-z', '-z', [CompletionResultType]::ParameterName, 'z')
            [CompletionResult]::new('--contexts', '--contexts', [CompletionResultType]::ParameterName, 'contexts')
            [CompletionResult]::new('-E', '-E ', [CompletionResultType]::ParameterName, 'E')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'events')
            [CompletionResult]::new('--bpf-maps', '--bpf-maps', [CompletionResultType]::ParameterName, 'What BPF programs keep with a socket')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('why', 'why', [CompletionResultType]::ParameterValue, 'Say whether a port could be bound, and if not, why and what helps')
            [CompletionResult]::new('reach', 'reach', [CompletionResultType]::ParameterValue, 'Say whether a connection would arrive, and if not, why')
            [CompletionResult]::new('free', 'free', [CompletionResultType]::ParameterValue, 'Print ports that can be bound now')
            [CompletionResult]::new('wait', 'wait', [CompletionResultType]::ParameterValue, 'Wait until a listener is there, or gone')
            [CompletionResult]::new('kill', 'kill', [CompletionResultType]::ParameterValue, 'End the owner of a port, and verify that it is free')
            [CompletionResult]::new('columns', 'columns', [CompletionResultType]::ParameterValue, 'List every field that can be shown, compared, sorted and grouped by')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of the JSON output')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the man page')
            break
        }
        'sockstat;why' {
            [CompletionResult]::new('--device', '--device', [CompletionResultType]::ParameterName, 'The socket is bound to this interface')
            [CompletionResult]::new('--uid', '--uid', [CompletionResultType]::ParameterName, 'The user who binds: else who called sudo, else who calls')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--netns', '--netns', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP; for a unix socket: datagram')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP; for a unix socket: datagram')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--v6only', '--v6only', [CompletionResultType]::ParameterName, 'The socket has `IPV6_V6ONLY`')
            [CompletionResult]::new('--reuseaddr', '--reuseaddr', [CompletionResultType]::ParameterName, 'The socket has `SO_REUSEADDR`, as most servers''; without one of these two: both ways')
            [CompletionResult]::new('--no-reuseaddr', '--no-reuseaddr', [CompletionResultType]::ParameterName, 'The socket has no `SO_REUSEADDR`')
            [CompletionResult]::new('--reuseport', '--reuseport', [CompletionResultType]::ParameterName, 'The socket has `SO_REUSEPORT`')
            [CompletionResult]::new('--no-listen', '--no-listen', [CompletionResultType]::ParameterName, 'Bind only, no listen')
            [CompletionResult]::new('--no-probe', '--no-probe', [CompletionResultType]::ParameterName, 'No trial bind where a socket''s options cannot be read')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;reach' {
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--netns', '--netns', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--try', '--try', [CompletionResultType]::ParameterName, 'Make one TCP connection and say what came of it; nothing is sent without this')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;free' {
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'How many')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--netns', '--netns', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;wait' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Another state than listening: established, time-wait')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'No longer than this: 500ms, 10s, 2m')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--netns', '--netns', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'TCP: what is meant if nothing is said')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--gone', '--gone', [CompletionResultType]::ParameterName, 'Until nothing is there any more')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'One JSON document when it is over')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document when it is over')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;kill' {
            [CompletionResult]::new('--signal', '--signal', [CompletionResultType]::ParameterName, 'TERM, INT, HUP, QUIT, USR1, USR2 or KILL')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long it may take to end; 5s if nothing is said')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--netns', '--netns', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('--net', '--net', [CompletionResultType]::ParameterName, 'In another network namespace: its name, a pid or a path')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'TCP only')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'TCP only')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'UDP only')
            [CompletionResult]::new('--udp', '--udp', [CompletionResultType]::ParameterName, 'UDP only')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'IPv4 only')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'IPv6 only')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Close the sockets and leave the programs alone; the same as sockstat -K')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show whom it would be, and signal nobody')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask; never sends KILL by itself')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask; never sends KILL by itself')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Several unrelated targets at once')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'One JSON document when it is over')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document when it is over')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;columns' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;schema' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'sockstat;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
