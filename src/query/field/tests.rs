//! Checks the table of fields for consistency, and against kernel headers and replies of a kernel.

#[cfg(target_env = "gnu")]
use std::mem::offset_of;

use super::*;
use crate::model::details::{Details, kind};
use crate::model::{Endpoints, Protocol, Socket, State};
use crate::query::samples;

#[test]
fn names_are_unique_and_map_to_their_fields() {
    for (index, info) in FIELDS.iter().enumerate() {
        assert_eq!(info.field as usize, index, "{}", info.name);
        assert_eq!(Field::from_name(info.name), Some(info.field));
        assert_eq!(info.field.name(), info.name);
        let words = info.name.split('_').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        assert_eq!(words.collect::<String>(), format!("{:?}", info.field));
        assert!(
            info.name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        );
    }
}

#[test]
fn parts_follow_their_object_and_have_unique_keys() {
    for object in FIELDS {
        let parts = object.field.parts();
        assert_eq!(parts.is_empty(), object.kind != Kind::Object, "{}", object.name);
        let mut keys: Vec<_> = parts.iter().map(|part| part.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), parts.len(), "{}", object.name);
        for part in parts {
            assert_eq!(part.field.place().object, object.field);
            assert_eq!(part.cost, object.cost, "{}", part.name);
            assert!(part.name.ends_with(part.key), "{}", part.name);
        }
    }
    let parts: usize = FIELDS.iter().map(|info| info.field.parts().len()).sum();
    let named = FIELDS.iter().filter(|info| info.shown == Shown::IfNamed).count();
    assert_eq!(usual_fields().count() + named + parts, FIELDS.len());
}

#[test]
fn parts_of_one_structure_do_not_overlap() {
    for object in usual_fields() {
        let nested = matches!(
            object,
            Field::Tls | Field::Subflow | Field::XdpRings | Field::TipcGroup
        );
        for pair in object.parts().windows(2) {
            let [part, next] = [pair[0].field.place(), pair[1].field.place()];
            let length = if nested { 1 } else { part.width };
            let is_above = |high: Place, low: Place| high.shift >= low.shift + low.bits.max(1);
            // Bit-fields of C go up from the lowest bit, or down from the highest.
            let apart = next.offset >= part.offset + length
                || (next.offset == part.offset && (is_above(next, part) || is_above(part, next)));
            assert!(apart, "{object:?}: {} and {}", pair[0].name, pair[1].name);
        }
    }
}

#[test]
fn the_plain_form_has_the_columns_of_ss_in_its_order() {
    use Field::{
        LocalAddress, LocalPort, PeerAddress, PeerPort, Pid, Process, Protocol, RecvQ, SendQ, State,
    };
    let columns = [
        Protocol,
        State,
        RecvQ,
        SendQ,
        LocalAddress,
        LocalPort,
        PeerAddress,
        PeerPort,
    ];
    assert_eq!(plain_fields(false), columns);
    assert_eq!(plain_fields(true), [&columns[..], &[Process, Pid]].concat());
}

/// The offset and the width of each part in libc's `struct tcp_info`.
#[cfg(target_env = "gnu")]
macro_rules! members_in_libc {
    ($($field:ident $member:ident)*) => {
        [ $( (Field::$field, offset_of!(libc::tcp_info, $member), width_of(|info| info.$member)), )* ]
    };
}

/// The size of the member that `_member` reads.
#[cfg(target_env = "gnu")]
const fn width_of<T>(_member: fn(libc::tcp_info) -> T) -> usize {
    size_of::<T>()
}

#[cfg(target_env = "gnu")]
#[test]
fn parts_of_tcp_info_have_the_offsets_of_libc() {
    let members = members_in_libc!(
        CaState tcpi_ca_state TcpRetransmits tcpi_retransmits Probes tcpi_probes Backoff tcpi_backoff
        OptTimestamps tcpi_options OptSack tcpi_options OptWscale tcpi_options OptEcn tcpi_options
        OptEcnSeen tcpi_options OptSynData tcpi_options OptUsecTs tcpi_options OptTfoChild tcpi_options
        RtoUs tcpi_rto AtoUs tcpi_ato Mss tcpi_snd_mss RcvMssBytes tcpi_rcv_mss Unacked tcpi_unacked
        Sacked tcpi_sacked Lost tcpi_lost Retrans tcpi_retrans Fackets tcpi_fackets
        LastDataSentMs tcpi_last_data_sent LastAckSentMs tcpi_last_ack_sent LastDataRecvMs tcpi_last_data_recv
        LastAckRecvMs tcpi_last_ack_recv PmtuBytes tcpi_pmtu RcvSsthreshBytes tcpi_rcv_ssthresh RttUs tcpi_rtt
        RttvarUs tcpi_rttvar Ssthresh tcpi_snd_ssthresh Cwnd tcpi_snd_cwnd AdvmssBytes tcpi_advmss
        Reordering tcpi_reordering RcvRttUs tcpi_rcv_rtt RcvSpaceBytes tcpi_rcv_space
        TotalRetrans tcpi_total_retrans PacingRateBytesPerS tcpi_pacing_rate
        MaxPacingRateBytesPerS tcpi_max_pacing_rate BytesAcked tcpi_bytes_acked
        BytesReceived tcpi_bytes_received SegsOut tcpi_segs_out SegsIn tcpi_segs_in
        NotsentBytes tcpi_notsent_bytes MinRttUs tcpi_min_rtt DataSegsIn tcpi_data_segs_in
        DataSegsOut tcpi_data_segs_out DeliveryRateBytesPerS tcpi_delivery_rate BusyTimeUs tcpi_busy_time
        RwndLimitedUs tcpi_rwnd_limited SndbufLimitedUs tcpi_sndbuf_limited Delivered tcpi_delivered
        DeliveredCe tcpi_delivered_ce BytesSent tcpi_bytes_sent BytesRetrans tcpi_bytes_retrans
        DsackDups tcpi_dsack_dups ReordSeen tcpi_reord_seen RcvOoopack tcpi_rcv_ooopack
        SndWndBytes tcpi_snd_wnd RcvWndBytes tcpi_rcv_wnd Rehash tcpi_rehash TotalRto tcpi_total_rto
        TotalRtoRecoveries tcpi_total_rto_recoveries TotalRtoTimeMs tcpi_total_rto_time
        ReceivedCe tcpi_received_ce DeliveredE1Bytes tcpi_delivered_e1_bytes
        DeliveredE0Bytes tcpi_delivered_e0_bytes DeliveredCeBytes tcpi_delivered_ce_bytes
        ReceivedE1Bytes tcpi_received_e1_bytes ReceivedE0Bytes tcpi_received_e0_bytes
        ReceivedCeBytes tcpi_received_ce_bytes
    );
    for (field, offset, width) in members {
        let place = field.place();
        assert_eq!((place.offset, place.width), (offset, width), "{}", field.name());
    }
}

#[test]
fn a_part_beyond_the_end_of_the_structure_is_unknown() {
    let mut socket = Socket::BLANK;
    let bytes: Vec<u8> = (1..=255).chain(1..=45).collect();
    for length in 0..bytes.len() {
        socket.details.clear();
        socket.details.push(kind::INFO, &bytes[..length]);
        let structure = objects::tcp(&socket).unwrap();
        for part in Field::Tcp.parts() {
            let place = part.field.place();
            let is_there = place.offset + place.width <= length;
            let value = structure.value(part);
            assert_eq!(value.is_some(), is_there, "{} of {length}", part.name);
        }
    }
    socket.state = State::Listen;
    assert!(
        objects::tcp(&socket).is_none(),
        "nothing is measured for a listener"
    );
}

/// Attributes that the kernel sends for an extension bit, filled with bytes that make every number valid.
fn attributes(asked: Cost) -> Vec<(u16, Vec<u8>)> {
    let nest = |attributes: &[(u16, &[u8])]| {
        let mut nested = Details::default();
        for (kind, value) in attributes {
            nested.push(*kind, value);
        }
        nested.as_bytes().to_vec()
    };
    let tls = nest(&[
        (1, &0x304_u16.to_ne_bytes()),
        (2, &51_u16.to_ne_bytes()),
        (3, &1_u16.to_ne_bytes()),
        (4, &2_u16.to_ne_bytes()),
    ]);
    let subflow: Vec<(u16, &[u8])> = (1..=10).map(|kind| (kind, &[1; 8][..])).collect();
    let ulp = nest(&[(1, b"tls\0"), (2, &tls), (3, &nest(&subflow))]);
    let address = [&2_u16.to_ne_bytes()[..], &[1; 126]].concat();
    let all = [
        (Cost::MEMORY, kind::SKMEMINFO, vec![1; 36]),
        (Cost::INFO, kind::INFO, vec![1; 368]),
        (Cost::INFO, kind::ULP_INFO, ulp),
        (Cost::INFO, kind::LOCALS, address.clone()),
        (Cost::INFO, kind::PEERS, address),
        (Cost::CONGESTION, kind::CONG, b"cubic\0".to_vec()),
        (Cost::MEASURES, kind::VEGASINFO, vec![1; 16]),
        (Cost::MEASURES, kind::DCTCPINFO, vec![1; 16]),
        (Cost::MEASURES, kind::BBRINFO, vec![1; 20]),
        (Cost::TOS, kind::TOS, vec![1]),
        (Cost::CLASS, kind::TCLASS, vec![1]),
        (Cost::CLASS, kind::CLASS_ID, vec![1; 4]),
    ];
    let sent = all.into_iter().filter(|(cost, ..)| asked.has(*cost));
    sent.map(|(_, kind, value)| (kind, value)).collect()
}

/// The fields that cost an extension bit and are known for one of several sockets with the attributes sent for
/// `asked`.
fn known(asked: Cost) -> Vec<Field> {
    let mut known = Vec::new();
    for (protocol, is_association) in [
        (Protocol::Tcp, false),
        (Protocol::Mptcp, false),
        (Protocol::Udp, false),
        (Protocol::Dccp, false),
        (Protocol::Sctp, false),
        (Protocol::Sctp, true),
    ] {
        let mut socket = Socket {
            protocol,
            ..samples::tcp("10.0.0.1", 1, "10.0.0.2", 2, State::Established)
        };
        if is_association {
            socket.details.push(kind::SCTP_ASSOCIATION, &[3]);
        }
        for (kind, value) in attributes(asked) {
            assert!(Details::keeps(kind), "{kind}");
            socket.details.push(kind, &value);
        }
        samples::with_row(&socket, |row| {
            let fields = FIELDS.iter().map(|info| info.field);
            known.extend(fields.filter(|field| !matches!(field.value(row), Value::Null)));
        });
    }
    known.retain(|field| field.info().cost.parts().attributes() != 0);
    known.sort_unstable();
    known.dedup();
    known
}

#[test]
fn a_field_is_known_exactly_if_its_cost_was_requested() {
    assert_eq!(known(Cost::NOTHING), []);
    for asked in [
        Cost::MEMORY,
        Cost::INFO,
        Cost::CONGESTION,
        Cost::MEASURES,
        Cost::TOS,
        Cost::CLASS,
    ] {
        let costing = FIELDS.iter().filter(|info| info.cost.has(asked));
        let costing: Vec<_> = costing.map(|info| info.field).collect();
        assert_eq!(known(asked), costing, "{asked:?}");
    }
}

#[test]
fn whether_a_socket_takes_only_ipv6_is_unknown_for_one_that_has_no_ip_address() {
    let mut socket = samples::tcp("::", 80, "::", 0, State::Listen);
    let value = |socket: &Socket| samples::with_row(socket, |row| format!("{:?}", Field::V6only.value(row)));
    for only in [true, false] {
        if let Endpoints::Inet(pair) = &mut socket.endpoints {
            pair.v6only = Some(only);
        }
        assert_eq!(value(&socket), format!("{:?}", Value::Bool(only)));
    }
    socket.endpoints = Endpoints::ProtocolOnly("ALG".into());
    assert_eq!(value(&socket), format!("{:?}", Value::Null));
}

#[test]
fn a_raw_socket_has_a_protocol_and_no_port() {
    let mut socket = samples::tcp("10.0.0.1", 1, "10.0.0.2", 2, State::Established);
    socket.protocol = Protocol::Raw;
    samples::with_row(&socket, |row| {
        for port in [Field::LocalPort, Field::PeerPort] {
            assert!(matches!(port.value(row), Value::Null), "{port:?}");
        }
        assert!(matches!(Field::PeerAddress.value(row), Value::Address(_)));
    });
    socket.endpoints = Endpoints::ProtocolOnly("ALG".into());
    samples::with_row(&socket, |row| {
        assert!(matches!(Field::KernelProtocol.value(row), Value::Text(b"ALG")));
        assert!(matches!(Field::LocalAddress.value(row), Value::Null));
    });
}
