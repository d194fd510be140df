
use builtin;
use str;

set edit:completion:arg-completer[sockstat] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'sockstat'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'sockstat'= {
            cand -f 'An address family: inet, inet6, unix (may be repeated)'
            cand --family 'An address family: inet, inet6, unix (may be repeated)'
            cand -A 'Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, unix, unix_stream, unix_dgram, unix_seqpacket; !TABLE for all but that one'
            cand --query 'Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, unix, unix_stream, unix_dgram, unix_seqpacket; !TABLE for all but that one'
            cand --socket 'Tables, separated by commas: all, inet, tcp, mptcp, udp, udplite, raw, icmp, unix, unix_stream, unix_dgram, unix_seqpacket; !TABLE for all but that one'
            cand --color 'Colours'
            cand --owners 'How owners are found'
            cand --proc-root 'Read DIR instead of /proc, and ask nothing by netlink'
            cand -N 'N'
            cand --net 'net'
            cand -D 'D'
            cand --diag 'diag'
            cand -F 'F'
            cand --filter-file 'filter-file'
            cand -t 'TCP'
            cand --tcp 'TCP'
            cand -u 'UDP'
            cand --udp 'UDP'
            cand -w 'Raw IP'
            cand --raw 'Raw IP'
            cand -x 'Unix domain'
            cand --unix 'Unix domain'
            cand -M 'Multipath TCP'
            cand --mptcp 'Multipath TCP'
            cand -4 'IPv4 only (with -6: both)'
            cand --ipv4 'IPv4 only (with -6: both)'
            cand -6 'IPv6 only'
            cand --ipv6 'IPv6 only'
            cand -a 'Every state'
            cand --all 'Every state'
            cand -l 'Listening sockets, and unconnected ones of protocols without listeners'
            cand --listening 'Listening sockets, and unconnected ones of protocols without listeners'
            cand -B 'TCP sockets that are bound and neither listen nor connect (Linux 6.8 and newer)'
            cand --bound-inactive 'TCP sockets that are bound and neither listen nor connect (Linux 6.8 and newer)'
            cand -p 'The programs that hold each socket'
            cand --processes 'The programs that hold each socket'
            cand -T 'The thread as well, where its file table is its own; implies -p'
            cand --threads 'The thread as well, where its file table is its own; implies -p'
            cand -e 'User, inode, cookie, mark, cgroup, shutdown; implies -o'
            cand --extended 'User, inode, cookie, mark, cgroup, shutdown; implies -o'
            cand -o 'Timers'
            cand --options 'Timers'
            cand -n 'Numbers, not names: what happens anyway'
            cand --numeric 'Numbers, not names: what happens anyway'
            cand -r 'Names for hosts and services, from the system''s resolver'
            cand --resolve 'Names for hosts and services, from the system''s resolver'
            cand -j 'One JSON document'
            cand --json 'One JSON document'
            cand --table 'The table for people, also into a pipe'
            cand --plain 'The columns of ss, also on a terminal'
            cand -H 'No heading'
            cand --no-header 'No heading'
            cand -Q 'No queues'
            cand --no-queues 'No queues'
            cand -O 'One line per socket: what happens anyway'
            cand --oneline 'One line per socket: what happens anyway'
            cand --quiet 'No word on stderr about what is missing'
            cand --exit-status 'Exit 0 with rows, 1 without, 3 without but with an incomplete view'
            cand --explain-plan 'Say which tables are read, what the kernel filters, how owners are found, and how it went; no rows'
            cand -V 'Print the version'
            cand --version 'Print the version'
            cand -d 'd'
            cand --dccp 'dccp'
            cand -S 'S'
            cand --sctp 'sctp'
            cand -0 '0'
            cand --packet 'packet'
            cand --vsock 'vsock'
            cand --xdp 'xdp'
            cand --tipc 'tipc'
            cand -m 'm'
            cand --memory 'memory'
            cand -i 'i'
            cand --info 'info'
            cand -b 'b'
            cand --bpf 'bpf'
            cand -Z 'Z'
            cand --context 'context'
            cand -z 'z'
            cand --contexts 'contexts'
            cand --tos 'tos'
            cand --cgroup 'cgroup'
            cand --inet-sockopt 'inet-sockopt'
            cand -s 's'
            cand --summary 'summary'
            cand -K 'K'
            cand --kill 'kill'
            cand -E 'E'
            cand --events 'events'
            cand --bpf-maps 'bpf-maps'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand completions 'Print a completion script'
            cand man 'Print the man page'
        }
        &'sockstat;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'sockstat;man'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
