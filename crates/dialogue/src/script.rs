//! The text of a dialogue, read. Apart, because it is played in memory here and over a wire by the binary.

use honeyplant_core::{conversation::Lane, settings::Period};
use std::{fmt, time::Duration};

/// A dialogue that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// The text of the profile that is spoken to, if the dialogue brings its own.
    pub profile: Option<String>,
    /// What happens, with the number of the line that says so.
    pub turns: Vec<(usize, Turn)>,
}

/// One thing that happens in a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A peer connects to the service of this name.
    Serve(String, Peer),
    /// From here on, this peer is spoken of again.
    Peer(Peer),
    /// The peer sends these bytes.
    Send(Vec<u8>),
    /// The device answers what fits this.
    Answer(Pattern),
    /// The device answers nothing.
    Silence,
    /// This is recorded.
    Event(String),
    /// Time passes.
    Pass(Duration),
    /// The device has hung up.
    End,
    /// The peer leaves.
    Leave,
    /// Something that has to do with an effect.
    Effect(Step),
}

/// The name of a peer; without any, it is the only one.
pub type Peer = String;

/// What is asked of the driver, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The device waits for the channel, and is told the port.
    Listen,
    /// The device opens the channel to this port.
    Dial(u16),
    /// The channel is open.
    Connect,
    /// The peer sends these bytes over the channel.
    Send(Vec<u8>),
    /// The device sent what fits this over the channel, and is told that it is on its way.
    Answer(Pattern),
    /// The peer sends nothing more over the channel.
    End,
    /// The device closed the channel with all sent.
    Closed,
    /// The device gave the channel up.
    Abandoned,
    /// The channel breaks, or does not come to be.
    Fail,
    /// TLS begins, and succeeds.
    Secure(Lane),
}

/// Bytes of which some may be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The bytes between gaps of any length; without a gap, there is one run.
    runs: Vec<Vec<Option<u8>>>,
}

impl Dialogue {
    /// Reads the text of a dialogue. The error names the line.
    pub fn parse(script: &str) -> Result<Self, String> {
        let mut dialogue = Self::default();
        for (index, line) in script.lines().enumerate() {
            let number = index + 1;
            let (mark, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            let turn = match mark {
                "" | "#" => continue,
                "|" => {
                    let profile = dialogue.profile.get_or_insert_default();
                    profile.push_str(rest);
                    profile.push('\n');
                    continue;
                }
                "serve" => {
                    let (name, peer) = rest.split_once(" as ").unwrap_or((rest, ""));
                    Turn::Serve(name.trim().to_owned(), peer.trim().to_owned())
                }
                "as" => Turn::Peer(rest.trim().to_owned()),
                ">" => Turn::Send(hex(rest).map_err(|why| format!("line {number}: {why}"))?),
                "<" => Turn::Answer(Pattern::parse(rest).map_err(|why| format!("line {number}: {why}"))?),
                "~" => Turn::Silence,
                "=" => Turn::Event(rest.to_owned()),
                "+" => {
                    let period = Period::try_from(rest.trim().to_owned());
                    Turn::Pass(period.map_err(|why| format!("line {number}: {why}"))?.0)
                }
                "!" if rest.trim() == "leave" => Turn::Leave,
                "!" => Turn::End,
                "@" => Turn::Effect(Step::parse(rest.trim()).map_err(|why| format!("line {number}: {why}"))?),
                "@>" => Turn::Effect(Step::Send(hex(rest).map_err(|why| format!("line {number}: {why}"))?)),
                "@<" => {
                    let pattern = Pattern::parse(rest).map_err(|why| format!("line {number}: {why}"))?;
                    Turn::Effect(Step::Answer(pattern))
                }
                other => {
                    let known = "# | serve as > < ~ = + ! @ @> @<";
                    return Err(format!("line {number}: `{other}` is no mark (there is: {known})"));
                }
            };
            if !matches!(turn, Turn::Serve(..)) && dialogue.turns.is_empty() {
                return Err(format!("line {number}: nothing is served yet"));
            }
            dialogue.turns.push((number, turn));
        }
        if dialogue.turns.is_empty() { Err("nothing is served".to_owned()) } else { Ok(dialogue) }
    }

    /// All that the peer sends, in one piece.
    pub fn sent(&self) -> Vec<u8> {
        let sends =
            self.turns.iter().filter_map(|(_, turn)| if let Turn::Send(bytes) = turn { Some(bytes) } else { None });
        sends.flatten().copied().collect()
    }
}

impl Step {
    fn parse(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (word, rest.trim()) {
            ("listen", "") => Ok(Self::Listen),
            ("dial", port) => port.parse().map(Self::Dial).map_err(|_| format!("`{port}` is no port")),
            ("connect", "") => Ok(Self::Connect),
            ("end", "") => Ok(Self::End),
            ("closed", "") => Ok(Self::Closed),
            ("abandoned", "") => Ok(Self::Abandoned),
            ("fail", "") => Ok(Self::Fail),
            ("secure", "") => Ok(Self::Secure(Lane::Line)),
            ("secure", "channel") => Ok(Self::Secure(Lane::Channel)),
            _ => {
                let known = "listen, dial PORT, connect, end, closed, abandoned, fail, secure, secure channel";
                Err(format!("`{text}` is no effect (there is: {known})"))
            }
        }
    }
}

impl Pattern {
    /// Reads hexadecimal digits, `..` for a byte and `...` for any number of them, and text in double quotes, with blanks
    /// anywhere between.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut runs, mut run, mut rest) = (Vec::new(), Vec::new(), text.trim_start());
        while let Some(first) = rest.chars().next() {
            if first == '"' {
                rest = quoted(rest, &mut run)?;
            } else if let Some(behind) = rest.strip_prefix("...").filter(|behind| !behind.starts_with('.')) {
                runs.push(std::mem::take(&mut run));
                rest = behind;
            } else {
                let mut pair = rest.chars().map(|c| if c == '.' { Some(None) } else { c.to_digit(16).map(Some) });
                run.push(match (pair.next(), pair.next()) {
                    (Some(Some(None)), Some(Some(None))) => None,
                    (Some(Some(Some(high))), Some(Some(Some(low)))) => u8::try_from(high * 16 + low).ok(),
                    (_, None) => return Err("a byte is written with two hexadecimal digits".to_owned()),
                    _ => {
                        let wrong: String = rest.chars().take(2).collect();
                        return Err(format!("`{wrong}` is no byte in hexadecimal digits"));
                    }
                });
                // Both were found to be ASCII.
                rest = rest.get(2..).unwrap_or_default();
            }
            rest = rest.trim_start();
        }
        runs.push(run);
        Ok(Self { runs })
    }

    /// How many bytes it fits at least.
    pub fn len(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    /// Whether it fits no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && !self.has_gap()
    }

    /// Whether it fits all that is answered, however much that is.
    pub const fn has_gap(&self) -> bool {
        self.runs.len() > 1
    }

    /// The difference between it and `bytes`, if there is one.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), String> {
        if self.fits(bytes) {
            return Ok(());
        }
        Err(format!("expected {self}\n     got {}", shown(bytes)))
    }

    /// Whether it fits exactly `bytes`.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        let alike = |run: &[Option<u8>], bytes: &[u8]| {
            run.len() == bytes.len() && run.iter().zip(bytes).all(|(want, byte)| want.is_none_or(|want| want == *byte))
        };
        let Some((first, later)) = self.runs.split_first() else { return bytes.is_empty() };
        let Some((last, middle)) = later.split_last() else { return alike(first, bytes) };
        let Some((begin, rest)) = bytes.split_at_checked(first.len()) else { return false };
        let Some((mut rest, end)) = rest.len().checked_sub(last.len()).and_then(|length| rest.split_at_checked(length))
        else {
            return false;
        };
        alike(first, begin)
            && alike(last, end)
            && middle.iter().all(|run| {
                let found = run.is_empty().then_some(0);
                let found = found.or_else(|| rest.windows(run.len().max(1)).position(|window| alike(run, window)));
                let behind = found.and_then(|at| rest.get(at + run.len()..));
                behind.map(|behind| rest = behind).is_some()
            })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, run) in self.runs.iter().enumerate() {
            if i > 0 {
                write!(f, " ... ")?;
            }
            match run.iter().copied().collect::<Option<Vec<u8>>>().filter(|run| is_text(run)) {
                Some(text) => write!(f, "{}", shown(&text))?,
                None => run.iter().try_for_each(|byte| match byte {
                    Some(byte) => write!(f, "{byte:02x}"),
                    None => write!(f, ".."),
                })?,
            }
        }
        Ok(())
    }
}

/// Bytes as a dialogue writes them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    if !bytes.is_empty() && is_text(bytes) {
        return format!("\"{}\"", bytes.escape_ascii());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_graphic() || b" \t\r\n".contains(byte))
}

/// Takes the quoted text off the front of `text`, and gives what is left.
fn quoted<'a>(text: &'a str, bytes: &mut Vec<Option<u8>>) -> Result<&'a str, String> {
    let mut chars = text.strip_prefix('"').unwrap_or(text).chars();
    while let Some(c) = chars.next() {
        let byte = match c {
            '"' => return Ok(chars.as_str()),
            '\\' => match chars.next() {
                Some('r') => b'\r',
                Some('n') => b'\n',
                Some('t') => b'\t',
                Some('x') => {
                    let digits = [chars.next(), chars.next()].map(|digit| digit.and_then(|digit| digit.to_digit(16)));
                    match digits {
                        [Some(high), Some(low)] => (high * 16 + low) as u8,
                        _ => return Err("after `\\x` come two hexadecimal digits".to_owned()),
                    }
                }
                Some(c @ ('\\' | '"')) => c as u8,
                other => return Err(format!("`\\{}` stands for nothing", other.unwrap_or(' '))),
            },
            c => {
                let mut utf8 = [0; 4];
                bytes.extend(c.encode_utf8(&mut utf8).bytes().map(Some));
                continue;
            }
        };
        bytes.push(Some(byte));
    }
    Err("the text does not end".to_owned())
}

/// The bytes that hexadecimal digits and quoted texts, with blanks anywhere between bytes, write.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let pattern = Pattern::parse(text)?;
    if pattern.has_gap() {
        return Err("what is sent cannot be any bytes".to_owned());
    }
    let bytes = pattern.runs.into_iter().flatten();
    bytes.map(|byte| byte.ok_or_else(|| "what is sent cannot be any byte".to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let text = "# why\n| [image]\n| memory = 2\nserve x\n> 01 0203\n< 0. \n";
        assert_eq!(Dialogue::parse(text).unwrap_err(), "line 6: `0.` is no byte in hexadecimal digits");
        let dialogue = Dialogue::parse(&text.replace("0.", "04..")).unwrap();
        assert_eq!(dialogue.profile.as_deref(), Some("[image]\nmemory = 2\n"));
        assert_eq!(dialogue.sent(), [1, 2, 3]);
        let (6, Turn::Answer(pattern)) = &dialogue.turns[2] else { panic!("{dialogue:?}") };
        assert!(pattern.fits(&[4, 9]) && !pattern.fits(&[4]) && !pattern.fits(&[5, 9]));
    }

    #[test]
    fn a_gap_fits_any_bytes() {
        let pattern = Pattern::parse("\"HTTP\" ... \"b\" .. ... 0a").unwrap();
        for (bytes, fits) in [
            (&b"HTTP abc\n"[..], true),
            (b"HTTPbb\n", true),
            (b"HTTPb\n", false),
            (b"HTTP/1.1 b", false),
            (b"HTT", false),
        ] {
            assert_eq!(pattern.fits(bytes), fits, "{bytes:?}");
        }
        assert_eq!(pattern.to_string(), "\"HTTP\" ... 62.. ... \"\\n\"");
        assert_eq!(hex("01 ...").unwrap_err(), "what is sent cannot be any bytes");
    }

    #[test]
    fn reads_text_among_digits() {
        let dialogue = Dialogue::parse("serve x as b\n> 00\"a \\\"\\r\\n\\xff\"01\n@ dial 7").unwrap();
        assert_eq!(dialogue.sent(), b"\0a \"\r\n\xff\x01");
        assert_eq!(dialogue.turns[0].1, Turn::Serve("x".into(), "b".into()));
        assert_eq!(dialogue.turns[2].1, Turn::Effect(Step::Dial(7)));
    }

    #[test]
    fn is_refused() {
        for (text, why) in [
            ("> 01", "line 1: nothing is served yet"),
            ("serve x\n? 1", "line 2: `?` is no mark (there is: # | serve as > < ~ = + ! @ @> @<)"),
            ("serve x\n> \"a", "line 2: the text does not end"),
            ("serve x\n> \"\\q\"", "line 2: `\\q` stands for nothing"),
            ("serve x\n@ dial up", "line 2: `up` is no port"),
            ("serve x\n> ..", "line 2: what is sent cannot be any byte"),
            ("# nothing", "nothing is served"),
        ] {
            assert_eq!(Dialogue::parse(text).unwrap_err(), why);
        }
        assert!(Dialogue::parse("serve x\n+ soon").unwrap_err().starts_with("line 2: "));
    }
}
