//! The intended and version-dependent differences between our plain columns and the installed `ss`.
//!
//! Each function is one difference with its reason; docs/ss-differences.md lists the same. A row is its
//! whitespace-separated fields.

/// A version of iproute2.
pub(crate) type Version = (u32, u32);

/// `ss utility, iproute2-6.1.0` as a version.
pub(crate) fn version(text: &str) -> Option<Version> {
    let mut numbers = text
        .trim()
        .rsplit_once("iproute2-")?
        .1
        .split(['.', '-', '_'])
        .map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The fields of each row, without the header, sorted, because the orders differ (that of ss is the order of the
/// kernel's hash tables, dump by dump).
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let mut rows: Vec<Vec<String>> = text.lines().skip(1).map(fields).collect();
    rows.sort();
    rows
}

/// The words of the header line.
///
/// ss 5.4 to 6.6 always has the column Process, later versions only with -p. If the column before it is narrow, ss
/// writes `PortProcess` without a blank.
pub(crate) fn header(text: &str) -> Vec<String> {
    let line = text
        .lines()
        .next()
        .unwrap_or_default()
        .replace("PortProcess", "Port Process");
    line.split_whitespace()
        .filter(|word| *word != "Process")
        .map(str::to_owned)
        .collect()
}

/// ss before 6.8 cannot request TCP sockets that are bound but neither listen nor connect: their state has a number of
/// its own (13, since linux 6.8).
pub(crate) fn without_bound(rows: &mut Vec<Vec<String>>) {
    let is_tcp = |row: &[String]| !matches!(&*row[0], "udp" | "u_str" | "u_dgr" | "u_seq");
    rows.retain(|row| !(is_tcp(row) && row.iter().take(2).any(|field| field == "UNCONN")));
}

/// Both programs list the netlink socket of their own request, and the kernel's socket that receives it. ss also lists
/// a socket twice if it has an address and is in a group (linux 6.18 net/netlink/diag.c walks two tables).
pub(crate) fn without_own_dump(rows: &mut Vec<Vec<String>>) {
    rows.retain(|row| !row.iter().any(|field| field.starts_with("4:")));
    rows.dedup();
}

/// Owners come in the order in which each program found them: they are compared as a set.
pub(crate) fn sort_users(row: &mut [String]) {
    for field in row.iter_mut().filter(|field| field.starts_with("users:((")) {
        let inner = field.trim_start_matches("users:((").trim_end_matches("))");
        let mut users: Vec<_> = inner.split("),(").collect();
        users.sort_unstable();
        *field = format!("users:(({}))", users.join("),("));
    }
}

/// ss does not look into io_uring registrations, nor (without -T) into threads with a file table of their own: such a
/// listener has no owner there.
pub(crate) fn without_users_of(row: &mut Vec<String>, ports: &[String]) {
    if row
        .iter()
        .any(|field| ports.iter().any(|port| field.ends_with(port.as_str())))
    {
        row.retain(|field| !field.starts_with("users:("));
    }
}

/// Time passes between the two runs; the name of the timer and the number of retransmits stay.
pub(crate) fn without_timer_times(row: &mut [String]) {
    for field in row.iter_mut().filter(|field| field.starts_with("timer:(")) {
        let parts: Vec<_> = field.split(',').collect();
        if let [name, _, retransmits] = parts[..] {
            *field = format!("{name},TIME,{retransmits}");
        }
    }
}

/// The delayed-ACK timer has a name since iproute2 7.1; before, ss prints `unknown`.
pub(crate) fn name_delack(row: &mut [String]) {
    for field in row
        .iter_mut()
        .filter(|field| field.starts_with("timer:(unknown,"))
    {
        *field = field.replacen("unknown", "delack", 1);
    }
}

/// ss learns cgroup paths by walking /sys/fs/cgroup with file handles, which needs root, and prints
/// `unreachable:ID` where that fails; we have the path from the directory's inode number, or the same word.
pub(crate) fn without_unreachable_cgroups(ours: &mut [String], theirs: &mut [String]) {
    let is_unreachable = |row: &[String]| row.iter().any(|field| field.starts_with("cgroup:unreachable:"));
    if is_unreachable(ours) || is_unreachable(theirs) {
        for field in ours
            .iter_mut()
            .chain(theirs.iter_mut())
            .filter(|field| field.starts_with("cgroup:"))
        {
            "cgroup:PATH".clone_into(field);
        }
    }
}

/// ss takes the kernel's own device number (20 bits of minor) apart as if it were glibc's: device 254:0 becomes
/// `dev:0/65024`. We print what `stat` says.
pub(crate) fn without_device_numbers(row: &mut [String]) {
    for field in row.iter_mut().filter(|field| field.starts_with("dev:")) {
        "dev:DEVICE".clone_into(field);
    }
}

#[test]
fn versions_are_read() {
    assert_eq!(version("ss utility, iproute2-6.1.0\n"), Some((6, 1)));
    assert_eq!(version("ss utility, iproute2-7.1.0, libbpf 1.5"), Some((7, 1)));
    assert_eq!(version("ss utility, 6"), None);
}

#[test]
fn users_are_a_set() {
    let mut row = vec![r#"users:(("b",pid=2,fd=3),("a",pid=1,fd=3))"#.to_owned()];
    sort_users(&mut row);
    assert_eq!(row[0], r#"users:(("a",pid=1,fd=3),("b",pid=2,fd=3))"#);
}
