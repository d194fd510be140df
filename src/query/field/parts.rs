//! The fields that are parts of an object: `rtt_us` of `tcp`, `rcvbuf` of `memory`.
//!
//! What they mean is in the tables of [`crate::model::details`]; here they get their place in the registry. An
//! object is one key of JSON by default; each part can be named alone wherever a field can.

use super::{Field, FieldInfo, Kind};
use crate::model::Protocol;
use crate::model::Socket;
use crate::model::details::congestion::{BBR, DCTCP, VEGAS};
use crate::model::details::layout::{Form, Part, Struct};
use crate::model::details::link::{FANOUT, PACKET, RX_RING, TX_RING, XDP_RINGS, XDP_STATS, XDP_UMEM};
use crate::model::details::memory::MEMORY;
use crate::model::details::mptcp::MPTCP_INFO;
use crate::model::details::sctp::{SCTP_INFO, SCTP_SETTINGS};
use crate::model::details::tcp_info::TCP_INFO;
use crate::model::details::ulp::{SUBFLOW, TLS};

/// The objects and their tables.
const OBJECTS: [(Field, &[Part]); 17] = [
    (Field::Memory, &MEMORY),
    (Field::Tcp, &TCP_INFO),
    (Field::Vegas, &VEGAS),
    (Field::Dctcp, &DCTCP),
    (Field::Bbr, &BBR),
    (Field::Tls, &TLS),
    (Field::Subflow, &SUBFLOW),
    (Field::Mptcp, &MPTCP_INFO),
    (Field::Sctp, &SCTP_INFO),
    (Field::SctpSettings, &SCTP_SETTINGS),
    (Field::Packet, &PACKET),
    (Field::RxRing, &RX_RING),
    (Field::TxRing, &TX_RING),
    (Field::Fanout, &FANOUT),
    (Field::XdpRings, &XDP_RINGS),
    (Field::XdpUmem, &XDP_UMEM),
    (Field::XdpStats, &XDP_STATS),
];

/// The fields of all parts, in the order of the tables.
const ORDER: [Field; 228] = [
    Field::RmemAlloc,
    Field::Rcvbuf,
    Field::WmemAlloc,
    Field::Sndbuf,
    Field::FwdAlloc,
    Field::WmemQueued,
    Field::Optmem,
    Field::MemoryBacklog,
    Field::MemoryDrops,
    Field::CaState,
    Field::TcpRetransmits,
    Field::Probes,
    Field::Backoff,
    Field::OptTimestamps,
    Field::OptSack,
    Field::OptWscale,
    Field::OptEcn,
    Field::OptEcnSeen,
    Field::OptSynData,
    Field::OptUsecTs,
    Field::OptTfoChild,
    Field::SndWscale,
    Field::RcvWscale,
    Field::DeliveryRateAppLimited,
    Field::FastopenClientFail,
    Field::RtoUs,
    Field::AtoUs,
    Field::Mss,
    Field::RcvMssBytes,
    Field::Unacked,
    Field::Sacked,
    Field::Lost,
    Field::Retrans,
    Field::Fackets,
    Field::LastDataSentMs,
    Field::LastAckSentMs,
    Field::LastDataRecvMs,
    Field::LastAckRecvMs,
    Field::PmtuBytes,
    Field::RcvSsthreshBytes,
    Field::RttUs,
    Field::RttvarUs,
    Field::Ssthresh,
    Field::Cwnd,
    Field::AdvmssBytes,
    Field::Reordering,
    Field::RcvRttUs,
    Field::RcvSpaceBytes,
    Field::TotalRetrans,
    Field::PacingRateBytesPerS,
    Field::MaxPacingRateBytesPerS,
    Field::BytesAcked,
    Field::BytesReceived,
    Field::SegsOut,
    Field::SegsIn,
    Field::NotsentBytes,
    Field::MinRttUs,
    Field::DataSegsIn,
    Field::DataSegsOut,
    Field::DeliveryRateBytesPerS,
    Field::BusyTimeUs,
    Field::RwndLimitedUs,
    Field::SndbufLimitedUs,
    Field::Delivered,
    Field::DeliveredCe,
    Field::BytesSent,
    Field::BytesRetrans,
    Field::DsackDups,
    Field::ReordSeen,
    Field::RcvOoopack,
    Field::SndWndBytes,
    Field::RcvWndBytes,
    Field::Rehash,
    Field::TotalRto,
    Field::TotalRtoRecoveries,
    Field::TotalRtoTimeMs,
    Field::ReceivedCe,
    Field::DeliveredE1Bytes,
    Field::DeliveredE0Bytes,
    Field::DeliveredCeBytes,
    Field::ReceivedE1Bytes,
    Field::ReceivedE0Bytes,
    Field::ReceivedCeBytes,
    Field::VegasEnabled,
    Field::VegasRttcnt,
    Field::VegasRttUs,
    Field::VegasMinrttUs,
    Field::DctcpEnabled,
    Field::DctcpCeState,
    Field::DctcpAlpha,
    Field::DctcpAbEcn,
    Field::DctcpAbTot,
    Field::BbrBwBytesPerS,
    Field::BbrMinRttUs,
    Field::BbrPacingGain,
    Field::BbrCwndGain,
    Field::TlsVersion,
    Field::TlsCipher,
    Field::TlsTxconf,
    Field::TlsRxconf,
    Field::TlsZcRoTx,
    Field::TlsRxNoPad,
    Field::SubflowTokenRem,
    Field::SubflowTokenLoc,
    Field::SubflowRelwriteSeq,
    Field::SubflowMapSeq,
    Field::SubflowMapSfseq,
    Field::SubflowSsnOffset,
    Field::SubflowMapDatalen,
    Field::SubflowFlags,
    Field::SubflowIdRem,
    Field::SubflowIdLoc,
    Field::MptcpSubflows,
    Field::MptcpAddAddrSignal,
    Field::MptcpAddAddrAccepted,
    Field::MptcpSubflowsMax,
    Field::MptcpAddAddrSignalMax,
    Field::MptcpAddAddrAcceptedMax,
    Field::MptcpFallback,
    Field::MptcpRemoteKey,
    Field::MptcpToken,
    Field::MptcpWriteSeq,
    Field::MptcpSndUna,
    Field::MptcpRcvNxt,
    Field::MptcpLocalAddrUsed,
    Field::MptcpLocalAddrMax,
    Field::MptcpCsumEnabled,
    Field::MptcpRetransmits,
    Field::MptcpBytesRetrans,
    Field::MptcpBytesSent,
    Field::MptcpBytesReceived,
    Field::MptcpBytesAcked,
    Field::MptcpSubflowsTotal,
    Field::MptcpEndpLaminarMax,
    Field::MptcpEndpFullmeshMax,
    Field::MptcpLastDataSentMs,
    Field::MptcpLastDataRecvMs,
    Field::MptcpLastAckRecvMs,
    Field::SctpTag,
    Field::SctpState,
    Field::SctpRwndBytes,
    Field::SctpUnackdata,
    Field::SctpPenddata,
    Field::SctpInstrms,
    Field::SctpOutstrms,
    Field::SctpInqueue,
    Field::SctpOutqueue,
    Field::SctpOverallError,
    Field::SctpMaxBurst,
    Field::SctpMaxsegBytes,
    Field::SctpPeerRwndBytes,
    Field::SctpPeerTag,
    Field::SctpPeerCapable,
    Field::SctpPeerSack,
    Field::SctpIsacks,
    Field::SctpOsacks,
    Field::SctpOpackets,
    Field::SctpIpackets,
    Field::SctpRtxchunks,
    Field::SctpOutofseqtsns,
    Field::SctpIdupchunks,
    Field::SctpGapcnt,
    Field::SctpOuodchunks,
    Field::SctpIuodchunks,
    Field::SctpOodchunks,
    Field::SctpIodchunks,
    Field::SctpOctrlchunks,
    Field::SctpIctrlchunks,
    Field::SctpPrimaryState,
    Field::SctpPrimaryCwndBytes,
    Field::SctpPrimarySrttTicks,
    Field::SctpPrimaryRtoMs,
    Field::SctpPrimaryHbintervalTicks,
    Field::SctpPrimaryPathmaxrxt,
    Field::SctpPrimarySackdelayMs,
    Field::SctpPrimarySsthreshBytes,
    Field::SctpPrimaryPartialAckedBytes,
    Field::SctpPrimaryFlightBytes,
    Field::SctpPrimaryErrors,
    Field::SctpAutocloseS,
    Field::SctpAdaptationInd,
    Field::SctpPdPointBytes,
    Field::SctpNodelay,
    Field::SctpDisableFragments,
    Field::SctpV4mapped,
    Field::SctpFragInterleave,
    Field::SctpType,
    Field::PacketVersion,
    Field::PacketCopyThresh,
    Field::PacketTstamp,
    Field::PacketRunning,
    Field::PacketAuxdata,
    Field::PacketOrigdev,
    Field::PacketVnethdr,
    Field::PacketLoss,
    Field::RxRingBlockSize,
    Field::RxRingBlockNr,
    Field::RxRingFrameSize,
    Field::RxRingFrameNr,
    Field::RxRingRetireMs,
    Field::RxRingFeatures,
    Field::TxRingBlockSize,
    Field::TxRingBlockNr,
    Field::TxRingFrameSize,
    Field::TxRingFrameNr,
    Field::TxRingRetireMs,
    Field::TxRingFeatures,
    Field::FanoutId,
    Field::FanoutType,
    Field::XdpRxEntries,
    Field::XdpTxEntries,
    Field::XdpFillEntries,
    Field::XdpCompletionEntries,
    Field::UmemSize,
    Field::UmemId,
    Field::UmemNumPages,
    Field::UmemChunkSize,
    Field::UmemHeadroom,
    Field::UmemIfindex,
    Field::UmemQueueId,
    Field::UmemZeroCopy,
    Field::UmemRefs,
    Field::XdpRxDropped,
    Field::XdpRxInvalid,
    Field::XdpRxFull,
    Field::XdpFillRingEmpty,
    Field::XdpTxInvalid,
    Field::XdpTxRingEmpty,
];

/// How many parts there are.
pub(super) const COUNT: usize = ORDER.len();

/// The entries of all parts, of which there are `LENGTH`.
pub(super) const fn entries<const LENGTH: usize>() -> [FieldInfo; LENGTH] {
    let mut entries = [entry(ORDER[0], OBJECTS[0].0, &OBJECTS[0].1[0]); LENGTH];
    let (mut object, mut part, mut index) = (0, 0, 0);
    while index < LENGTH {
        let (parent, parts) = OBJECTS[object];
        entries[index] = entry(ORDER[index], parent, &parts[part]);
        index += 1;
        part += 1;
        if part == parts.len() {
            object += 1;
            part = 0;
        }
    }
    entries
}

const fn entry(field: Field, parent: Field, part: &'static Part) -> FieldInfo {
    FieldInfo {
        field,
        name: part.name,
        kind: match part.form {
            Form::Number => Kind::Integer,
            Form::Hex => Kind::Hex,
            Form::Flag => Kind::Boolean,
            Form::Word(_) => Kind::Word,
        },
        unit: part.unit,
        of_owner: false,
        meaning: part.meaning,
        part: Some((parent, part)),
    }
}

impl Field {
    /// What an object consists of; nothing for other fields.
    pub fn parts(self) -> &'static [Part] {
        let object = OBJECTS.iter().find(|(object, _)| *object == self);
        object.map_or(&[], |(_, parts)| parts)
    }

    /// The structure behind an object, if the socket has it.
    pub(super) fn structure(self, socket: &Socket) -> Option<Struct<'_>> {
        let details = &socket.details;
        match self {
            Self::Memory => details.memory(),
            // A listener's has no measurements: only its queue, which is in accept_q and backlog, and zeros.
            Self::Tcp if socket.protocol == Protocol::Tcp && !socket.is_listener() => details.tcp_info(),
            Self::Mptcp if socket.protocol == Protocol::Mptcp && !socket.is_listener() => {
                details.mptcp_info()
            }
            Self::Sctp => details.sctp_info(),
            Self::SctpSettings if socket.protocol == Protocol::Sctp => details.sctp_settings(),
            Self::Packet => details.packet(),
            Self::RxRing => details.rx_ring(),
            Self::TxRing => details.tx_ring(),
            Self::Fanout => details.fanout(),
            Self::XdpRings => details.xdp_rings(),
            Self::XdpUmem => details.xdp_umem(),
            Self::XdpStats => details.xdp_stats(),
            Self::Vegas => details.vegas(),
            Self::Dctcp => details.dctcp(),
            Self::Bbr => details.bbr(),
            Self::Tls => details.ulp()?.tls,
            Self::Subflow => details.ulp()?.subflow,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;
    use crate::model::details::kind;

    #[test]
    fn each_part_has_the_field_of_its_name() {
        assert_eq!(
            OBJECTS.iter().map(|(_, parts)| parts.len()).sum::<usize>(),
            ORDER.len()
        );
        for info in entries::<COUNT>() {
            let words = info.name.split('_').map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            });
            assert_eq!(words.collect::<String>(), format!("{:?}", info.field));
        }
    }

    #[test]
    fn a_part_is_unknown_where_the_structure_ends_before_it() {
        let mut socket = Socket::BLANK;
        let bytes: Vec<u8> = (1..=255).chain(1..=45).collect();
        for length in 0..bytes.len() {
            socket.details.clear();
            socket.details.push(kind::INFO, &bytes[..length]);
            let structure = Field::Tcp.structure(&socket).unwrap();
            for part in &TCP_INFO {
                let there = part.offset + part.width <= length;
                assert_eq!(
                    structure.value(part).is_some(),
                    there,
                    "{} of {length}",
                    part.name
                );
            }
        }
        socket.state = State::Listen;
        assert!(
            Field::Tcp.structure(&socket).is_none(),
            "a listener measures nothing"
        );
    }

    #[test]
    fn parts_of_one_structure_do_not_overlap() {
        for (object, parts) in OBJECTS {
            let nested = matches!(object, Field::Tls | Field::Subflow | Field::XdpRings);
            for pair in parts.windows(2) {
                let [part, next] = pair else { continue };
                let length = if nested { 1 } else { part.width };
                let apart = next.offset >= part.offset + length
                    || (next.offset == part.offset && next.shift >= part.shift + part.bits.max(1));
                assert!(apart, "{object:?}: {} and {}", part.name, next.name);
            }
        }
    }
}
