use super::*;

/// A root directory with these files, gone when dropped.
struct Root(PathBuf);

impl Root {
    fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let root =
            Self(std::env::temp_dir().join(format!("sockstat-containers-{name}-{}", std::process::id())));
        for (path, text) in files {
            let path = root.0.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    /// Name and pod of the container at a path of cgroups, empty for none.
    fn called(&self, path: &str) -> [String; 2] {
        let mut home = Home::of_path(path);
        Names::below(self.0.clone()).add(&mut home);
        let name = home.container.and_then(|container| container.name);
        [name, home.pod].map(Option::unwrap_or_default)
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

#[test]
fn podman_names_its_containers_and_a_user_cannot_rename_those_of_root() {
    let of = |id: &str, name: &str| format!(r#"[{{"id":"x"}},{{"id":"{id}","names":["{name}"]}}]"#);
    let other = ID.replace('a', "e");
    let root = Root::with(
        "podman",
        &[
            (
                "var/lib/containers/storage/overlay-containers/containers.json",
                &of(ID, "web"),
            ),
            (
                "home/eve/.local/share/containers/storage/vfs-containers/volatile-containers.json",
                &of(&other, "hers"),
            ),
            (
                "home/eve/.local/share/containers/storage/overlay-containers/containers.json",
                &of(ID, "mine"),
            ),
        ],
    );
    assert_eq!(
        root.called(&format!("/machine.slice/libpod-{ID}.scope"))[0],
        "web"
    );
    assert_eq!(
        root.called(&format!("/user.slice/libpod-{other}.scope"))[0],
        "hers"
    );
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
fn what_is_no_regular_file_or_no_json_gives_no_name() {
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
        "nobody waits for a writer"
    );
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/proc/self/cmdline", &file).unwrap();
    assert_eq!(root.called(&format!("/docker/{ID}"))[0], "");
}
