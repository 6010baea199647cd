//! The elementary types of the language and the 64 bits in which a slot holds their values. Apart, because parser,
//! compiler, library and physics all agree on them.

use honeyplant_core::plant::Type;

/// An elementary data type (IEC 61131-3 §6.4.2, table 10). The long forms of time and date (LTIME, LDATE, LTOD, LDT) are
/// the same as the short ones here, since both count nanoseconds in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Elementary {
    Bool,
    Sint,
    Int,
    Dint,
    Lint,
    Usint,
    Uint,
    Udint,
    Ulint,
    Byte,
    Word,
    Dword,
    Lword,
    Real,
    Lreal,
    /// A duration, in nanoseconds.
    Time,
    /// Midnight of a day, in nanoseconds since 1970.
    Date,
    /// Nanoseconds since midnight.
    Tod,
    /// Nanoseconds since 1970.
    Dt,
    /// Octets; a slot holds the number of the text in the text memory.
    String,
}

/// What a slot holds: a BOOL as 0 or 1; signed integers, durations and dates as an `i64`; unsigned integers and bit strings
/// as a `u64`; REAL and LREAL as an `f64` (a REAL is rounded to `f32` whenever it is stored); a text as its number.
pub(crate) type Raw = u64;

impl Elementary {
    /// All of them.
    pub(crate) const ALL: [Self; 20] = [
        Self::Bool,
        Self::Sint,
        Self::Int,
        Self::Dint,
        Self::Lint,
        Self::Usint,
        Self::Uint,
        Self::Udint,
        Self::Ulint,
        Self::Byte,
        Self::Word,
        Self::Dword,
        Self::Lword,
        Self::Real,
        Self::Lreal,
        Self::Time,
        Self::Date,
        Self::Tod,
        Self::Dt,
        Self::String,
    ];

    /// The type whose keyword (in capitals) this is.
    pub(crate) fn of(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "BOOL" => Self::Bool,
            "SINT" => Self::Sint,
            "INT" => Self::Int,
            "DINT" => Self::Dint,
            "LINT" => Self::Lint,
            "USINT" => Self::Usint,
            "UINT" => Self::Uint,
            "UDINT" => Self::Udint,
            "ULINT" => Self::Ulint,
            "BYTE" => Self::Byte,
            "WORD" => Self::Word,
            "DWORD" => Self::Dword,
            "LWORD" => Self::Lword,
            "REAL" => Self::Real,
            "LREAL" => Self::Lreal,
            "TIME" | "LTIME" => Self::Time,
            "DATE" | "LDATE" => Self::Date,
            "TIME_OF_DAY" | "TOD" | "LTIME_OF_DAY" | "LTOD" => Self::Tod,
            "DATE_AND_TIME" | "DT" | "LDATE_AND_TIME" | "LDT" => Self::Dt,
            "STRING" => Self::String,
            _ => return None,
        })
    }

    /// The keyword.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Sint => "SINT",
            Self::Int => "INT",
            Self::Dint => "DINT",
            Self::Lint => "LINT",
            Self::Usint => "USINT",
            Self::Uint => "UINT",
            Self::Udint => "UDINT",
            Self::Ulint => "ULINT",
            Self::Byte => "BYTE",
            Self::Word => "WORD",
            Self::Dword => "DWORD",
            Self::Lword => "LWORD",
            Self::Real => "REAL",
            Self::Lreal => "LREAL",
            Self::Time => "TIME",
            Self::Date => "DATE",
            Self::Tod => "TIME_OF_DAY",
            Self::Dt => "DATE_AND_TIME",
            Self::String => "STRING",
        }
    }

    /// The type of a tag that can hold it; a device's memory has no dates.
    pub(crate) const fn tag(self) -> Option<Type> {
        Some(match self {
            Self::Bool => Type::Bool,
            Self::Sint => Type::Sint,
            Self::Int => Type::Int,
            Self::Dint => Type::Dint,
            Self::Lint => Type::Lint,
            Self::Usint => Type::Usint,
            Self::Uint => Type::Uint,
            Self::Udint => Type::Udint,
            Self::Ulint => Type::Ulint,
            Self::Byte => Type::Byte,
            Self::Word => Type::Word,
            Self::Dword => Type::Dword,
            Self::Lword => Type::Lword,
            Self::Real => Type::Real,
            Self::Lreal => Type::Lreal,
            Self::Time => Type::Time,
            Self::String => Type::String,
            Self::Date | Self::Tod | Self::Dt => return None,
        })
    }

    /// Whether it is SINT to ULINT.
    pub(crate) const fn is_integer(self) -> bool {
        self.is_signed() || self.is_unsigned()
    }

    /// Whether it is SINT to LINT.
    pub(crate) const fn is_signed(self) -> bool {
        matches!(self, Self::Sint | Self::Int | Self::Dint | Self::Lint)
    }

    /// Whether it is USINT to ULINT.
    pub(crate) const fn is_unsigned(self) -> bool {
        matches!(self, Self::Usint | Self::Uint | Self::Udint | Self::Ulint)
    }

    /// Whether it is BOOL to LWORD.
    pub(crate) const fn is_bits(self) -> bool {
        matches!(self, Self::Bool | Self::Byte | Self::Word | Self::Dword | Self::Lword)
    }

    /// Whether it is REAL or LREAL.
    pub(crate) const fn is_real(self) -> bool {
        matches!(self, Self::Real | Self::Lreal)
    }

    /// `raw` cut to what the type can hold, as a store does: integers and bit strings lose the bits that are too many, as
    /// they do in a CPU, and a REAL its digits.
    pub(crate) const fn narrow(self, raw: Raw) -> Raw {
        match self {
            Self::Bool => raw & 1,
            Self::Sint => raw as i8 as i64 as u64,
            Self::Int => raw as i16 as i64 as u64,
            Self::Dint => raw as i32 as i64 as u64,
            Self::Usint | Self::Byte => raw as u8 as u64,
            Self::Uint | Self::Word => raw as u16 as u64,
            Self::Udint | Self::Dword => raw as u32 as u64,
            Self::Real => (f64::from_bits(raw) as f32 as f64).to_bits(),
            Self::Lint
            | Self::Ulint
            | Self::Lword
            | Self::Lreal
            | Self::Time
            | Self::Date
            | Self::Tod
            | Self::Dt
            | Self::String => raw,
        }
    }
}
