//! The text of a dialogue, read. Apart, because it is played in memory here and over a wire by the binary.

use honeyplant_core::settings::Period;
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
    Serve(String),
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
}

/// Bytes of which some may be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Option<u8>>);

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
                "serve" => Turn::Serve(rest.trim().to_owned()),
                ">" => Turn::Send(hex(rest).map_err(|why| format!("line {number}: {why}"))?),
                "<" => Turn::Answer(Pattern::parse(rest).map_err(|why| format!("line {number}: {why}"))?),
                "~" => Turn::Silence,
                "=" => Turn::Event(rest.to_owned()),
                "+" => {
                    let period = Period::try_from(rest.trim().to_owned());
                    Turn::Pass(period.map_err(|why| format!("line {number}: {why}"))?.0)
                }
                "!" => Turn::End,
                other => {
                    return Err(format!("line {number}: `{other}` is no mark (there is: # | serve > < ~ = + !)"));
                }
            };
            if !matches!(turn, Turn::Serve(_)) && dialogue.turns.is_empty() {
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

impl Pattern {
    /// Reads hexadecimal digits and `..`, with blanks anywhere between bytes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        let byte = |pair: &[char]| match pair {
            ['.', '.'] => Ok(None),
            [high, low] => match (high.to_digit(16), low.to_digit(16)) {
                (Some(high), Some(low)) => Ok(u8::try_from(high * 16 + low).ok()),
                _ => Err(format!("`{high}{low}` is no byte in hexadecimal digits")),
            },
            _ => Err("a byte is written with two hexadecimal digits".to_owned()),
        };
        digits.chunks(2).map(byte).collect::<Result<_, _>>().map(Self)
    }

    /// How many bytes it fits.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it fits no bytes at all.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it fits exactly `bytes`.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.len() && self.0.iter().zip(bytes).all(|(want, byte)| want.is_none_or(|want| want == *byte))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| match byte {
            Some(byte) => write!(f, "{byte:02x}"),
            None => write!(f, ".."),
        })
    }
}

/// The bytes that hexadecimal digits, with blanks anywhere between bytes, write.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let bytes = Pattern::parse(text)?.0.into_iter();
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
    fn is_refused() {
        for (text, why) in [
            ("> 01", "line 1: nothing is served yet"),
            ("serve x\n? 1", "line 2: `?` is no mark (there is: # | serve > < ~ = + !)"),
            ("serve x\n> ..", "line 2: what is sent cannot be any byte"),
            ("# nothing", "nothing is served"),
        ] {
            assert_eq!(Dialogue::parse(text).unwrap_err(), why);
        }
        assert!(Dialogue::parse("serve x\n+ soon").unwrap_err().starts_with("line 2: "));
    }
}
