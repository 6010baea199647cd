//! Values as operators write them, brought into the types of SNMP. Apart, because the refusals of it are what operators read.

use super::settings::Syntax;
use crate::snmp::value::{Octets, Value};
use honeyplant_core::bytes::from_hex;
use std::net::Ipv4Addr;

/// The value that a number is.
pub(super) fn of_number(syntax: Syntax, number: i128) -> Result<Value, String> {
    let (least, most): (i128, i128) = match syntax {
        Syntax::Integer => (i32::MIN.into(), i32::MAX.into()),
        Syntax::Truth => (0, 1),
        Syntax::Counter | Syntax::Gauge | Syntax::Ticks => (0, u32::MAX.into()),
        Syntax::Counter64 => (0, u64::MAX.into()),
        Syntax::String => (i128::MIN, i128::MAX),
        Syntax::Octets | Syntax::Oid | Syntax::Address | Syntax::Opaque => {
            return Err("a number is no value of this type".to_owned());
        }
    };
    let inside = (least..=most).contains(&number);
    if inside { Ok(syntax.of_number(number)) } else { Err(format!("this is a number of {least} to {most}")) }
}

/// The value that octets are.
pub(super) fn of_octets(syntax: Syntax, octets: &[u8]) -> Result<Value, String> {
    match syntax {
        Syntax::Opaque => Ok(Value::Opaque(octets.to_vec())),
        Syntax::Octets | Syntax::String => Ok(Value::OctetString(Octets::from_slice(octets))),
        _ => Err("octets are no value of this type".to_owned()),
    }
}

/// The value that a text is.
pub(super) fn of_text(syntax: Syntax, text: &str) -> Result<Value, String> {
    match syntax {
        Syntax::String => Ok(Value::OctetString(Octets::from_slice(text.as_bytes()))),
        Syntax::Octets | Syntax::Opaque => of_octets(syntax, &hex(text)?),
        Syntax::Oid => text.parse().map(Value::ObjectId),
        Syntax::Address => address(text).map(|address| Value::IpAddress(address.octets())),
        _ => of_number(syntax, text.trim().parse().map_err(|_| format!("`{text}` is no whole number"))?),
    }
}

/// The octets that pairs of hexadecimal digits write, with blanks, `:` or `-` between them.
pub(super) fn hex(text: &str) -> Result<Vec<u8>, String> {
    from_hex(text, &[' ', ':', '-'])
        .ok_or_else(|| format!("`{text}` are no octets; write them as 00:80:F4 or as a list of numbers"))
}

/// The address that a text is.
pub(super) fn address(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|_| format!("`{text}` is no IPv4 address"))
}
