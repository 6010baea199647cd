//! What the peers of a site may cost. Apart, because it is the network's and only the words are the site's.

use honeyplant_core::settings::{Period, Size};
use honeyplant_net::{Allowance, Limits};
use schemars::JsonSchema;
use serde::Deserialize;

/// The `[limits]` table: what peers may cost.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct LimitSettings {
    /// Sessions at once, over all devices. The one that was idle longest gives way.
    sessions: usize,
    /// Sessions at once from one source address.
    sessions_per_source: usize,
    /// After which silence a session ends.
    idle: Period,
    /// After which silence a session of datagrams ends.
    udp_idle: Period,
    /// How long a peer may leave its answers untaken.
    stuck: Period,
    /// How long a peer may take to send one message.
    message: Period,
    /// What is answered over UDP to sources that have not shown that they hear it, and may be forged.
    unproven: AllowanceSettings,
}

/// The `[limits.unproven]` table: whoever forges a source address must not get much sent there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct AllowanceSettings {
    /// Bytes for each byte asked with. An answer within it is always sent; the other settings are about what is beyond.
    factor: u32,
    /// Bytes each second to one source: an IPv4 address, or the 64-bit prefix of an IPv6 address.
    rate: Size,
    /// Bytes at once to one source.
    burst: Size,
    /// How many times as much all sources of one network get together: of 24 bits of an IPv4 address, or 48 of an IPv6
    /// address.
    network: u32,
    /// Bytes each second, and at once, to all sources together.
    total: Size,
    /// How many times as much those get who have shown that they hear what they are sent, apart from the others.
    proven: u32,
}

impl Default for AllowanceSettings {
    fn default() -> Self {
        let Allowance { factor, rate, burst, network, total, proven } = Allowance::default();
        Self { factor, rate: Size(rate), burst: Size(burst), network, total: Size(total), proven }
    }
}

impl From<AllowanceSettings> for Allowance {
    fn from(settings: AllowanceSettings) -> Self {
        let AllowanceSettings { factor, rate, burst, network, total, proven } = settings;
        Self { factor, rate: rate.0, burst: burst.0, network, total: total.0, proven }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            sessions: limits.sessions,
            sessions_per_source: limits.sessions_per_source,
            idle: Period(limits.idle),
            udp_idle: Period(limits.udp_idle),
            stuck: Period(limits.stuck),
            message: Period(limits.message),
            unproven: AllowanceSettings::default(),
        }
    }
}

impl From<LimitSettings> for Limits {
    fn from(settings: LimitSettings) -> Self {
        let LimitSettings { sessions, sessions_per_source, idle, udp_idle, stuck, message, unproven } = settings;
        Self {
            sessions,
            sessions_per_source,
            idle: idle.0,
            udp_idle: udp_idle.0,
            stuck: stuck.0,
            message: message.0,
            unproven: unproven.into(),
        }
    }
}
