//! How to end the holders of a socket.

use crate::model::Name;
use crate::render::escape;

use super::cure::{Cure, Harm, Reader, Rights, typed_by};
use super::holders::Holders;
use super::owner::Owner;

/// Adds the commands that end the holders of a socket. `place` is how `sockstat kill` names the socket if it is waiting
/// for connections or datagrams; connections have no such name.
pub(super) fn end_holders(holders: &Holders, place: Option<String>, cures: &mut Vec<Cure>) {
    let first = holders.owners.first();
    if let Some(unit) = &holders.socket_unit {
        let systemd = holders.owners.iter().find(|owner| owner.program == b"systemd");
        let command = systemd.and_then(|owner| systemctl("disable --now", unit, owner, owner.pid != 1));
        cures.push(ends(command, format!("{unit} asks systemd to listen there")));
        return;
    }
    if holders.by_systemd {
        cures.push(Cure::command(
            "systemctl list-sockets",
            "shows for which socket unit systemd listens; systemctl disable --now UNIT ends that",
            Harm::None,
        ));
        return;
    }
    let Some(owner) = first else { return };
    let program = escape::text(&owner.program);
    if let Some(container) = &owner.container {
        let sentence = format!("{program} belongs to the container {container}");
        cures.push(ends(stop_container(container, owner), sentence));
        return;
    }
    if owner.forwards_for_container {
        let tool = owner.container_tool;
        let sentence = format!("shows the container that {program} forwards to; {tool} stop ends both");
        cures.push(Cure::command(format!("{tool} ps"), sentence, Harm::None).with_rights(Rights::Root));
        return;
    }
    let is_session = |unit: &&Name| {
        let prefixes: [&[u8]; 3] = [b"session-", b"user@", b"init.scope"];
        prefixes.iter().any(|prefix| unit.as_bytes().starts_with(prefix))
    };
    if let Some(unit) = owner.managed_unit.as_ref().filter(|unit| !is_session(unit)) {
        let command = systemctl("stop", unit, owner, owner.of_user_manager);
        let sentence = format!("{program} runs in {unit}, which may start it again");
        cures.push(ends(command, sentence));
        return;
    }
    if let Some(master) = &holders.hidden_master {
        cures.push(end_master(master, place));
        return;
    }
    if owner.pid > 1 {
        let sentence = format!("TERM to {program} {}", owner.pid);
        if cures.iter().any(|cure| cure.sentence.starts_with(&sentence)) {
            return;
        }
        let cure = match place {
            Some(place) => Cure::command(
                format!("sockstat kill {place}"),
                format!("{sentence}, then checks the port"),
                Harm::EndsProgram,
            ),
            None => Cure::command(format!("kill {}", owner.pid), sentence, Harm::EndsProgram),
        };
        cures.push(cure.with_rights(Rights::User(owner.uid)));
    }
}

/// Ends the process that would restart the holders. It needs root: other users see, and would end, only the holders.
fn end_master(master: &Owner, place: Option<String>) -> Cure {
    let sentence = format!("TERM to {}, which starts the others", master.title());
    let (command, sentence) = match place {
        Some(place) => (
            format!("sockstat kill {place}"),
            format!("{sentence}, then checks the port"),
        ),
        None => (format!("kill {}", master.pid), sentence),
    };
    Cure::command(command, sentence, Harm::EndsProgram).with_rights(Rights::Root)
}

/// The command that ends the process that starts the holders of a socket, as the reader has to type it.
pub fn master_stopper(master: &Owner, place: Option<String>, reader: Reader<'_>) -> Option<String> {
    let cure = end_master(master, place);
    typed(cure.command?, cure.rights, reader)
}

/// The command that makes systemd stop the unit of a program, as the reader has to type it. `None` without a unit, or
/// if its name is unsafe to paste.
pub fn unit_stopper(owner: &Owner, reader: Reader<'_>) -> Option<String> {
    let unit = owner.managed_unit.as_ref()?;
    let (command, rights) = systemctl("stop", unit, owner, owner.of_user_manager)?;
    typed(command, rights, reader)
}

/// The same for the container of a program.
pub fn container_stopper(owner: &Owner, reader: Reader<'_>) -> Option<String> {
    let (command, rights) = stop_container(owner.container.as_ref()?, owner)?;
    typed(command, rights, reader)
}

fn typed(command: String, rights: Rights, reader: Reader<'_>) -> Option<String> {
    let mut cures = [Cure::command(command, "", Harm::EndsProgram).with_rights(rights)];
    typed_by(&mut cures, reader);
    let [cure] = cures;
    cure.command
}

/// A cure that ends a program. Without a command, it is only the sentence, which names the same target.
fn ends(command: Option<(String, Rights)>, sentence: String) -> Cure {
    match command {
        Some((command, rights)) => Cure::command(command, sentence, Harm::EndsProgram).with_rights(rights),
        None => Cure {
            harm: Harm::EndsProgram,
            ..Cure::advice(sentence)
        },
    }
}

/// The command for the systemd instance that manages the owner. `None` if the unit's name is unsafe to paste.
fn systemctl(verb: &str, unit: &Name, owner: &Owner, of_user: bool) -> Option<(String, Rights)> {
    let unit = unit.in_shell()?;
    if !of_user {
        return Some((format!("systemctl {verb} {unit}"), Rights::Root));
    }
    let user = owner.user.as_ref().and_then(Name::in_shell);
    let rights = Rights::Only {
        uid: owner.uid,
        instead: user.map(|user| format!("systemctl --user --machine={user}@.host {verb} {unit}")),
    };
    Some((format!("systemctl --user {verb} {unit}"), rights))
}

/// The command that stops a container. A container below a user's systemd belongs to that user; root may have another
/// container of the same name.
fn stop_container(container: &Name, owner: &Owner) -> Option<(String, Rights)> {
    let command = format!("{} stop {}", owner.container_tool, container.in_shell()?);
    if !owner.of_user_manager {
        return Some((command, Rights::Root));
    }
    let user = owner.user.as_ref().and_then(Name::in_shell);
    let rights = Rights::Only {
        uid: owner.uid,
        instead: user.map(|user| format!("sudo -u {user} {command}")),
    };
    Some((command, rights))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            pid: 812,
            program: b"nginx".to_vec(),
            container_tool: "docker",
            ..Owner::default()
        }
    }

    /// The first command for ending `holders`, with `owner` as the first holder.
    fn first(owner: Owner, holders: Holders) -> (Option<String>, Harm) {
        let mut cures = Vec::new();
        let holders = Holders {
            owners: vec![owner],
            ..holders
        };
        end_holders(&holders, Some(":80".to_owned()), &mut cures);
        assert_eq!(cures.len(), 1);
        let cure = cures.remove(0);
        (cure.command, cure.harm)
    }

    #[test]
    fn a_service_or_container_is_stopped_instead_of_its_program() {
        let none = Holders::default;
        let said = |text: &str, harm| (Some(text.to_owned()), harm);
        assert_eq!(
            first(owner(), none()),
            said("sockstat kill :80", Harm::EndsProgram)
        );
        let service = Owner {
            managed_unit: Some("nginx.service".into()),
            ..owner()
        };
        assert_eq!(
            first(service.clone(), none()),
            said("systemctl stop nginx.service", Harm::EndsProgram)
        );
        let session = Owner {
            managed_unit: Some("session-2.scope".into()),
            ..owner()
        };
        assert_eq!(
            first(session, none()),
            said("sockstat kill :80", Harm::EndsProgram)
        );
        let contained = Owner {
            container: Some("web-1".into()),
            ..service.clone()
        };
        assert_eq!(
            first(contained, none()),
            said("docker stop web-1", Harm::EndsProgram)
        );
        let proxy = Owner {
            forwards_for_container: true,
            ..owner()
        };
        assert_eq!(first(proxy, none()), said("docker ps", Harm::None));
        let by_systemd = || Holders {
            by_systemd: true,
            ..none()
        };
        assert_eq!(
            first(owner(), by_systemd()),
            said("systemctl list-sockets", Harm::None)
        );
        let unit = Holders {
            socket_unit: Some("web.socket".into()),
            ..by_systemd()
        };
        let systemd = Owner {
            pid: 1,
            program: b"systemd".to_vec(),
            ..owner()
        };
        assert_eq!(
            first(systemd, unit),
            said("systemctl disable --now web.socket", Harm::EndsProgram)
        );
    }

    #[test]
    fn a_hidden_master_is_ended_instead_of_its_workers() {
        let reader = Reader {
            uid: 1000,
            program: "/opt/sockstat",
            netns: None,
        };
        let of = |place: Option<&str>| {
            let mut cures = Vec::new();
            let holders = Holders {
                owners: vec![owner()],
                hidden_master: Some(Owner { pid: 811, ..owner() }),
                ..Holders::default()
            };
            end_holders(&holders, place.map(str::to_owned), &mut cures);
            typed_by(&mut cures, reader);
            cures.remove(0)
        };
        let by_port = of(Some(":80"));
        assert_eq!(by_port.command.as_deref(), Some("sudo /opt/sockstat kill :80"));
        assert!(by_port.sentence.contains("nginx 811") && !by_port.sentence.contains("812"));
        assert_eq!(of(None).command.as_deref(), Some("sudo kill 811"));
    }

    #[test]
    fn a_program_is_ended_once_and_process_1_never() {
        let mut cures = Vec::new();
        let holders = |pid| Holders {
            owners: vec![Owner { pid, ..owner() }],
            ..Holders::default()
        };
        end_holders(&holders(812), Some(":80".to_owned()), &mut cures);
        end_holders(&holders(812), None, &mut cures);
        end_holders(&holders(1), None, &mut cures);
        end_holders(&Holders::default(), None, &mut cures);
        assert_eq!(cures.len(), 1);
        end_holders(&holders(813), None, &mut cures);
        assert_eq!(cures[1].command.as_deref(), Some("kill 813"));
    }

    #[test]
    fn names_are_quoted_and_unsafe_ones_get_no_command() {
        let of = |name: &str| {
            let owner = Owner {
                managed_unit: Some(name.into()),
                ..owner()
            };
            first(owner, Holders::default()).0
        };
        assert_eq!(
            of("a$(reboot).service").as_deref(),
            Some("systemctl stop 'a$(reboot).service'")
        );
        assert_eq!(
            of(r"a\x2db.service").as_deref(),
            Some(r"systemctl stop 'a\x2db.service'")
        );
        for name in [
            "a\nreboot.service",
            "a\u{202e}.service",
            "--force.service",
            "\x1b.service",
        ] {
            assert_eq!(of(name), None, "{name:?}");
        }
        let contained = Owner {
            container: Some("web;reboot".into()),
            ..owner()
        };
        let command = first(contained, Holders::default()).0;
        assert_eq!(command.as_deref(), Some("docker stop 'web;reboot'"));
    }

    #[test]
    fn units_and_containers_of_a_user_are_stopped_as_that_user() {
        let of_user = Owner {
            uid: Some(1000),
            user: Some("alice".into()),
            of_user_manager: true,
            ..owner()
        };
        let typed = |owner: &Owner, uid| {
            let holders = Holders {
                owners: vec![owner.clone()],
                ..Holders::default()
            };
            let mut cures = Vec::new();
            end_holders(&holders, None, &mut cures);
            typed_by(
                &mut cures,
                Reader {
                    uid,
                    program: "sockstat",
                    netns: None,
                },
            );
            cures.remove(0).command.unwrap_or_default()
        };
        let unit = Owner {
            managed_unit: Some("sshd.service".into()),
            ..of_user.clone()
        };
        assert_eq!(typed(&unit, 1000), "systemctl --user stop sshd.service");
        let machine = "systemctl --user --machine=alice@.host stop sshd.service";
        assert_eq!(typed(&unit, 0), machine);
        assert_eq!(typed(&unit, 1001), format!("sudo {machine}"));
        let container = Owner {
            container: Some("web-1".into()),
            container_tool: "podman",
            ..of_user
        };
        assert_eq!(typed(&container, 1000), "podman stop web-1");
        assert_eq!(typed(&container, 0), "sudo -u alice podman stop web-1");
        assert_eq!(typed(&container, 1001), "sudo -u alice podman stop web-1");
        let reader = |uid| Reader {
            uid,
            program: "sockstat",
            netns: None,
        };
        assert_eq!(unit_stopper(&unit, reader(0)).as_deref(), Some(machine));
        assert_eq!(
            container_stopper(&container, reader(1000)).unwrap(),
            "podman stop web-1"
        );
        let master = |place: Option<&str>, uid| {
            let place = place.map(str::to_owned);
            master_stopper(&unit, place, reader(uid)).unwrap()
        };
        assert_eq!(master(Some(":80"), 0), "sockstat kill :80");
        assert_eq!(master(None, 1000), format!("sudo kill {}", unit.pid));
    }
}
