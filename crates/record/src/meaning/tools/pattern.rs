//! Patterns of bytes and of text: each is runs of masked bytes with anything between. Apart, because they are all that a
//! rule may say of content; they need no more time than the subject is long, whatever an actor sends and an operator writes.

/// How much of a subject is looked at.
pub(super) const LOOK: usize = 2048;

/// Runs of bytes in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The first begins where the subject does.
    runs: Vec<Vec<Masked>>,
    /// Whether anything may follow the last.
    open: bool,
}

/// A byte of which some bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Masked {
    value: u8,
    mask: u8,
}

const ANY: Masked = Masked { value: 0, mask: 0 };

/// Whether `a` and `A` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Told,
    Ignored,
}

impl Pattern {
    /// Reads a text in which `*` is anything and `?` is any one byte.
    pub(super) fn text(text: &str, case: Case) -> Result<Self, String> {
        let mut pattern = Self { runs: vec![Vec::new()], open: false };
        for byte in text.bytes() {
            match byte {
                b'*' => pattern.star(),
                b'?' => pattern.push(ANY),
                _ if case == Case::Ignored && byte.is_ascii_alphabetic() => {
                    pattern.push(Masked { value: byte & 0xDF, mask: 0xDF });
                }
                _ => pattern.push(Masked { value: byte, mask: 0xFF }),
            }
        }
        pattern.check()
    }

    /// Reads hexadecimal digits in which `*` is anything and `?` is any one digit. Blanks are for the eye.
    pub(super) fn hex(text: &str) -> Result<Self, String> {
        let mut pattern = Self { runs: vec![Vec::new()], open: false };
        let mut high: Option<Masked> = None;
        for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
            let half = match (letter, letter.to_digit(16)) {
                ('*', _) if high.is_some() => return Err("a `*` stands between two digits of one byte".into()),
                ('*', _) => {
                    pattern.star();
                    continue;
                }
                ('?', _) => ANY,
                // A digit of base 16 has four bits.
                (_, Some(digit)) => Masked { value: digit as u8, mask: 0xF },
                _ => return Err(format!("`{letter}` is no hexadecimal digit, `?` or `*`")),
            };
            match high.take() {
                None => high = Some(half),
                Some(high) => {
                    pattern.push(Masked { value: high.value << 4 | half.value, mask: high.mask << 4 | half.mask })
                }
            }
        }
        if high.is_some() {
            return Err("the last byte has only one digit".into());
        }
        pattern.check()
    }

    /// Whether the subject is as the pattern says.
    #[inline]
    pub(super) fn fits(&self, subject: &[u8]) -> bool {
        let whole = subject.len() <= LOOK;
        let mut rest = subject.get(..LOOK).unwrap_or(subject);
        let Some((first, others)) = self.runs.split_first() else { return false };
        if !begins(rest, first) {
            return false;
        }
        rest = rest.get(first.len()..).unwrap_or_default();
        let Some((last, middle)) = others.split_last() else { return self.open || rest.is_empty() && whole };
        for run in middle {
            let Some(at) = find(rest, run) else { return false };
            rest = rest.get(at + run.len()..).unwrap_or_default();
        }
        if self.open {
            return find(rest, last).is_some();
        }
        whole && rest.len().checked_sub(last.len()).and_then(|at| rest.get(at..)).is_some_and(|end| begins(end, last))
    }

    fn push(&mut self, byte: Masked) {
        self.open = false;
        if let Some(run) = self.runs.last_mut() {
            run.push(byte);
        }
    }

    fn star(&mut self) {
        if !self.open {
            self.open = true;
            self.runs.push(Vec::new());
        }
    }

    fn check(mut self) -> Result<Self, String> {
        if self.open {
            self.runs.pop();
        }
        let told = self.runs.iter().flatten().filter(|byte| byte.mask != 0).count();
        if told == 0 && self.open {
            return Err("it fits everything".into());
        }
        let length: usize = self.runs.iter().map(Vec::len).sum();
        if length > LOOK { Err(format!("it is longer than the {LOOK} bytes that are looked at")) } else { Ok(self) }
    }
}

fn begins(subject: &[u8], run: &[Masked]) -> bool {
    subject.len() >= run.len() && run.iter().zip(subject).all(|(masked, byte)| byte & masked.mask == masked.value)
}

fn find(subject: &[u8], run: &[Masked]) -> Option<usize> {
    if run.is_empty() {
        return Some(0);
    }
    subject.windows(run.len()).position(|window| begins(window, run))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(pattern: &str, subject: &[u8]) -> bool {
        Pattern::hex(pattern).unwrap().fits(subject)
    }

    fn text(pattern: &str, subject: &str) -> bool {
        Pattern::text(pattern, Case::Told).unwrap().fits(subject.as_bytes())
    }

    #[test]
    fn bytes_are_masked() {
        assert!(hex("0001 ???? 1?", &[0, 1, 9, 9, 0x1F]));
        assert!(!hex("0001 ???? 1?", &[0, 1, 9, 9, 0x2F]));
        assert!(!hex("0001", &[0, 1, 2]), "it is whole unless it says otherwise");
        assert!(hex("0001*", &[0, 1]) && hex("0001*", &[0, 1, 2]) && !hex("0001*", &[0]));
        assert!(hex("*0102*03", &[9, 1, 2, 9, 3]) && !hex("*0102*03", &[9, 1, 2, 9, 3, 4]));
        assert!(hex("01*01", &[1, 1]) && !hex("01*01", &[1]));
    }

    #[test]
    fn texts_are_globs() {
        assert!(text("GET /a*b", "GET /a/b/b") && !text("GET /a*b", "get /a/b"));
        assert!(text("a?c", "abc") && !text("a?c", "ac"));
        assert!(text("*curl/*", "a curl/7.88") && text("", "") && !text("", "a"));
        assert!(Pattern::text("CURL/*", Case::Ignored).unwrap().fits(b"curl/7"));
        assert!(!Pattern::text("A", Case::Ignored).unwrap().fits(b"\x01"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        assert!(Pattern::hex("0g").unwrap_err().contains("`g`"));
        assert!(Pattern::hex("012").unwrap_err().contains("one digit"));
        assert!(Pattern::hex("0*1").unwrap_err().contains("between"));
        assert!(Pattern::hex("*").unwrap_err().contains("everything"));
        assert!(Pattern::text("**", Case::Told).unwrap_err().contains("everything"));
    }

    #[test]
    fn only_so_much_is_looked_at() {
        let mut long = vec![0; LOOK];
        long.push(1);
        assert!(!hex("*01*", &long) && !hex("00*00", &long) && hex("00*", &long));
    }
}
