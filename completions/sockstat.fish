# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_sockstat_global_optspecs
    string join \n t/tcp u/udp w/raw x/unix S/sctp d/dccp 0/packet vsock xdp tipc M/mptcp 4/ipv4 6/ipv6 f/family= A/query= a/all l/listening B/bound-inactive p/processes T/threads Z/context z/contexts e/extended s/summary b/bpf o/options m/memory i/info tos cgroup inet-sockopt n/numeric r/resolve j/json jsonl csv table plain columns= add= hide= sort= by= limit= pids H/no-header Q/no-queues O/oneline color= quiet exit-status owners= explain-plan proc-root= record= replay= D/diag= V/version K/kill yes dry-run E/events interval= N/netns= F/filter-file= bpf-maps bpf-map-id= h/help
end

function __fish_sockstat_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_sockstat_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_sockstat_using_subcommand
    set -l cmd (__fish_sockstat_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c sockstat -n "__fish_sockstat_needs_command" -s f -l family -d 'An address family: inet, inet6, unix, link, netlink, vsock, xdp (may be repeated)' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s A -l query -l socket -d 'Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, sctp, unix, unix_stream, unix_dgram, unix_seqpacket, packet, packet_raw, packet_dgram, netlink, vsock, vsock_stream, vsock_dgram, xdp; !TABLE for all but that one' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l columns -d 'Exactly these fields, separated by commas, in any form of output' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l add -d 'These fields as well' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l hide -d 'Without these fields' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l sort -d 'The order of rows: fields, each with :desc for the largest first; default for the order of the table' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l by -d 'Count rows by these fields instead of listing them; peer_address/24 for subnets' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l limit -d 'No more than N rows or groups' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l color -d 'Colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_needs_command" -l owners -d 'How owners are found' -r -f -a "auto\t'By the kernel\'s BPF iterator where that is permitted and worth it, else by /proc'
bpf\t'By the BPF iterator; by /proc if the kernel refuses it'
proc\t'By walking over /proc'"
complete -c sockstat -n "__fish_sockstat_needs_command" -l proc-root -d 'Read DIR instead of /proc, and ask nothing by netlink' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l record -d 'Write everything that this run reads to FILE, for a bug report or a replay (docs/recording.md)' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l replay -d 'Answer from FILE, made by --record or by -D, and look at nothing else' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -s D -l diag -d 'Write the kernel\'s messages about TCP sockets to FILE (- for standard output), and show nothing' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l interval -d 'With -E: how often the tables are looked at for what opened and changed; 1s if nothing is said' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s N -l netns -l net -d 'In another network namespace: its name, a pid or a path; several with commas, or `all`' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s F -l filter-file -d 'More of the filter from FILE, or with - from standard input; lines that begin with # are comments' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l bpf-map-id -d 'The same, of one map' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s t -l tcp -d 'TCP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s w -l raw -d 'Raw IP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s x -l unix -d 'Unix domain'
complete -c sockstat -n "__fish_sockstat_needs_command" -s S -l sctp -d 'SCTP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s d -l dccp -d 'DCCP, which has left Linux'
complete -c sockstat -n "__fish_sockstat_needs_command" -s 0 -l packet -d 'Packet (link layer)'
complete -c sockstat -n "__fish_sockstat_needs_command" -l vsock -d 'VM sockets'
complete -c sockstat -n "__fish_sockstat_needs_command" -l xdp -d 'XDP'
complete -c sockstat -n "__fish_sockstat_needs_command" -l tipc -d 'TIPC, which sockstat does not read'
complete -c sockstat -n "__fish_sockstat_needs_command" -s M -l mptcp -d 'Multipath TCP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s 4 -l ipv4 -d 'IPv4 only (with -6: both)'
complete -c sockstat -n "__fish_sockstat_needs_command" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_needs_command" -s a -l all -d 'Every state'
complete -c sockstat -n "__fish_sockstat_needs_command" -s l -l listening -d 'Listening sockets, and unconnected ones of protocols without listeners'
complete -c sockstat -n "__fish_sockstat_needs_command" -s B -l bound-inactive -d 'TCP sockets that are bound and neither listen nor connect (Linux 6.8 and newer)'
complete -c sockstat -n "__fish_sockstat_needs_command" -s p -l processes -d 'The programs that hold each socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -s T -l threads -d 'The thread as well, where its file table is its own; implies -p'
complete -c sockstat -n "__fish_sockstat_needs_command" -s Z -l context -d 'What SELinux (or AppArmor, Smack) calls the programs; implies -p'
complete -c sockstat -n "__fish_sockstat_needs_command" -s z -l contexts -d 'The same, and what SELinux calls the socket itself; implies -p'
complete -c sockstat -n "__fish_sockstat_needs_command" -s e -l extended -d 'User, inode, cookie, mark, cgroup, shutdown; implies -o'
complete -c sockstat -n "__fish_sockstat_needs_command" -s s -l summary -d 'Counts, memory, limits and losses instead of sockets; with tables or a filter, before them'
complete -c sockstat -n "__fish_sockstat_needs_command" -s b -l bpf -d 'The filter programs of packet sockets; needs CAP_NET_ADMIN; implies -o'
complete -c sockstat -n "__fish_sockstat_needs_command" -s o -l options -d 'Timers'
complete -c sockstat -n "__fish_sockstat_needs_command" -s m -l memory -d 'Memory of each socket, and its limits'
complete -c sockstat -n "__fish_sockstat_needs_command" -s i -l info -d 'What TCP knows of each connection: round trips, windows, rates, losses, congestion control'
complete -c sockstat -n "__fish_sockstat_needs_command" -l tos -d 'Type of service, traffic class, and class or priority'
complete -c sockstat -n "__fish_sockstat_needs_command" -l cgroup -d 'The cgroup of the task that created the socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -l inet-sockopt -d 'Options set on the socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -s n -l numeric -d 'Numbers, not names: what happens anyway'
complete -c sockstat -n "__fish_sockstat_needs_command" -s r -l resolve -d 'Names for hosts and services, from the system\'s resolver'
complete -c sockstat -n "__fish_sockstat_needs_command" -s j -l json -d 'One JSON document'
complete -c sockstat -n "__fish_sockstat_needs_command" -l jsonl -d 'One JSON object on each line, as rows come'
complete -c sockstat -n "__fish_sockstat_needs_command" -l csv -d 'Comma-separated values (RFC 4180), as rows come'
complete -c sockstat -n "__fish_sockstat_needs_command" -l table -d 'The table for people, also into a pipe'
complete -c sockstat -n "__fish_sockstat_needs_command" -l plain -d 'The columns of ss, also on a terminal'
complete -c sockstat -n "__fish_sockstat_needs_command" -l pids -d 'Only the process ids of owners, each once, one a line'
complete -c sockstat -n "__fish_sockstat_needs_command" -s H -l no-header -d 'No heading'
complete -c sockstat -n "__fish_sockstat_needs_command" -s Q -l no-queues -d 'No queues'
complete -c sockstat -n "__fish_sockstat_needs_command" -s O -l oneline -d 'One line per socket: what happens anyway'
complete -c sockstat -n "__fish_sockstat_needs_command" -l quiet -d 'No word on stderr about what is missing'
complete -c sockstat -n "__fish_sockstat_needs_command" -l exit-status -d 'Exit 0 with rows, 1 without, 3 without but with an incomplete view'
complete -c sockstat -n "__fish_sockstat_needs_command" -l explain-plan -d 'Say which tables are read, what the kernel filters, how owners are found, and how it went; no rows'
complete -c sockstat -n "__fish_sockstat_needs_command" -s V -l version -d 'Print the version'
complete -c sockstat -n "__fish_sockstat_needs_command" -s K -l kill -d 'Close the sockets that the filter matches, with SOCK_DESTROY: connections, unless a state is named. Shows them and asks first. Programs go on; they and their peers see a broken connection'
complete -c sockstat -n "__fish_sockstat_needs_command" -l yes -d 'With -K: do not ask'
complete -c sockstat -n "__fish_sockstat_needs_command" -l dry-run -d 'With -K: show which, and close nothing'
complete -c sockstat -n "__fish_sockstat_needs_command" -s E -l events -d 'Follow: print a line for each socket that opens, changes its state or closes, until interrupted'
complete -c sockstat -n "__fish_sockstat_needs_command" -l bpf-maps -d 'What BPF programs keep with a socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "why" -d 'Say whether a port could be bound, and if not, why and what helps'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "reach" -d 'Say whether a connection would arrive, and if not, why'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "free" -d 'Print ports that can be bound now'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "wait" -d 'Wait until a listener is there, or gone'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "kill" -d 'End the owner of a port, and verify that it is free'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "events" -d 'Follow sockets as they open, change their state and close'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "columns" -d 'List every field that can be shown, compared, sorted and grouped by'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "schema" -d 'Print the JSON Schema of the JSON output'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "completions" -d 'Print a completion script'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "man" -d 'Print the man page'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l device -d 'The socket is bound to this interface' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l uid -d 'The user who binds: else who called sudo, else who calls' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s N -l netns -l net -d 'In another network namespace: its name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s t -l tcp -d 'TCP: what is meant if nothing is said'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s u -l udp -d 'UDP; for a unix socket: datagram'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l v6only -d 'The socket has `IPV6_V6ONLY`'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l reuseaddr -d 'The socket has `SO_REUSEADDR`, as most servers\'; without one of these two: both ways'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l no-reuseaddr -d 'The socket has no `SO_REUSEADDR`'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l reuseport -d 'The socket has `SO_REUSEPORT`'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l no-listen -d 'Bind only, no listen'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l no-probe -d 'No trial bind where a socket\'s options cannot be read'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s j -l json -d 'One JSON document'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s N -l netns -l net -d 'In another network namespace: its name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s t -l tcp -d 'TCP: what is meant if nothing is said'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l try -d 'Make one TCP connection and say what came of it; nothing is sent without this'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s j -l json -d 'One JSON document'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s N -l netns -l net -d 'In another network namespace: its name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l count -d 'How many' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s t -l tcp -d 'TCP: what is meant if nothing is said'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s j -l json -d 'One JSON document'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s N -l netns -l net -d 'In another network namespace: its name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l state -d 'Another state than listening: established, time-wait' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l timeout -d 'No longer than this: 500ms, 10s, 2m' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s t -l tcp -d 'TCP: what is meant if nothing is said'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l gone -d 'Until nothing is there any more'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s j -l json -d 'One JSON document when it is over'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l signal -d 'TERM, INT, HUP, QUIT, USR1, USR2 or KILL' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l timeout -d 'How long it may take to end; 5s if nothing is said' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s N -l netns -l net -d 'In another network namespace: its name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s t -l tcp -d 'TCP only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s u -l udp -d 'UDP only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l socket -d 'Close the sockets and leave the programs alone; the same as sockstat -K'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l dry-run -d 'Show whom it would be, and signal nobody'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s y -l yes -d 'Do not ask; never sends KILL by itself'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l all -d 'Several unrelated targets at once'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s j -l json -d 'One JSON document when it is over'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l interval -d 'How often the tables are looked at for what opened and changed; 1s if nothing is said' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l limit -d 'End after N events' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l columns -d 'Exactly these fields of a socket, separated by commas' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s N -l netns -d 'In another network namespace: its name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s t -l tcp -d 'TCP'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s w -l raw -d 'Raw IP'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s x -l unix -d 'Unix domain'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s l -l listening -d 'Only what becomes a listener, or ends as one'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s p -l processes -d 'The programs that hold each socket, as far as they can be known'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s e -l extended -d 'User, inode, cookie, mark, cgroup, shutdown'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s r -l resolve -d 'Names for hosts and services'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s j -l json -l jsonl -d 'One JSON object on each line: event, at, was, socket'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s H -l no-header -d 'No heading'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -s h -l help -d 'Print help'
