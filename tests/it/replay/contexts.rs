//! Security contexts below another /proc, so that they can be tested on machines without a security module.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::run::{Ran, sockstat};

/// A /proc with the listener on port 3306 (inode 5001), and a process that holds it as descriptor 7.
struct Root(PathBuf);

impl Root {
    fn new(name: &str, label: Option<&[u8]>) -> Self {
        let root = std::env::temp_dir().join(format!("sockstat-contexts-{name}-{}", std::process::id()));
        let process = root.join("42");
        for directory in ["net", "42/fd", "42/attr"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/proc/net");
        for table in ["tcp", "tcp6"] {
            fs::copy(tables.join(table), root.join("net").join(table)).unwrap();
        }
        fs::write(process.join("comm"), "mysqld\n").unwrap();
        symlink("socket:[5001]", process.join("fd/7")).unwrap();
        if let Some(label) = label {
            fs::write(process.join("attr/current"), label).unwrap();
        }
        Self(root)
    }

    /// A file at the path that the link names, where the kernel's links have none; returns its context afterwards:
    /// setting one requires root, and a module that leaves it alone.
    fn label_socket(&self, context: &str) -> Option<String> {
        let file = self.0.join("42/fd/socket:[5001]");
        fs::write(&file, "").unwrap();
        let _ = setxattr(&file, "security.selinux", context.as_bytes(), XattrFlags::empty());
        let mut buffer = vec![0; 256];
        let length = getxattr(&file, "security.selinux", &mut buffer).ok()?;
        buffer.truncate(length);
        Some(
            String::from_utf8(buffer)
                .unwrap()
                .trim_end_matches('\0')
                .to_owned(),
        )
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let root = self.0.to_str().unwrap();
        let arguments = [&["--proc-root", root], arguments].concat();
        Ran::of(&mut sockstat(arguments)).ended_with(0)
    }

    /// The tokens of the only row.
    fn users(&self, options: &str) -> String {
        let ran = self.run(&["-H", options, ":3306"]);
        let row = ran.text().trim_end();
        row.split_once("users:").expect(row).1.to_owned()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MYSQL: &str = "system_u:system_r:mysqld_t:s0:c1,c2";

#[test]
fn contexts_are_where_ss_has_them() {
    let root = Root::new("tokens", Some(b"system_u:system_r:mysqld_t:s0:c1,c2\0"));
    assert_eq!(root.users("-tlp"), r#"(("mysqld",pid=42,fd=7))"#);
    assert_eq!(
        root.users("-tlZ"),
        format!(r#"(("mysqld",pid=42,proc_ctx={MYSQL},fd=7))"#)
    );
    assert_eq!(
        root.users("-tlTZ"),
        format!(r#"(("mysqld",pid=42,tid=42,proc_ctx={MYSQL},fd=7))"#)
    );
    let of_socket = root.label_socket("system_u:object_r:mysqld_t:s0\0");
    let of_socket = of_socket.as_deref().unwrap_or("unavailable");
    let both = format!(r#"(("mysqld",pid=42,proc_ctx={MYSQL},fd=7,sock_ctx={of_socket}))"#);
    assert_eq!(root.users("-tlz"), both);
    assert_eq!(root.users("-tlZz"), both, "one letter does not undo the other");
}

#[test]
fn contexts_are_fields() {
    let root = Root::new("fields", Some(MYSQL.as_bytes()));
    let of_socket = root.label_socket("system_u:object_r:mysqld_t:s0\0");
    let row = &root.run(&["-tlz", "--json", ":3306"]).json()["sockets"][0];
    assert_eq!(row["context"], MYSQL);
    assert_eq!(row["owners"][0]["context"], MYSQL);
    assert_eq!(row["socket_context"], serde_json::json!(of_socket));
    let row = &root.run(&["-tlp", "--json", ":3306"]).json()["sockets"][0];
    assert!(
        row["context"].is_null() && row["owners"][0]["context"].is_null() && row["socket_context"].is_null(),
        "they are read for those who name them: {row}"
    );
    let found = |filter: &str| root.run(&["-tlH", filter]).text().lines().count();
    assert_eq!(found("context like '*:mysqld_t:*'"), 1);
    assert_eq!(found("context like '*:httpd_t:*'"), 0);
    let columns = root.run(&["-tlH", "--columns", "local_port,context", ":3306"]);
    assert_eq!(
        columns.text().trim(),
        format!("3306 {}", MYSQL.replace(',', r"\x2c"))
    );
    let table = root.run(&["-tlZ", "--table", ":3306"]);
    assert!(
        table.text().contains("CONTEXT") && table.text().contains(MYSQL),
        "{}",
        table.text()
    );
    if let Some(of_socket) = of_socket {
        assert_eq!(found(&format!("socket_context = '{of_socket}'")), 1);
    }
}

#[test]
fn labels_of_other_modules_leave_the_token_whole() {
    let root = Root::new("apparmor", Some(b"/usr/sbin/mysqld (enforce)\n"));
    assert_eq!(
        root.users("-tlZ"),
        r#"(("mysqld",pid=42,proc_ctx=/usr/sbin/mysqld\x20\x28enforce\x29,fd=7))"#
    );
    let ran = root.run(&["-tlz", ":3306"]);
    assert!(ran.stderr.contains("no socket contexts"), "{}", ran.stderr);
}

#[test]
fn without_a_security_module_there_is_a_word_and_every_row() {
    let root = Root::new("none", None);
    let ran = root.run(&["-tlZ", ":3306"]);
    assert!(ran.text().contains("proc_ctx=unavailable"), "{}", ran.text());
    assert!(ran.stderr.contains("no security contexts"), "{}", ran.stderr);
    let document = root.run(&["-tlZ", "--json", ":3306"]).json();
    let gaps = document["gaps"].as_array().unwrap();
    assert!(
        gaps.iter().any(|gap| gap["code"] == "contexts-unavailable"),
        "{gaps:?}"
    );
    assert_eq!(document["sockets"].as_array().unwrap().len(), 1);
}
