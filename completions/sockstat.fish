# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_sockstat_global_optspecs
    string join \n t/tcp u/udp w/raw x/unix S/sctp d/dccp 0/packet vsock xdp tipc M/mptcp 4/ipv4 6/ipv6 f/family= A/query= a/all l/listening B/bound-inactive p/processes T/threads Z/context z/contexts e/extended s/summary b/bpf o/options m/memory i/info tos cgroup inet-sockopt n/numeric r/resolve j/json jsonl csv table wide plain columns= add= hide= sort= by= limit= pids H/no-header Q/no-queues O/oneline color= quiet exit-status owners= explain-plan proc-root= record= replay= D/diag= V/version K/kill yes dry-run E/events interval= N/netns= F/filter-file= bpf-maps bpf-map-id= h/help
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

complete -c sockstat -n "__fish_sockstat_needs_command" -s f -l family -d 'Address family, repeatable: inet, inet6, unix, link, netlink, vsock, xdp' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s A -l query -l socket -d 'Tables, comma-separated; !TABLE excludes one: all, inet, tcp, mptcp, udp, udplite, raw, icmp, sctp, unix, unix_stream, unix_dgram, unix_seqpacket, packet, packet_raw, packet_dgram, netlink, vsock, vsock_stream, vsock_dgram, xdp' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l columns -d 'Show exactly these fields, comma-separated, in any output form' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l add -d 'Show these fields as well' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l hide -d 'Hide these fields' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l sort -d 'Sort by these fields, with :desc for largest first; `default` is the order of the table' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l by -d 'Count rows by these fields instead of listing them; peer_address/24 groups by subnet' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l limit -d 'Print at most N rows or groups' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_needs_command" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_needs_command" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -s D -l diag -d 'Dump TCP sockets to FILE (- for standard output) in the format of ss -D, without rows' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l interval -d 'With -E: time between two looks at the tables [default: 1s]' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s N -l netns -l net -d 'Network namespaces, comma-separated: names, pids or paths, or `all`' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s F -l filter-file -d 'Read more of the filter from FILE (- for standard input); # starts a comment line' -r -F
complete -c sockstat -n "__fish_sockstat_needs_command" -l bpf-map-id -d 'Socket storage of one BPF map' -r
complete -c sockstat -n "__fish_sockstat_needs_command" -s t -l tcp -d 'TCP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s w -l raw -d 'Raw IP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s x -l unix -d 'Unix domain'
complete -c sockstat -n "__fish_sockstat_needs_command" -s S -l sctp -d 'SCTP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s d -l dccp -d 'DCCP, removed from Linux'
complete -c sockstat -n "__fish_sockstat_needs_command" -s 0 -l packet -d 'Packet (link layer)'
complete -c sockstat -n "__fish_sockstat_needs_command" -l vsock -d 'Virtual machines (vsock)'
complete -c sockstat -n "__fish_sockstat_needs_command" -l xdp -d 'XDP'
complete -c sockstat -n "__fish_sockstat_needs_command" -l tipc -d 'TIPC, not supported'
complete -c sockstat -n "__fish_sockstat_needs_command" -s M -l mptcp -d 'Multipath TCP'
complete -c sockstat -n "__fish_sockstat_needs_command" -s 4 -l ipv4 -d 'IPv4 only; with -6, both'
complete -c sockstat -n "__fish_sockstat_needs_command" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_needs_command" -s a -l all -d 'All states'
complete -c sockstat -n "__fish_sockstat_needs_command" -s l -l listening -d 'Listening sockets, and unconnected ones of protocols without listeners'
complete -c sockstat -n "__fish_sockstat_needs_command" -s B -l bound-inactive -d 'Bound TCP sockets that neither listen nor connect (Linux 6.8 or newer)'
complete -c sockstat -n "__fish_sockstat_needs_command" -s p -l processes -d 'Programs that hold each socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -s T -l threads -d 'Threads with their own file table, too; implies -p'
complete -c sockstat -n "__fish_sockstat_needs_command" -s Z -l context -d 'Security contexts of programs (SELinux, AppArmor, Smack); implies -p'
complete -c sockstat -n "__fish_sockstat_needs_command" -s z -l contexts -d 'Security contexts of programs and sockets; implies -p'
complete -c sockstat -n "__fish_sockstat_needs_command" -s e -l extended -d 'User, inode, cookie, mark, cgroup, shutdown; implies -o'
complete -c sockstat -n "__fish_sockstat_needs_command" -s s -l summary -d 'Summary of counts, memory, limits and losses; with tables or a filter, before the listing'
complete -c sockstat -n "__fish_sockstat_needs_command" -s b -l bpf -d 'Filter programs of packet sockets (needs CAP_NET_ADMIN); implies -o'
complete -c sockstat -n "__fish_sockstat_needs_command" -s o -l options -d 'Timers'
complete -c sockstat -n "__fish_sockstat_needs_command" -s m -l memory -d 'Memory use and limits of each socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -s i -l info -d 'TCP internals: round trips, windows, rates, losses, congestion control'
complete -c sockstat -n "__fish_sockstat_needs_command" -l tos -d 'Type of service, traffic class, and class or priority'
complete -c sockstat -n "__fish_sockstat_needs_command" -l cgroup -d 'Cgroup of the task that created the socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -l inet-sockopt -d 'Options set on the socket'
complete -c sockstat -n "__fish_sockstat_needs_command" -s n -l numeric -d 'Numeric addresses and ports (the default)'
complete -c sockstat -n "__fish_sockstat_needs_command" -s r -l resolve -d 'Resolve host and service names'
complete -c sockstat -n "__fish_sockstat_needs_command" -s j -l json -d 'Print one JSON document'
complete -c sockstat -n "__fish_sockstat_needs_command" -l jsonl -d 'Print one JSON object per line, as rows arrive'
complete -c sockstat -n "__fish_sockstat_needs_command" -l csv -d 'Print comma-separated values (RFC 4180), as rows arrive'
complete -c sockstat -n "__fish_sockstat_needs_command" -l table -d 'Always print the table, even into a pipe'
complete -c sockstat -n "__fish_sockstat_needs_command" -l wide -d 'Never cut or drop columns of the table to fit the terminal'
complete -c sockstat -n "__fish_sockstat_needs_command" -l plain -d 'Always print the columns of ss, even on a terminal'
complete -c sockstat -n "__fish_sockstat_needs_command" -l pids -d 'Print only the process ids of owners, each once, one per line'
complete -c sockstat -n "__fish_sockstat_needs_command" -s H -l no-header -d 'Omit the heading'
complete -c sockstat -n "__fish_sockstat_needs_command" -s Q -l no-queues -d 'Omit the queues'
complete -c sockstat -n "__fish_sockstat_needs_command" -s O -l oneline -d 'Print one line per socket (the default)'
complete -c sockstat -n "__fish_sockstat_needs_command" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_needs_command" -l exit-status -d 'Exit with 0 if there are rows, 1 if not, 3 if not but the view is incomplete'
complete -c sockstat -n "__fish_sockstat_needs_command" -l explain-plan -d 'Explain tables, kernel filters and the search for owners, without rows'
complete -c sockstat -n "__fish_sockstat_needs_command" -s V -l version -d 'Print the version'
complete -c sockstat -n "__fish_sockstat_needs_command" -s K -l kill -d 'Close matching connections in the kernel (SOCK_DESTROY), after asking; programs keep running'
complete -c sockstat -n "__fish_sockstat_needs_command" -l yes -d 'With -K: skip the question'
complete -c sockstat -n "__fish_sockstat_needs_command" -l dry-run -d 'With -K: show matching sockets without closing them'
complete -c sockstat -n "__fish_sockstat_needs_command" -s E -l events -d 'Follow sockets as they open, change state and close, until interrupted'
complete -c sockstat -n "__fish_sockstat_needs_command" -l bpf-maps -d 'Socket storage of BPF programs'
complete -c sockstat -n "__fish_sockstat_needs_command" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "why" -d 'Explain why a port cannot be bound'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "reach" -d 'Explain whether a client can connect'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "free" -d 'Print ports that can be bound now'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "wait" -d 'Wait for a listener to appear or go'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "kill" -d 'End the owner of a port'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "events" -d 'Follow sockets opening and closing'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "columns" -d 'List the fields of rows'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "schema" -d 'Print the JSON Schema of --json'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "completions" -d 'Print a completion script'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "man" -d 'Print the man page'
complete -c sockstat -n "__fish_sockstat_needs_command" -a "help" -d 'Print help for a command'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l device -d 'Assume SO_BINDTODEVICE to this interface' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l uid -d 'User who binds [default: the user who called sudo, else the caller]' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s N -l netns -l net -d 'Enter a network namespace: a name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s t -l tcp -d 'TCP (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s u -l udp -d 'UDP; for a unix socket, datagram'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l v6only -d 'Assume a socket with IPV6_V6ONLY'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l reuseaddr -d 'Assume SO_REUSEADDR, which most servers set [default: answer for both]'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l no-reuseaddr -d 'Assume no SO_REUSEADDR'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l reuseport -d 'Assume SO_REUSEPORT'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l no-listen -d 'Judge bind without listen'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l no-probe -d 'Never try a bind where another socket\'s options are unreadable'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s n -l numeric -d 'Numeric addresses and ports (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s j -l json -d 'Print one JSON document'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand why" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s N -l netns -l net -d 'Enter a network namespace: a name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l port -d 'Port of the destination, a number or a service' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s t -l tcp -d 'TCP (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s n -l numeric -d 'Numeric addresses and ports (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l try -d 'Make one TCP connection and report the result; nothing is sent otherwise'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s j -l json -d 'Print one JSON document'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand reach" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s N -l netns -l net -d 'Enter a network namespace: a name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l count -d 'Number of ports to print' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s t -l tcp -d 'TCP (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s n -l numeric -d 'Numeric addresses and ports (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s j -l json -d 'Print one JSON document'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand free" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s N -l netns -l net -d 'Enter a network namespace: a name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l state -d 'State to wait for, such as established or time-wait [default: listen]' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l timeout -d 'Give up after this time, such as 500ms, 10s or 2m' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s t -l tcp -d 'TCP (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s n -l numeric -d 'Numeric addresses and ports (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l gone -d 'Wait until no such socket is left'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s j -l json -d 'Print one JSON document at the end'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand wait" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l signal -d 'Signal to send: TERM, INT, HUP, QUIT, USR1, USR2 or KILL' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l timeout -d 'Time to wait for the program to end [default: 5s]' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s N -l netns -l net -d 'Enter a network namespace: a name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s t -l tcp -d 'TCP only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s u -l udp -d 'UDP only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l socket -d 'Close the sockets and keep the programs; same as sockstat -K'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l dry-run -d 'Show the targets without signalling them'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s y -l yes -d 'Skip the question; never escalates to KILL'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l all -d 'Allow several unrelated targets'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s n -l numeric -d 'Numeric addresses and ports (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s j -l json -d 'Print one JSON document at the end'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand kill" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l interval -d 'Time between two looks at the tables [default: 1s]' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l limit -d 'End after N events' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l columns -d 'Show exactly these fields of a socket, comma-separated' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s N -l netns -l net -d 'Enter a network namespace: a name, a pid or a path' -r
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s t -l tcp -d 'TCP'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s u -l udp -d 'UDP'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s w -l raw -d 'Raw IP'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s x -l unix -d 'Unix domain'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s 4 -l ipv4 -d 'IPv4 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s 6 -l ipv6 -d 'IPv6 only'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s l -l listening -d 'Only sockets that start or stop listening'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s p -l processes -d 'Programs that hold each socket, if they can be seen'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s e -l extended -d 'User, inode, cookie, mark, cgroup, shutdown'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s n -l numeric -d 'Numeric addresses and ports (the default)'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s r -l resolve -d 'Resolve host and service names'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s j -l json -l jsonl -d 'Print one JSON object per line: event, at, was, socket'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s H -l no-header -d 'Omit the heading'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand events" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand columns" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand schema" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand completions" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand man" -s h -l help -d 'Print help'
complete -c sockstat -n "__fish_sockstat_using_subcommand help" -l color -d 'Use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c sockstat -n "__fish_sockstat_using_subcommand help" -l owners -d 'How to find owners' -r -f -a "auto\t'BPF iterator where permitted and faster, else /proc'
bpf\t'BPF iterator; /proc if the kernel refuses it'
proc\t'Walk over /proc'"
complete -c sockstat -n "__fish_sockstat_using_subcommand help" -l proc-root -d 'Read DIR instead of /proc, without netlink' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand help" -l record -d 'Record everything that this run reads to FILE, for a bug report or --replay' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand help" -l replay -d 'Read only FILE, written by --record or -D' -r -F
complete -c sockstat -n "__fish_sockstat_using_subcommand help" -l quiet -d 'Suppress warnings about missing data'
complete -c sockstat -n "__fish_sockstat_using_subcommand help" -s h -l help -d 'Print help'
