use proptest::prelude::*;

use super::*;

const UID: &str = "6d2b1c9e-0f6a-4f3e-9a51-1f0c8e0f7a11";

fn id() -> String {
    "0123456789abcdef".repeat(4)
}

fn text(name: &[u8]) -> String {
    String::from_utf8(name.to_vec()).unwrap()
}

/// Runtime, title, unit and pod of a path.
fn said(path: &str) -> (Option<Runtime>, Option<String>, Option<String>, Option<String>) {
    let home = Home::of_path(path);
    let container = home.container.as_ref();
    (
        container.map(|it| it.runtime),
        container.map(|it| text(it.title())),
        home.unit.map(|unit| text(unit.as_bytes())),
        home.pod.map(|pod| text(pod.as_bytes())),
    )
}

#[test]
fn containers_are_recognised_by_id() {
    let id = id();
    let pod = UID.replace('-', "_");
    for (path, runtime) in [
        (format!("/system.slice/docker-{id}.scope"), Runtime::Docker),
        (format!("/docker/{id}"), Runtime::Docker),
        (format!("/../docker/{id}"), Runtime::Docker),
        (format!("/machine.slice/libpod-{id}.scope"), Runtime::Podman),
        (
            format!("/machine.slice/libpod-{id}.scope/container"),
            Runtime::Podman,
        ),
        (
            format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{id}.scope/container"),
            Runtime::Podman,
        ),
        (
            format!("/system.slice/web.service/libpod-payload-{id}"),
            Runtime::Podman,
        ),
        (format!("/libpod_parent/libpod-{id}"), Runtime::Podman),
        (format!("/libpod_parent/{id}"), Runtime::Podman),
        (format!("/system.slice/nerdctl-{id}.scope"), Runtime::Containerd),
        (
            format!("/kubepods.slice/kubepods-pod{pod}.slice/cri-containerd-{id}.scope"),
            Runtime::Containerd,
        ),
        (
            format!("/kubepods.slice/kubepods-pod{pod}.slice/crio-{id}.scope"),
            Runtime::Crio,
        ),
        (format!("/default/{id}"), Runtime::Unknown),
    ] {
        let (found, title, ..) = said(&path);
        assert_eq!(
            (found, title.as_deref()),
            (Some(runtime), Some("0123456789ab")),
            "{path}"
        );
        let whole = Home::of_path(&path).container.unwrap().id;
        assert_eq!(whole.as_deref(), Some(&*id));
    }
}

#[test]
fn monitors_and_similar_names_are_not_containers() {
    let id = id();
    for path in [
        format!("/machine.slice/libpod-conmon-{id}.scope"),
        format!("/kubepods.slice/crio-conmon-{id}.scope"),
        "/lxc.monitor.web".to_owned(),
        "/system.slice/docker.service".to_owned(),
        "/process_api/cee508c1e4e82b1f8536f27db6dd81f5".to_owned(),
        r"/machine.slice/machine-qemu\x2d1\x2dvm.scope".to_owned(),
        format!("/docker/{}", &id[1..]),
        "/".to_owned(),
        String::new(),
    ] {
        assert_eq!(Home::of_path(&path).container, None, "{path}");
    }
}

#[test]
fn containers_are_recognised_by_name() {
    for (path, runtime, name) in [
        ("/lxc.payload.web", Runtime::Lxc, "web"),
        ("/lxc.payload.web/system.slice/nginx.service", Runtime::Lxc, "web"),
        ("/lxc/web", Runtime::Lxc, "web"),
        ("/lxc/web/init.scope", Runtime::Lxc, "web"),
        (
            r"/machine.slice/machine-deb\x2d12.scope",
            Runtime::Nspawn,
            "deb-12",
        ),
        (
            "/machine.slice/systemd-nspawn@web.service/payload",
            Runtime::Nspawn,
            "web",
        ),
    ] {
        let (found, title, ..) = said(path);
        assert_eq!((found, title.as_deref()), (Some(runtime), Some(name)), "{path}");
    }
}

#[test]
fn pods_of_both_drivers_are_recognised() {
    let (id, underscores) = (id(), UID.replace('-', "_"));
    for path in [
        format!("/kubepods/burstable/pod{UID}/{id}"),
        format!("/kubepods/pod{UID}/{id}"),
        format!(
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{underscores}.slice/cri-containerd-{id}.scope"
        ),
        format!(
            "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{underscores}.slice/crio-{id}.scope"
        ),
        format!(
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{underscores}.slice/docker-{id}.scope"
        ),
    ] {
        let (runtime, _, unit, pod) = said(&path);
        assert!(runtime.is_some(), "{path}");
        assert_eq!((unit, pod.as_deref()), (None, Some(UID)), "{path}");
    }
    // A static pod's UID is a hash without dashes.
    let hash = &id[..32];
    let (.., pod) = said(&format!("/kubepods/burstable/pod{hash}/{id}"));
    assert_eq!(pod.as_deref(), Some(hash));
    let (.., pod) = said(&format!(
        "/machine.slice/machine-libpod_pod_{id}.slice/libpod-{id}.scope"
    ));
    assert_eq!(pod.as_deref(), Some("0123456789ab"));
    assert_eq!(said("/system.slice/podman.service").3, None);
}

#[test]
fn units_are_the_innermost_service_or_scope() {
    let unit = |path: &str| Home::of_path(path).unit;
    for (path, expected) in [
        ("/system.slice/ssh.service", "ssh.service"),
        ("/user.slice/user-1000.slice/session-2.scope", "session-2.scope"),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service",
            "app-x.service",
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/init.scope",
            "init.scope",
        ),
        (r"/system.slice/dev\x2dsda.service/sub", "dev-sda.service"),
        ("/lxc.payload.web/system.slice/nginx.service", "nginx.service"),
    ] {
        assert_eq!(unit(path), Some(expected.into()), "{path}");
    }
    assert_eq!(unit(&format!("/system.slice/docker-{}.scope", id())), None);
    assert_eq!(unit("/system.slice"), None);
    let quadlet = Home::of_path(&format!("/system.slice/web.service/libpod-payload-{}", id()));
    assert_eq!(quadlet.unit, Some("web.service".into()));
    assert!(quadlet.container.is_some());
}

#[test]
fn the_unit_to_stop_is_the_one_that_systemd_created() {
    let unit = |path| {
        let manager = Manager::of_path(path);
        (manager.unit, manager.of_user)
    };
    for (path, expected) in [
        ("/system.slice/ssh.service", (Some("ssh.service"), false)),
        (
            r"/system.slice/a\x2db.service/sub",
            (Some(r"a\x2db.service"), false),
        ),
        (
            "/system.slice/web.service/sshd.service",
            (Some("web.service"), false),
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/sshd.service",
            (Some("sshd.service"), true),
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice",
            (None, true),
        ),
        (
            "/user.slice/user-1000.slice/session-2.scope",
            (Some("session-2.scope"), false),
        ),
        ("/lxc.payload.web/system.slice/nginx.service", (None, false)),
        ("/evil/sshd.service", (None, false)),
        ("/", (None, false)),
        ("", (None, false)),
    ] {
        assert_eq!(unit(path), expected, "{path}");
    }
}

#[test]
fn every_hierarchy_is_parsed() {
    let id = id();
    let hybrid = format!("4:memory:/docker/{id}\n1:name=systemd:/system.slice/x.service\n0::/\n");
    let (home, path) = Home::of_cgroups(&hybrid);
    assert_eq!(home.unit, Some("x.service".into()));
    assert_eq!(home.container.unwrap().runtime, Runtime::Docker);
    assert_eq!(path, Some("/system.slice/x.service"));
    let (home, path) = Home::of_cgroups("0::/system.slice/ssh.service\n");
    assert_eq!(home.unit, Some("ssh.service".into()));
    assert_eq!(path, Some("/system.slice/ssh.service"));
    assert_eq!(Home::of_cgroups("0::/\n"), (Home::default(), Some("/")));
    assert_eq!(Home::of_cgroups("nonsense"), (Home::default(), None));
    // A name may contain a colon.
    let (home, _) = Home::of_cgroups("0::/system.slice/a:b.service\n");
    assert_eq!(home.unit, Some("a:b.service".into()));
}

#[test]
fn a_container_has_a_printable_name() {
    for path in [
        "/lxc.payload./x",
        "/lxc.payload..scope",
        "/systemd-nspawn@.service",
        "/lxc/.scope",
        "/machine-.scope",
    ] {
        let home = Home::of_path(path);
        assert_eq!(home.container, None, "{path}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>(), path in r"(/[a-z\\x0-9.é_-]{0,70}){0,4}") {
        let _ = Home::of_cgroups(&text);
        let home = Home::of_path(&path);
        prop_assert!(home.container.is_none_or(|container| container.title().len() <= path.len()));
    }
}
