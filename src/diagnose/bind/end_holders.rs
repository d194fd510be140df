//! How to end whoever holds a socket.

use crate::render::escape;

use super::cure::{Cure, Harm};
use super::holders::Holders;

/// Adds how to end whoever holds a socket. `place` is how `sockstat kill` addresses a socket that waits there; it does
/// not take connections.
pub(super) fn end_holders(holders: &Holders, place: Option<String>, cures: &mut Vec<Cure>) {
    if let Some(unit) = &holders.socket_unit {
        cures.push(Cure::command(
            format!("systemctl disable --now {unit}"),
            format!("{unit} asks systemd to listen there"),
            Harm::EndsProgram,
        ));
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
    let Some(owner) = holders.owners.first() else {
        return;
    };
    let program = escape::text(&owner.program);
    if let Some(container) = owner.container.as_ref() {
        cures.push(Cure::command(
            format!("{} stop {container}", owner.container_tool),
            format!("{program} belongs to the container {container}"),
            Harm::EndsProgram,
        ));
        return;
    }
    if owner.forwards_for_container {
        cures.push(Cure::command(
            format!("{} ps", owner.container_tool),
            format!(
                "shows the container that {program} forwards to; {} stop ends both",
                owner.container_tool
            ),
            Harm::None,
        ));
        return;
    }
    if let Some(unit) = owner
        .unit
        .as_ref()
        .filter(|unit| !unit.starts_with("session-") && !unit.starts_with("user@"))
    {
        cures.push(Cure::command(
            format!("systemctl stop {unit}"),
            format!("{program} runs in {unit}, which may start it again"),
            Harm::EndsProgram,
        ));
        return;
    }
    if owner.pid > 1 {
        let sentence = format!("TERM to {program} {}", owner.pid);
        if cures.iter().any(|cure| cure.sentence.starts_with(&sentence)) {
            return;
        }
        cures.push(match place {
            Some(place) => Cure::command(
                format!("sockstat kill {place}"),
                format!("{sentence}, then checks"),
                Harm::EndsProgram,
            ),
            None => Cure::command(format!("kill {}", owner.pid), sentence, Harm::EndsProgram),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::bind::owner::Owner;

    fn owner() -> Owner {
        Owner {
            pid: 812,
            program: b"nginx".to_vec(),
            container_tool: "docker",
            ..Owner::default()
        }
    }

    /// The first command against holders of which `owner` is the first.
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
    fn what_restarts_a_program_is_stopped_instead_of_it() {
        let none = Holders::default;
        let said = |text: &str, harm| (Some(text.to_owned()), harm);
        assert_eq!(
            first(owner(), none()),
            said("sockstat kill :80", Harm::EndsProgram)
        );
        let service = Owner {
            unit: Some("nginx.service".to_owned()),
            ..owner()
        };
        assert_eq!(
            first(service.clone(), none()),
            said("systemctl stop nginx.service", Harm::EndsProgram)
        );
        let session = Owner {
            unit: Some("session-2.scope".to_owned()),
            ..owner()
        };
        assert_eq!(
            first(session, none()),
            said("sockstat kill :80", Harm::EndsProgram)
        );
        let contained = Owner {
            container: Some("web-1".to_owned()),
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
            socket_unit: Some("web.socket".to_owned()),
            ..by_systemd()
        };
        assert_eq!(
            first(owner(), unit),
            said("systemctl disable --now web.socket", Harm::EndsProgram)
        );
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
}
