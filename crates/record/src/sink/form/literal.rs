//! Bytes and text as Python prints them. Apart, because Conpot's records have such literals inside of JSON, and those who
//! read them parse them.

use std::fmt::Write as _;

/// Bytes, such as `b'USER root\r\n'`.
pub(super) fn bytes(out: &mut String, bytes: &[u8]) {
    out.push('b');
    quoted(out, bytes, |_| false);
}

/// Text that came as these bytes of Latin-1, as those of HTTP's heads are read.
pub(super) fn text(out: &mut String, bytes: &[u8]) {
    // Python prints the letters and signs of Latin-1 as they are, but not its control characters, no-break space and soft
    // hyphen.
    quoted(out, bytes, |byte| byte > 0xA0 && byte != 0xAD);
}

/// Single quotes, unless there are some inside and no double ones.
fn quoted(out: &mut String, bytes: &[u8], is_printed: fn(u8) -> bool) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    out.push(quote.into());
    for &byte in bytes {
        match byte {
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            _ if byte == b'\\' || byte == quote => out.extend(['\\', byte.into()]),
            b' '..=b'~' => out.push(byte.into()),
            _ if is_printed(byte) => out.push(byte.into()),
            // Writing to a text does not fail.
            _ => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push(quote.into());
}

#[cfg(test)]
mod tests {
    fn bytes(of: &[u8]) -> String {
        let mut out = String::new();
        super::bytes(&mut out, of);
        out
    }

    fn text(of: &[u8]) -> String {
        let mut out = String::new();
        super::text(&mut out, of);
        out
    }

    #[test]
    fn literals_are_those_that_python_prints() {
        assert_eq!(bytes(b"FEAT\r\n"), r"b'FEAT\r\n'");
        assert_eq!(bytes(b"\x00\x7f\xff\\\t"), r"b'\x00\x7f\xff\\\t'");
        assert_eq!(bytes(b"it's"), "b\"it's\"");
        assert_eq!(bytes(b"'\""), r#"b'\'"'"#);
        assert_eq!(text(b"/\xe4\xa0\x85\xad"), r"'/ä\xa0\x85\xad'");
    }
}
