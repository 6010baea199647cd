//! What the agent tells of itself: the snmp group, and what RFC 3411 to 3414 add. Apart, because all of it is the engine's.

use super::{Tell, counter, mib_2, octets, put_scalars};
use crate::snmp::{
    mib::{
        View,
        source::{Register, Source},
        tree::{Object, Shelf},
    },
    oid::Oid,
    value::{Error, Value},
};
use std::sync::atomic::Ordering;

/// Makes the reader of one of the engine's counters.
macro_rules! counted {
    ($name:ident) => {
        |view| counter(view.at.engine.counters.$name.get().into())
    };
}

/// RFC 1213 §3.11; 7 and 23 are not used.
pub(super) fn put(shelf: &mut Shelf) {
    let group = mib_2(&[11]);
    let never: Tell = |_| counter(0);
    put_scalars(
        shelf,
        &group,
        &[
            (1, counted!(in_pkts)),
            (2, counted!(out_pkts)),
            (3, counted!(in_bad_versions)),
            (4, counted!(in_bad_community_names)),
            (5, counted!(in_bad_community_uses)),
            (6, counted!(in_asn_parse_errs)),
            (8, counted!(in_too_bigs)),
            (9, counted!(in_no_such_names)),
            (10, counted!(in_bad_values)),
            (11, counted!(in_read_onlys)),
            (12, counted!(in_gen_errs)),
            (13, counted!(in_total_req_vars)),
            (14, counted!(in_total_set_vars)),
            (15, counted!(in_get_requests)),
            (16, counted!(in_get_nexts)),
            (17, counted!(in_set_requests)),
            (18, counted!(in_get_responses)),
            (19, counted!(in_traps)),
            (20, counted!(out_too_bigs)),
            (21, counted!(out_no_such_names)),
            (22, counted!(out_bad_values)),
            (24, counted!(out_gen_errs)),
            (25, never),
            (26, never),
            (27, never),
            (28, counted!(out_get_responses)),
            (29, never),
        ],
    );
    shelf.insert(group.with(30), Object::scalar(Source::Register(&AUTHEN_TRAPS)));
}

/// RFC 3418 §2.
pub(super) fn put_v2(shelf: &mut Shelf) {
    put_scalars(shelf, &mib_2(&[11]), &[(31, counted!(silent_drops)), (32, |_| counter(0))]);
    shelf.insert(Oid::new(&[1, 3, 6, 1, 6, 3, 1, 1, 6, 1]), Object::scalar(Source::Register(&SERIAL)));
}

/// RFC 3411 §5, RFC 3412 §5, RFC 3413 §4.1 and RFC 3414 §5.
pub(super) fn put_v3(shelf: &mut Shelf) {
    let modules = Oid::new(&[1, 3, 6, 1, 6, 3]);
    put_scalars(
        shelf,
        &modules.clone().join(&[10, 2, 1]),
        &[
            (1, |view| octets(&view.at.engine.id)),
            (2, |view| Value::Integer(view.at.engine.boots(view.device()) as i32)),
            (3, |view| Value::Integer(view.at.engine.time(view.device(), view.at.now) as i32)),
            (4, |view| Value::Integer(view.at.engine.longest as i32)),
        ],
    );
    put_scalars(
        shelf,
        &modules.clone().join(&[11, 2, 1]),
        &[(1, counted!(unknown_security_models)), (2, counted!(invalid_msgs)), (3, counted!(unknown_pdu_handlers))],
    );
    put_scalars(
        shelf,
        &modules.clone().join(&[12, 1]),
        &[(4, counted!(unavailable_contexts)), (5, counted!(unknown_contexts))],
    );
    put_scalars(
        shelf,
        &modules.join(&[15, 1, 1]),
        &[
            (1, counted!(unsupported_sec_levels)),
            (2, counted!(not_in_time_windows)),
            (3, counted!(unknown_user_names)),
            (4, counted!(unknown_engine_ids)),
            (5, counted!(wrong_digests)),
            (6, counted!(decryption_errors)),
        ],
    );
}

const ENABLED: i32 = 1;
const DISABLED: i32 = 2;

/// snmpEnableAuthenTraps.
static AUTHEN_TRAPS: Register = Register {
    read: |view| {
        let enabled = view.at.engine.counters.authen_traps.load(Ordering::Relaxed);
        Value::Integer(if enabled { ENABLED } else { DISABLED })
    },
    check: |_, value| match value {
        Value::Integer(ENABLED | DISABLED) => Ok(()),
        Value::Integer(_) => Err(Error::WrongValue),
        _ => Err(Error::WrongType),
    },
    write: |view: &View<'_>, value| {
        view.at.engine.counters.authen_traps.store(*value == Value::Integer(ENABLED), Ordering::Relaxed);
    },
};

/// snmpSetSerialNo, a TestAndIncr (RFC 2579 §2): who sets it must know what it is, and it becomes one more.
static SERIAL: Register = Register {
    read: |view| Value::Integer((view.serial.load(Ordering::Relaxed) & LARGEST) as i32),
    check: |view, value| match value {
        Value::Integer(number) if *number as u32 == view.serial.load(Ordering::Relaxed) & LARGEST => Ok(()),
        Value::Integer(_) => Err(Error::InconsistentValue),
        _ => Err(Error::WrongType),
    },
    write: |view, _| {
        view.serial.fetch_add(1, Ordering::Relaxed);
    },
};

const LARGEST: u32 = i32::MAX as u32;
