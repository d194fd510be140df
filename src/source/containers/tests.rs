use std::os::unix::fs::{PermissionsExt as _, chown};

use super::*;

/// A root directory with these files, removed when dropped.
struct Root(PathBuf);

impl Root {
    fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let root =
            Self(std::env::temp_dir().join(format!("sockstat-containers-{name}-{}", std::process::id())));
        for (path, text) in files {
            let path = root.0.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            root.allow(&path, 0o644);
            root.allow(path.parent().unwrap(), 0o755);
        }
        root
    }

    fn allow(&self, path: impl AsRef<Path>, mode: u32) {
        std::fs::set_permissions(self.0.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Makes a user the owner of everything below a path, and leaves the rest to root; false if we are not root.
    fn give(&self, path: &str, uid: u32) -> bool {
        // Without root, a test can own these files, but cannot create parents that belong to root.
        if !rustix::process::geteuid().is_root() {
            return false;
        }
        let mut left = vec![self.0.join(path)];
        while let Some(path) = left.pop() {
            if chown(&path, Some(uid), None).is_err() {
                return false;
            }
            if path.is_dir() {
                left.extend(
                    std::fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
        }
        true
    }

    fn names(&self) -> Names {
        Names {
            place: Place {
                root: self.0.clone(),
                owner: rustix::process::geteuid().as_raw(),
            },
            ..Names::default()
        }
    }

    /// Name and pod of the container at a cgroup path, empty for none.
    fn called(&self, path: &str) -> [String; 2] {
        self.called_with(path, None)
    }

    /// The same for a container in which a process of this user runs.
    fn called_with(&self, path: &str, uid: Option<u32>) -> [String; 2] {
        let mut home = Home::of_path(path);
        self.names().add(&mut home, path, uid);
        let name = home.container.and_then(|container| container.name);
        [name, home.pod].map(|name| name.map_or_else(String::new, |name| name.to_string()))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const ID: &str = "aaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccdddd";

#[test]
fn docker_names_its_containers() {
    let config = r#"{"Config":{"Labels":{"Name":"/no"}},"Name":"/web-1"}"#;
    let path = format!("var/lib/docker/containers/{ID}/config.v2.json");
    let root = Root::with("docker", &[(&path, config)]);
    assert_eq!(root.called(&format!("/docker/{ID}"))[0], "web-1");
    assert_eq!(
        root.called(&format!("/system.slice/docker-{ID}.scope"))[0],
        "web-1"
    );
    assert_eq!(root.called(&format!("/elsewhere/{ID}"))[0], "web-1");
    assert_eq!(root.called(&format!("/docker/{}", ID.replace('a', "b")))[0], "");
    let path = format!("srv/d/containers/{ID}/config.v2.json");
    let daemon = ("etc/docker/daemon.json", r#"{"data-root": "/srv/d"}"#);
    let root = Root::with("docker-elsewhere", &[(&path, config), daemon]);
    assert_eq!(root.called(&format!("/docker/{ID}"))[0], "web-1");
}

/// Where podman stores the names of a user's containers.
const OF_EVE: &str = "home/eve/.local/share/containers/storage";

fn stored(id: &str, name: &str) -> String {
    format!(r#"[{{"id":"x"}},{{"id":"{id}","names":["{name}"]}}]"#)
}

#[test]
fn podman_names_its_containers_and_a_user_names_only_her_own() {
    let other = ID.replace('a', "e");
    let of_root = "var/lib/containers/storage/overlay-containers/containers.json";
    let volatile = format!("{OF_EVE}/vfs-containers/volatile-containers.json");
    let of_eve = format!("{OF_EVE}/overlay-containers/containers.json");
    let files = [
        (of_root, &*stored(ID, "web")),
        (&*volatile, &stored(&other, "hers")),
        (&*of_eve, &stored(ID, "mine")),
    ];
    let root = Root::with("podman", &files);
    let of_system = format!("/machine.slice/libpod-{ID}.scope");
    assert_eq!(root.called(&of_system)[0], "web");
    if !root.give("home/eve", 1000) {
        return;
    }
    let [hers, bobs] = [1000, 1001].map(|uid| {
        format!("/user.slice/user-{uid}.slice/user@{uid}.service/user.slice/libpod-{other}.scope")
    });
    assert_eq!(root.called(&hers)[0], "hers");
    assert_eq!(root.called(&bobs)[0], "", "containers of other users get no name");
    assert_eq!(
        root.called_with(&bobs, Some(1000))[0],
        "",
        "the slice shows the user"
    );
    let anywhere = format!("/machine.slice/libpod-{other}.scope");
    assert_eq!(root.called(&anywhere)[0], "");
    assert_eq!(root.called_with(&anywhere, Some(1000))[0], "hers");
    assert_eq!(root.called_with(&of_system, Some(1000))[0], "web");
    // Files that others could have written are ignored.
    root.allow(&volatile, 0o666);
    assert_eq!(root.called(&hers)[0], "");
    root.allow(&volatile, 0o644);
    assert!(root.give(&volatile, 1001));
    assert_eq!(root.called(&hers)[0], "");
}

#[test]
fn system_state_that_others_can_write_is_ignored() {
    let path = "var/lib/containers/storage/overlay-containers/containers.json";
    let root = Root::with("writable", &[(path, &stored(ID, "web"))]);
    let cgroup = format!("/machine.slice/libpod-{ID}.scope");
    for (mode, name) in [(0o666, ""), (0o620, ""), (0o600, "web")] {
        root.allow(path, mode);
        assert_eq!(root.called(&cgroup)[0], name, "{mode:o}");
    }
    root.allow(Path::new(path).parent().unwrap(), 0o777);
    assert_eq!(root.called(&cgroup)[0], "");
}

#[test]
fn a_user_cannot_make_us_read_without_end() {
    let long = format!("[{}]", " ".repeat(4 << 20));
    let file = format!("{OF_EVE}/overlay-containers/containers.json");
    let root = Root::with("endless", &[(&file, &long)]);
    let storage = root.0.join(OF_EVE);
    for number in 0..100 {
        let link = storage.join(format!("{number}-containers"));
        std::os::unix::fs::symlink("overlay-containers", link).unwrap();
    }
    std::os::unix::fs::symlink("overlay-containers", storage.join("vfs-containers")).unwrap();
    if !root.give("home", 1000) {
        return;
    }
    let ask = || {
        let mut names = root.names();
        for digit in 'a'..='f' {
            let path = format!(
                "/user.slice/user-1000.slice/libpod-{}.scope",
                ID.replace('a', &digit.to_string())
            );
            names.add(&mut Home::of_path(&path), &path, None);
        }
        names.storage.users_bytes_read()
    };
    assert_eq!(
        ask(),
        long.len() as u64,
        "read once, however many links and containers lead to it"
    );
    for driver in ["zfs", "btrfs", "aufs", "devicemapper"] {
        let directory = storage.join(format!("{driver}-containers"));
        std::fs::create_dir(&directory).unwrap();
        for name in ["containers.json", "volatile-containers.json"] {
            std::fs::hard_link(root.0.join(&file), directory.join(name)).unwrap();
        }
    }
    assert!(root.give("home", 1000));
    assert_eq!(ask(), 32 << 20, "a limit for all users together");
}

#[test]
fn kubernetes_names_containers_and_pods() {
    let containerd = r#"{"annotations":{"io.kubernetes.cri.container-name":"app",
        "io.kubernetes.cri.sandbox-name":"web-5d9","io.kubernetes.cri.sandbox-namespace":"shop"}}"#;
    let path = format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json");
    let root = Root::with("containerd", &[(&path, containerd)]);
    let cgroup = format!("/kubepods/besteffort/pod6d2b1c9e-0f6a-4f3e-9a51-1f0c8e0f7a11/{ID}");
    assert_eq!(root.called(&cgroup), ["app", "shop/web-5d9"]);
    let crio = r#"{"annotations":{"io.kubernetes.container.name":"app","io.kubernetes.pod.name":"web-5d9",
        "io.kubernetes.pod.namespace":"shop"}}"#;
    let path = format!("run/containers/storage/overlay-containers/{ID}/userdata/config.json");
    let root = Root::with("crio", &[(&path, crio)]);
    assert_eq!(
        root.called(&format!("/kubepods.slice/crio-{ID}.scope")),
        ["app", "shop/web-5d9"]
    );
    let path = format!("run/containerd/io.containerd.runtime.v2.task/default/{ID}/config.json");
    let root = Root::with("nerdctl", &[(&path, r#"{"annotations":{"nerdctl/name":"web"}}"#)]);
    assert_eq!(root.called(&format!("/default/{ID}"))[0], "web");
}

#[test]
fn invalid_files_give_no_name() {
    let path = format!("var/lib/docker/containers/{ID}/config.v2.json");
    let root = Root::with("hostile", &[(&path, "{\"Name\":")]);
    assert_eq!(root.called(&format!("/docker/{ID}"))[0], "");
    let file = root.0.join(&path);
    std::fs::remove_file(&file).unwrap();
    let permissions = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, permissions, 0).unwrap();
    assert_eq!(
        root.called(&format!("/docker/{ID}"))[0],
        "",
        "a FIFO is not waited for"
    );
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/proc/self/cmdline", &file).unwrap();
    assert_eq!(root.called(&format!("/docker/{ID}"))[0], "");
}
