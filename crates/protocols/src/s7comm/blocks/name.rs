//! How blocks are called: `DB 10` by people, `0A00010A` on the wire, with the file system that is meant. Apart, because
//! lists, transfers and program invocation write it alike.

use std::fmt;

/// What kind of block it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::s7comm) enum Type {
    Ob,
    Fb,
    Fc,
    Db,
    Sdb,
    Sfc,
    Sfb,
}

impl Type {
    /// All of them, in the order in which a CPU counts them.
    pub(in crate::s7comm) const ALL: [Self; 7] =
        [Self::Ob, Self::Fb, Self::Fc, Self::Db, Self::Sdb, Self::Sfc, Self::Sfb];

    pub(in crate::s7comm) fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.code() == code)
    }

    pub(in crate::s7comm) const fn code(self) -> u8 {
        match self {
            Self::Ob => 0x08,
            Self::Db => 0x0A,
            Self::Sdb => 0x0B,
            Self::Fc => 0x0C,
            Self::Sfc => 0x0D,
            Self::Fb => 0x0E,
            Self::Sfb => 0x0F,
        }
    }

    /// The two digits that stand for it in a message.
    pub(in crate::s7comm) const fn digits(self) -> [u8; 2] {
        let code = self.code();
        [b'0', if code < 10 { b'0' + code } else { b'A' - 10 + code }]
    }

    /// Reads two digits.
    pub(in crate::s7comm) fn parse(digits: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.digits() == digits)
    }

    /// Whether it belongs to the CPU and not to its program.
    pub(in crate::s7comm) const fn is_built_in(self) -> bool {
        matches!(self, Self::Sfc | Self::Sfb)
    }

    pub(in crate::s7comm) const fn letters(self) -> &'static str {
        match self {
            Self::Ob => "OB",
            Self::Fb => "FB",
            Self::Fc => "FC",
            Self::Db => "DB",
            Self::Sdb => "SDB",
            Self::Sfc => "SFC",
            Self::Sfb => "SFB",
        }
    }
}

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::s7comm) struct Name {
    pub(in crate::s7comm) ty: Type,
    pub(in crate::s7comm) number: u16,
}

impl Name {
    /// Reads a name as people write it: `DB10`, `OB 1`.
    pub(in crate::s7comm) fn of_people(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| c.is_ascii_digit())?;
        let (letters, number) = text.split_at_checked(digits)?;
        let ty = Type::ALL.into_iter().find(|ty| ty.letters() == letters.trim_end())?;
        Some(Self { ty, number: number.parse().ok()? })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.ty.letters(), self.number)
    }
}

/// Which blocks are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::s7comm) enum Files {
    /// Those that are part of the program.
    Active,
    /// Those that were downloaded and wait to be inserted.
    Passive,
    /// The ones or the others.
    Both,
}

/// A block in a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::s7comm) struct File {
    pub(in crate::s7comm) name: Name,
    pub(in crate::s7comm) files: Files,
}

impl File {
    /// Reads the eight characters of a name: type, five digits, file system.
    pub(in crate::s7comm) fn parse(octets: &[u8]) -> Option<Self> {
        let ([a, b, digits @ .., files], true) = (octets, octets.len() == 8) else { return None };
        let number = digits
            .iter()
            .try_fold(0_u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))?;
        let name = Name { ty: Type::parse(&[*a, *b])?, number: u16::try_from(number).ok()? };
        let files = match files {
            b'A' => Files::Active,
            b'P' => Files::Passive,
            b'B' => Files::Both,
            _ => return None,
        };
        Some(Self { name, files })
    }

    /// Reads a file name: the same behind an underscore.
    pub(in crate::s7comm) fn parse_file_name(octets: &[u8]) -> Option<Self> {
        Self::parse(octets.strip_prefix(b"_")?)
    }
}

/// As in messages, and as load memory keeps it.
impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.name.ty.digits().map(char::from);
        let files = match self.files {
            Files::Active => 'A',
            Files::Passive => 'P',
            Files::Both => 'B',
        };
        write!(f, "{a}{b}{:05}{files}", self.name.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_is_written() {
        for text in ["0800001A", "0A65535P", "0F00104B"] {
            assert_eq!(File::parse(text.as_bytes()).unwrap().to_string(), text);
        }
        assert_eq!(File::parse_file_name(b"_0C00007P").unwrap().name.to_string(), "FC 7");
        for wrong in ["", "0A00001", "0A00001X", "0A0000 A", "0A65536A", "0900001A", "0A00001AA"] {
            assert_eq!(File::parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(File::parse_file_name(b"0C00007P"), None);
    }

    #[test]
    fn people_write_it_with_or_without_a_space() {
        let name = Name { ty: Type::Sdb, number: 1000 };
        assert_eq!(Name::of_people("SDB1000"), Some(name));
        assert_eq!(Name::of_people(&name.to_string()), Some(name));
        assert_eq!(Name::of_people("XB1"), None);
        assert_eq!(Name::of_people("DB"), None);
        assert_eq!(Name::of_people("DB 1x"), None);
    }
}
