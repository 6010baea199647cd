//! Command lines, their arguments, and replies. RFC 959 (1985) with RFC 1123 §4.1 (1989), RFC 2228 (1997), RFC 2389
//! (1998), RFC 2428 (1998), RFC 3659 (2007), RFC 4217 (2005), RFC 7151 (2014). Apart, because nothing here knows a device.

use honeyplant_core::calendar::Civil;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Telnet's "interpret as command" (RFC 854), which RFC 959 §4.1 has before ABOR, STAT and QUIT.
const IAC: u8 = 255;

/// What is at the front of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// No whole line yet.
    Nothing,
    /// A line, and how many bytes it took.
    Line { text: Vec<u8>, length: usize, refusals: Vec<u8> },
    /// A line that has not ended where it must.
    TooLong,
}

/// The first line of `input`, without its end and without what Telnet says in it (RFC 1123 §4.1.2.12). Options that it
/// asks for are refused.
pub(super) fn front(input: &[u8], longest: usize) -> Front {
    let unfinished = if input.len() >= longest { Front::TooLong } else { Front::Nothing };
    let (mut text, mut refusals) = (Vec::new(), Vec::new());
    let mut rest = input.iter().copied().take(longest).enumerate();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'\n' => {
                if text.last() == Some(&b'\r') {
                    text.pop();
                }
                // An urgent mark that the system took out of the stream leaves its neighbours at the front.
                let marks = text.iter().take_while(|byte| **byte >= 240).count();
                text.drain(..marks);
                return Front::Line { text, length: at + 1, refusals };
            }
            // A carriage return that is one is followed by a NUL (RFC 854).
            0 if text.last() == Some(&b'\r') => {}
            IAC => match rest.next() {
                None => return unfinished,
                Some((_, IAC)) => text.push(IAC),
                // WILL and WONT are answered with DONT, DO and DONT with WONT.
                Some((_, verb @ 251..=254)) => {
                    let Some((_, option)) = rest.next() else { return unfinished };
                    match verb {
                        251 => refusals.extend([IAC, 254, option]),
                        253 => refusals.extend([IAC, 252, option]),
                        _ => {}
                    }
                }
                Some((_, 250)) => {
                    let mut last = 0;
                    while last != IAC || rest.next().is_none_or(|(_, byte)| byte != 240) {
                        match rest.next() {
                            Some((_, byte)) => last = byte,
                            None => return unfinished,
                        }
                    }
                }
                Some(_) => {}
            },
            _ => text.push(byte),
        }
    }
    unfinished
}

/// A verb and what follows it.
pub(super) fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (verb, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    (verb, rest.strip_prefix(b" ").unwrap_or(rest))
}

macro_rules! verbs {
    ($($verb:ident $name:literal)*) => {
        /// The commands that are known by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Verb { $($verb,)* }

        impl Verb {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$verb,)*];

            /// The name in lower case.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$verb => $name,)* }
            }
        }
    };
}

verbs! {
    // RFC 959 §4.1, in its order.
    User "user" Pass "pass" Acct "acct" Cwd "cwd" Cdup "cdup" Smnt "smnt" Rein "rein" Quit "quit"
    Port "port" Pasv "pasv" Type "type" Stru "stru" Mode "mode"
    Retr "retr" Stor "stor" Stou "stou" Appe "appe" Allo "allo" Rest "rest" Rnfr "rnfr" Rnto "rnto" Abor "abor"
    Dele "dele" Rmd "rmd" Mkd "mkd" Pwd "pwd" List "list" Nlst "nlst" Site "site" Syst "syst" Stat "stat" Help "help"
    Noop "noop"
    // RFC 775, in the spelling that RFC 1123 §4.1.3.1 keeps alive.
    Xcwd "xcwd" Xcup "xcup" Xmkd "xmkd" Xrmd "xrmd" Xpwd "xpwd"
    // RFC 2228 §3
    Auth "auth" Adat "adat" Prot "prot" Pbsz "pbsz" Ccc "ccc" Mic "mic" Conf "conf" Enc "enc"
    // RFC 2389, RFC 2428, RFC 3659, RFC 7151
    Feat "feat" Opts "opts" Eprt "eprt" Epsv "epsv" Mdtm "mdtm" Size "size" Mlst "mlst" Mlsd "mlsd" Host "host"
    // draft-somers-ftp-mfxx, and what clients tell of themselves
    Mfmt "mfmt" Mfct "mfct" Clnt "clnt"
}

impl Verb {
    /// The verb that is written so, in any case (RFC 959 §5.3).
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|verb| verb.name().as_bytes().eq_ignore_ascii_case(text))
    }

    /// The command that it is another spelling of.
    pub(super) const fn plain(self) -> Self {
        match self {
            Self::Xcwd => Self::Cwd,
            Self::Xcup => Self::Cdup,
            Self::Xmkd => Self::Mkd,
            Self::Xrmd => Self::Rmd,
            Self::Xpwd => Self::Pwd,
            verb => verb,
        }
    }

    /// Whether it means nothing without an argument (RFC 959 §5.3.1).
    pub(super) const fn needs_argument(self) -> bool {
        matches!(
            self.plain(),
            Self::User
                | Self::Acct
                | Self::Cwd
                | Self::Smnt
                | Self::Port
                | Self::Type
                | Self::Stru
                | Self::Mode
                | Self::Retr
                | Self::Stor
                | Self::Appe
                | Self::Rest
                | Self::Rnfr
                | Self::Rnto
                | Self::Dele
                | Self::Rmd
                | Self::Mkd
                | Self::Auth
                | Self::Prot
                | Self::Pbsz
                | Self::Opts
                | Self::Eprt
                | Self::Mdtm
                | Self::Size
                | Self::Host
                | Self::Mfmt
                | Self::Mfct
        )
    }

    /// What follows it, as RFC 959 §5.3.1 writes it.
    pub(super) const fn syntax(self) -> &'static str {
        match self.plain() {
            Self::User => " <sp> username",
            Self::Pass => " [<sp> password]",
            Self::Acct => " <sp> account",
            Self::Cwd
            | Self::Retr
            | Self::Stor
            | Self::Appe
            | Self::Dele
            | Self::Rmd
            | Self::Mkd
            | Self::Rnfr
            | Self::Rnto
            | Self::Size
            | Self::Smnt => " <sp> pathname",
            Self::List | Self::Nlst | Self::Stat | Self::Mlst | Self::Mlsd | Self::Stou => " [<sp> pathname]",
            Self::Port => " <sp> h1,h2,h3,h4,p1,p2",
            Self::Eprt => " <sp> |proto|addr|port|",
            Self::Epsv => " [<sp> protocol|ALL]",
            Self::Type => " <sp> [ A | I | L 8 ]",
            Self::Mode => " <sp> [ S | B | C ]",
            Self::Stru => " <sp> [ F | R | P ]",
            Self::Allo | Self::Rest => " <sp> number",
            Self::Mdtm => " <sp> [YYYYMMDDHHMMSS <sp>] pathname",
            Self::Mfmt => " <sp> YYYYMMDDHHMMSS <sp> pathname",
            Self::Site | Self::Help => " [<sp> command]",
            Self::Opts => " <sp> command [<sp> options]",
            Self::Auth => " <sp> mechanism",
            Self::Prot => " <sp> [ C | P ]",
            Self::Pbsz => " <sp> size",
            Self::Host => " <sp> hostname",
            _ => "",
        }
    }

    /// Whether it is for those who have not logged in, too.
    pub(super) const fn is_for_all(self) -> bool {
        matches!(
            self,
            Self::User
                | Self::Pass
                | Self::Quit
                | Self::Rein
                | Self::Acct
                | Self::Auth
                | Self::Adat
                | Self::Prot
                | Self::Pbsz
                | Self::Ccc
                | Self::Mic
                | Self::Conf
                | Self::Enc
                | Self::Feat
                | Self::Host
                | Self::Clnt
        )
    }
}

/// How the bytes of a file are represented (RFC 959 §3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Text; its lines end with CR LF on the way.
    Ascii,
    /// Octets as they are; local bytes of eight bits are the same.
    Image,
}

impl Type {
    /// The argument of TYPE; nothing for those that no server here represents: EBCDIC, other local bytes, and formats
    /// with carriage control.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        match text.trim_ascii().to_ascii_uppercase().as_slice() {
            b"A" | b"A N" | b"AN" | b"L 7" | b"L7" => Some(Self::Ascii),
            b"I" | b"L 8" | b"L8" => Some(Self::Image),
            _ => None,
        }
    }

    /// The word that servers have for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ascii => "ASCII",
            Self::Image => "BINARY",
        }
    }

    /// Its letter.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::Ascii => "A",
            Self::Image => "I",
        }
    }
}

/// The argument of PORT: six numbers (RFC 959 §5.3.2).
pub(super) fn host_port(text: &[u8]) -> Option<SocketAddr> {
    let text = str::from_utf8(text.trim_ascii()).ok()?;
    let mut numbers = text.split(',').map(|number| number.trim().parse::<u8>().ok());
    let mut next = || numbers.next().flatten();
    let host = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    let port = u16::from_be_bytes([next()?, next()?]);
    numbers.next().is_none().then_some(SocketAddr::from((host, port)))
}

/// Why the argument of EPRT is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not written as RFC 2428 §2 has it.
    Syntax,
    /// It names a protocol that is neither IPv4 nor IPv6.
    Protocol,
}

/// The argument of EPRT: a protocol, an address and a port between delimiters (RFC 2428 §2).
pub(super) fn extended_port(text: &[u8]) -> Result<SocketAddr, Wrong> {
    let text = str::from_utf8(text.trim_ascii()).map_err(|_| Wrong::Syntax)?;
    let delimiter = text.chars().next().filter(|c| (33..=126).contains(&u32::from(*c))).ok_or(Wrong::Syntax)?;
    let mut fields = text.split(delimiter).skip(1);
    let mut next = || fields.next().ok_or(Wrong::Syntax);
    let (protocol, host, port, rest) = (next()?, next()?, next()?, next()?);
    if !rest.is_empty() || fields.next().is_some() {
        return Err(Wrong::Syntax);
    }
    let port: u16 = port.parse().map_err(|_| Wrong::Syntax)?;
    let host: IpAddr = match protocol {
        "1" => host.parse().map(IpAddr::V4).map_err(|_| Wrong::Syntax)?,
        "2" => host.parse().map(IpAddr::V6).map_err(|_| Wrong::Syntax)?,
        _ if protocol.parse::<u16>().is_ok() => return Err(Wrong::Protocol),
        _ => return Err(Wrong::Syntax),
    };
    Ok((host, port).into())
}

/// A decimal number of at most nineteen digits, as REST and ALLO have it.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let digits = !text.is_empty() && text.len() < 20 && text.iter().all(u8::is_ascii_digit);
    digits.then(|| str::from_utf8(text).ok()?.parse().ok()).flatten()
}

/// A time after 1970 began, written as `YYYYMMDDHHMMSS` (RFC 3659 §2.3). A fraction is not kept.
pub(super) fn time(text: &str) -> Option<Duration> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() != 14 || !digits.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let field = |from: usize, to: usize| digits.get(from..to)?.parse().ok();
    let (year, month, day) = (field(0, 4)?, field(4, 6)?, field(6, 8)?);
    Civil { year, month, day, hour: field(8, 10)?, minute: field(10, 12)?, second: field(12, 14)? }.since_1970()
}

/// Appends a reply (RFC 959 §4.2). The lines of `text` end with LF; of those between the first and the last, one that
/// begins with a blank or a tab goes as it is, one that begins with `|` goes without that, and others get the code.
pub(super) fn reply(out: &mut Vec<u8>, code: u16, text: &[u8]) {
    let mut lines = text.split(|byte| *byte == b'\n').peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), lines.peek()) {
            (_, None) => out.extend(format!("{code} ").bytes()),
            (Some(b' ' | b'\t' | b'|'), Some(_)) if !first => {}
            _ => out.extend(format!("{code}-").bytes()),
        }
        let line = if first { line } else { line.strip_prefix(b"|").unwrap_or(line) };
        out.extend(line.iter().copied().filter(|byte| *byte != b'\r'));
        out.extend(b"\r\n");
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(input: &[u8]) -> (Vec<u8>, Vec<u8>) {
        match front(input, 64) {
            Front::Line { text, length, refusals } if length == input.len() => (text, refusals),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_lose_their_ends_and_what_telnet_says_in_them() {
        assert_eq!(line(b"NOOP\r\n").0, b"NOOP");
        assert_eq!(line(b"NOOP\n").0, b"NOOP");
        assert_eq!(line(b"DELE a\r\0b\xff\xffc\r\n").0, b"DELE a\rb\xffc");
        assert_eq!(line(b"\xff\xf4\xff\xf2ABOR\r\n").0, b"ABOR");
        assert_eq!(line(b"\xff\xf4\xf2ABOR\r\n").0, b"ABOR", "the system took the urgent byte");
        assert_eq!(line(b"\xff\xfb\x0a\xff\xfd\x01NOOP\r\n"), (b"NOOP".to_vec(), b"\xff\xfe\x0a\xff\xfc\x01".to_vec()));
        assert_eq!(line(b"\xff\xfa\x18\x00\n\xff\xf0SYST\r\n").0, b"SYST");
        assert_eq!(front(b"NOOP\r", 64), Front::Nothing);
        assert_eq!(front(b"\xff\xfa\x18", 64), Front::Nothing);
        assert_eq!(front(&[b'A'; 64], 64), Front::TooLong);
    }

    #[test]
    fn ports_are_read_or_refused() {
        assert_eq!(host_port(b"192,0,2,7,156,71"), Some(([192, 0, 2, 7], 40_007).into()));
        for wrong in [b"192,0,2,7,156".as_slice(), b"192,0,2,7,156,71,1", b"256,0,2,7,156,71", b"a", b""] {
            assert_eq!(host_port(wrong), None);
        }
        assert_eq!(extended_port(b"|1|192.0.2.7|40007|"), Ok(([192, 0, 2, 7], 40_007).into()));
        assert_eq!(extended_port(b"!2!2001:db8::7!21!").map(|at| at.to_string()), Ok("[2001:db8::7]:21".into()));
        assert_eq!(extended_port(b"|3|x|21|"), Err(Wrong::Protocol));
        for wrong in [b"|1|192.0.2.7|70000|".as_slice(), b"|1|192.0.2.7|21", b"|2|192.0.2.7|21|", b"", b" |"] {
            assert_eq!(extended_port(wrong), Err(Wrong::Syntax));
        }
        assert_eq!((number(b" 17 "), number(b"-1"), number(b"18446744073709551616")), (Some(17), None, None));
    }

    #[test]
    fn times_are_read_or_refused() {
        assert_eq!(time("20250310080000.25"), Some(Duration::from_secs(1_741_593_600)));
        for wrong in ["20250229000000", "20250101240000", "2025010100000", "2025010100000x", "19691231235959", ""] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn replies_of_several_lines_begin_and_end_with_their_code() {
        let mut out = Vec::new();
        reply(&mut out, 211, b"Features:\n PASV\n|raw\nmore\nEnd");
        assert_eq!(out, b"211-Features:\r\n PASV\r\nraw\r\n211-more\r\n211 End\r\n");
    }
}
