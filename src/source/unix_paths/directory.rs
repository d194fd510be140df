//! What may be created in a directory, regardless of the user.

use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatVfsMountFlags, StatxAttributes, StatxFlags, statfs, statvfs, statx};

use crate::model::unix_path::{Directory, Room, Sockets};
use crate::source::tape;

// Flags as stored in recordings.
const READ_ONLY: u32 = 1;
const IMMUTABLE: u32 = 2;
const REMOVED: u32 = 4;
const NO_INODES: u32 = 8;
const NO_BLOCKS: u32 = 16;

/// Reads the directory of a name; `None` if that fails, or if a recording lacks it.
pub(super) fn read(path: &Path, name_ends_in_slash: bool) -> Option<Directory> {
    let read = tape::fact(&format!("directory {}", path.display()), || ask(path));
    let (file_system, flags) = read?;
    let has = |flag: u32| flags & flag != 0;
    Some(Directory {
        name_ends_in_slash,
        removed: has(REMOVED),
        read_only: has(READ_ONLY),
        immutable: has(IMMUTABLE),
        sockets: sockets(file_system),
        room: match (has(NO_INODES), has(NO_BLOCKS)) {
            (true, _) => Room::None,
            (_, true) if file_system != TMPFS => Room::Unknown,
            _ => Room::Left,
        },
    })
}

/// The type of the file system, and the flags.
#[allow(
    clippy::useless_conversion,
    reason = "the type's width depends on the machine"
)]
fn ask(path: &Path) -> Option<(u32, u32)> {
    let file_system = statfs(path).ok()?;
    let room = statvfs(path).ok()?;
    let stat = statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS).ok();
    let (links, is_immutable) = stat.map_or((1, false), |stat| {
        (
            stat.stx_nlink,
            stat.stx_attributes.contains(StatxAttributes::IMMUTABLE),
        )
    });
    // File systems without a limit report none.
    let no_inodes = room.f_files > 0 && room.f_favail == 0;
    let flags = [
        (READ_ONLY, room.f_flag.contains(StatVfsMountFlags::RDONLY)),
        (IMMUTABLE, is_immutable),
        (REMOVED, links == 0),
        (NO_INODES, no_inodes),
        (NO_BLOCKS, room.f_blocks > 0 && room.f_bavail == 0),
    ];
    let flags = flags.into_iter().filter(|(_, holds)| *holds);
    // Types are 32-bit numbers, whatever the width of the field.
    let magic = u32::try_from(i64::from(file_system.f_type) & 0xffff_ffff).ok()?;
    Some((magic, flags.fold(0, |all, (flag, _)| all | flag)))
}

const TMPFS: u32 = 0x0102_1994;
const PROC: u32 = 0x9fa0;

/// Types whose directories have no `mknod` operation (linux 6.18 include/uapi/linux/magic.h, and the file systems).
const WITHOUT_SOCKETS: [u32; 22] = [
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0x6265_6570, // configfs
    0xcafe_4a11, // bpf
    0x6573_5543, // fusectl
    0x0000_1cd1, // devpts
    0x1980_0202, // mqueue
    0xde5e_81e4, // efivarfs
    0x6165_676c, // pstore
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
    0x4249_4e4d, // binfmt_misc
    0x6759_6969, // rpc_pipefs
    0x6e66_7364, // nfsd
    0x6c6f_6f70, // binderfs
    0x0765_5821, // resctrl
    0x0000_4d44, // vfat
    0x2011_bab0, // exfat
];

/// Types for which a program or a server decides.
const DECIDED_ELSEWHERE: [u32; 6] = [
    0x6573_5546, // fuse
    0x0102_1997, // 9p
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x0000_517b, // smb
    0x0000_0187, // autofs
];

fn sockets(file_system: u32) -> Sockets {
    match file_system {
        PROC => Sockets::NoNewNames,
        other if WITHOUT_SOCKETS.contains(&other) => Sockets::NotMade,
        other if DECIDED_ELSEWHERE.contains(&other) => Sockets::Unknown,
        _ => Sockets::Made,
    }
}
