//! The first exchange of S7comm-plus, which CPUs of the 1200 and 1500 family speak and those of the 300 do not. Its layout is
//! known from published analyses and Wireshark's dissector. Apart, because nothing of S7comm is in it.

use super::wire;
use honeyplant_core::{
    bytes::{Reader, Short},
    conversation::Context,
    event::{Kind, Login, Operation, Verdict},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What becomes of a PDU of S7comm-plus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Plus {
    /// It is not answered.
    #[default]
    Ignore,
    /// The connection is closed.
    Close,
}

/// Records a PDU of S7comm-plus; whether the connection is to be closed.
pub(super) fn take(pdu: &[u8], plus: Plus, cx: &mut Context<'_>) -> bool {
    match Header::parse(pdu) {
        Ok(header) => {
            let verdict = Verdict::Silent { reason: "the CPU does not speak S7comm-plus" };
            let operation = Operation { unit: None, ..wire::operation(header.name(), header.function, verdict) };
            let said = strings(header.body);
            cx.record(if said.is_empty() {
                Kind::Unsupported(operation)
            } else {
                // A client says which program on which computer of whom it is.
                Kind::Login(operation, Box::new(Login { user: Some(said.join(", ").into()), secret: None }))
            });
        }
        Err(Short) => cx.record(Kind::Malformed { why: "the PDU of S7comm-plus ends before its header does" }),
    }
    plus == Plus::Close
}

/// What stands before what a function needs: version 1 to 3, opcode 0x31 for a request, and the function.
struct Header<'a> {
    opcode: u8,
    function: u16,
    body: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(pdu: &'a [u8]) -> Result<Self, Short> {
        let mut r = Reader::new(pdu);
        let (_protocol, version, length) = (r.u8()?, r.u8()?, r.be16()?);
        let mut r = Reader::new(r.take(usize::from(length).min(r.left()))?);
        if version == 3 {
            // From version 3 on a digest stands before the rest, behind its own length.
            let digest = r.u8()?;
            r.take(digest.into())?;
        }
        let (opcode, _reserved, function) = (r.u8()?, r.be16()?, r.be16()?);
        let (_reserved, _sequence) = (r.be16()?, r.be16()?);
        Ok(Self { opcode, function, body: r.rest() })
    }

    const fn name(&self) -> &'static str {
        match (self.opcode, self.function) {
            (0x31, 0x04BB) => "S7comm-plus explore",
            (0x31, 0x04CA) => "S7comm-plus create object",
            (0x31, 0x04D4) => "S7comm-plus delete object",
            (0x31, 0x04F2) => "S7comm-plus set variable",
            (0x31, 0x0542) => "S7comm-plus set multiple variables",
            (0x31, 0x054C) => "S7comm-plus get multiple variables",
            (0x31, 0x0586) => "S7comm-plus get substreamed variable",
            (0x31, 0x05B3) => "S7comm-plus start TLS",
            (0x31, _) => "S7comm-plus request",
            _ => "S7comm-plus message",
        }
    }
}

/// The texts among the attributes: each is marked by the octets 0 and 0x15 (no flags, a text), its length in seven bits an
/// octet, and UTF-8.
fn strings(body: &[u8]) -> Vec<String> {
    const MOST: usize = 16;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = body.get(at..) {
        let Some([0x00, 0x15]) = rest.first_chunk() else {
            if rest.is_empty() || found.len() == MOST {
                break;
            }
            at += 1;
            continue;
        };
        at += 2;
        let mut r = Reader::new(rest.get(2..).unwrap_or_default());
        let text = length(&mut r).and_then(|length| r.take(length));
        if let Some(text) = text.ok().and_then(|text| std::str::from_utf8(text).ok()) {
            if !text.is_empty() && !text.chars().any(char::is_control) {
                found.push(text.to_owned());
            }
            at += text.len();
        }
    }
    found
}

fn length(r: &mut Reader<'_>) -> Result<usize, Short> {
    let first = r.u8()?;
    let low = if first & 0x80 == 0 { return Ok(first.into()) } else { r.u8()? };
    Ok(usize::from(first & 0x7F) << 7 | usize::from(low & 0x7F))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_among_attributes() {
        let body = b"\xA3\x81\x69\x00\x15\x05alpha\xA3\x82\x2B\x00\x15\x00\x00\x15\x04beta\x00\x15\x7Fcut";
        assert_eq!(strings(body), ["alpha", "beta"]);
    }
}
