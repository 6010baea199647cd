//! The SNMP engine of one device, RFC 3411 §3.1.1: who it is, how long it runs, what it has counted. Apart, because
//! messages count and objects tell it.

use honeyplant_core::device::Device;
use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Instant,
};

/// The engine of one device.
#[derive(Debug)]
pub(super) struct Engine {
    /// snmpEngineID.
    pub(super) id: Vec<u8>,
    /// snmpEngineMaxMessageSize: the longest message that it takes and sends.
    pub(super) longest: usize,
    /// What it has counted since the device began to run.
    pub(super) counters: Counters,
    boots: AtomicU32,
}

impl Engine {
    /// The engine `id`, whose longest message has `longest` octets.
    pub(super) fn new(id: Vec<u8>, longest: usize) -> Self {
        Self { id, longest, counters: Counters::default(), boots: AtomicU32::new(0) }
    }

    /// snmpEngineBoots: how often the device was started in its life (RFC 3414 §2.2.2 ends it at 2147483647).
    pub(super) fn boots(&self, device: &Device) -> u32 {
        device.starts().min(i32::MAX as u32)
    }

    /// snmpEngineTime: the seconds since the last start.
    pub(super) fn time(&self, device: &Device, now: Instant) -> u32 {
        (device.moment(now).uptime.as_secs() % (1 << 31)) as u32
    }

    /// Counters begin at 0 again once the device was restarted.
    pub(super) fn follow(&self, device: &Device) {
        let boots = device.boots();
        if self.boots.swap(boots, Ordering::AcqRel) != boots {
            self.counters.clear();
        }
    }
}

/// A Counter32: it begins at 0 when the device does, and wraps.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU32);

impl Counter {
    /// Counts one.
    pub(super) fn count(&self) {
        self.add(1);
    }

    /// Counts `more`.
    pub(super) fn add(&self, more: u32) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// What it stands at.
    pub(super) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Declares counters, each with its standard name.
macro_rules! counters {
    ($($name:ident $standard:literal)*) => {
        /// What RFC 3418 (snmp), 3412 (snmpMPDStats), 3413 (snmpTargetObjects) and 3414 (usmStats) have counted; those of
        /// them that an agent without notifications leaves at 0 are not here.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(#[doc = concat!("`", $standard, "`")] pub(super) $name: Counter,)*
            /// `snmpEnableAuthenTraps`: whether it is enabled(1); it is disabled(2) otherwise.
            pub(super) authen_traps: AtomicBool,
        }

        impl Counters {
            fn clear(&self) {
                $(self.$name.clear();)*
            }
        }
    };
}

counters! {
    in_pkts "snmpInPkts"
    out_pkts "snmpOutPkts"
    in_bad_versions "snmpInBadVersions"
    in_bad_community_names "snmpInBadCommunityNames"
    in_bad_community_uses "snmpInBadCommunityUses"
    in_asn_parse_errs "snmpInASNParseErrs"
    in_too_bigs "snmpInTooBigs"
    in_no_such_names "snmpInNoSuchNames"
    in_bad_values "snmpInBadValues"
    in_read_onlys "snmpInReadOnlys"
    in_gen_errs "snmpInGenErrs"
    in_total_req_vars "snmpInTotalReqVars"
    in_total_set_vars "snmpInTotalSetVars"
    in_get_requests "snmpInGetRequests"
    in_get_nexts "snmpInGetNexts"
    in_set_requests "snmpInSetRequests"
    in_get_responses "snmpInGetResponses"
    in_traps "snmpInTraps"
    out_too_bigs "snmpOutTooBigs"
    out_no_such_names "snmpOutNoSuchNames"
    out_bad_values "snmpOutBadValues"
    out_gen_errs "snmpOutGenErrs"
    out_get_responses "snmpOutGetResponses"
    silent_drops "snmpSilentDrops"
    unknown_security_models "snmpUnknownSecurityModels"
    invalid_msgs "snmpInvalidMsgs"
    unknown_pdu_handlers "snmpUnknownPDUHandlers"
    unavailable_contexts "snmpUnavailableContexts"
    unknown_contexts "snmpUnknownContexts"
    unsupported_sec_levels "usmStatsUnsupportedSecLevels"
    not_in_time_windows "usmStatsNotInTimeWindows"
    unknown_user_names "usmStatsUnknownUserNames"
    unknown_engine_ids "usmStatsUnknownEngineIDs"
    wrong_digests "usmStatsWrongDigests"
    decryption_errors "usmStatsDecryptionErrors"
}
