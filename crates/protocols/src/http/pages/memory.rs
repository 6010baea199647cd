//! Addresses of the memory as visitors write them. Apart, because variable tables both read and write them.

use honeyplant_core::plant::{Image, Place, Type, Value};
use serde::{Deserialize, de::IntoDeserializer, de::value::Error};

/// The place that `address` means, with or without `%`, and the type of what lies there: the named one, or what the letter
/// of the address says. The error says what is wrong.
pub(super) fn locate(image: &Image, address: &str, ty: Option<&str>) -> Result<(Place, Type), String> {
    let address = address.trim().to_uppercase();
    let address = if address.starts_with('%') { address } else { format!("%{address}") };
    let ty = match ty.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => type_named(name).ok_or_else(|| format!("`{name}` is no type, such as INT, WORD or REAL"))?,
        None => type_of(&address),
    };
    image.locate(&address, ty).map(|place| (place, ty))
}

/// The type of this name.
pub(super) fn type_named(name: &str) -> Option<Type> {
    let name = name.trim().to_uppercase();
    Type::deserialize(IntoDeserializer::<Error>::into_deserializer(name.as_str())).ok()
}

/// The value that somebody wrote for a type: in digits, as `16#FF` or `2#101` (IEC 61131-3 §6.3.2), or a word for a bit.
pub(super) fn parse(text: &str, ty: Type) -> Result<Value, &'static str> {
    const WRONG: &str = "not a value of its type";
    let text = text.trim();
    if ty == Type::String {
        return Ok(Value::Text(text.chars().take(80).collect()));
    }
    if ty == Type::Bool {
        return match text.to_lowercase().as_str() {
            "1" | "true" | "on" | "yes" => Ok(Value::Bool(true)),
            "0" | "false" | "off" | "no" => Ok(Value::Bool(false)),
            _ => Err(WRONG),
        };
    }
    let based = [("16#", 16), ("2#", 2), ("8#", 8), ("0x", 16), ("0X", 16)];
    if let Some((digits, base)) = based.iter().find_map(|(mark, base)| Some((text.strip_prefix(mark)?, *base))) {
        let pattern = u64::from_str_radix(&digits.replace('_', ""), base).map_err(|_| WRONG)?;
        if ty.bits() < 64 && pattern >> ty.bits() != 0 {
            return Err("outside the range of its type");
        }
        return Ok(Value::of_pattern(pattern, ty));
    }
    let number: f64 = text.replacen(',', ".", 1).parse().map_err(|_| WRONG)?;
    number_of(number, ty)
}

/// `number` as a type holds it, if it does.
pub(super) fn number_of(number: f64, ty: Type) -> Result<Value, &'static str> {
    if !number.is_finite() {
        return Err("not a value of its type");
    }
    let value = ty.take(Value::Real(number));
    let held = value.number();
    match ty {
        Type::Bool => Ok(value),
        Type::Real | Type::Lreal if held.is_finite() => Ok(value),
        Type::Real | Type::Lreal => Err("outside the range of its type"),
        _ if (held - number).abs() > 0.5 => Err("outside the range of its type"),
        _ => Ok(value),
    }
}

/// The type that an address has by its letter: of `%DB1.DBW4` a WORD, of `%M0.1` a BOOL.
fn type_of(address: &str) -> Type {
    let last = address.rsplit('.').find(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '%'));
    let letter = last.and_then(|part| part.chars().take_while(|c| !c.is_ascii_digit()).last());
    match letter {
        Some('B') => Type::Byte,
        Some('W') => Type::Word,
        Some('D') => Type::Dword,
        Some('L') => Type::Lword,
        _ => Type::Bool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_its_type() {
        for (address, ty) in [
            ("%MW4", Type::Word),
            ("%DB1.DBX0.3", Type::Bool),
            ("%DB10.DBD4", Type::Dword),
            ("%M0.1", Type::Bool),
            ("%IB3", Type::Byte),
            ("%ML2", Type::Lword),
        ] {
            assert_eq!(type_of(address), ty, "{address}");
        }
    }

    #[test]
    fn values_are_taken_as_people_write_them_and_refused_outside_their_type() {
        assert_eq!(parse("16#FFFF", Type::Int), Ok(Value::Int(-1)));
        assert_eq!(parse("2#101", Type::Byte), Ok(Value::Uint(5)));
        assert_eq!(parse(" 3,5 ", Type::Real), Ok(Value::Real(3.5)));
        assert_eq!(parse("ON", Type::Bool), Ok(Value::Bool(true)));
        assert_eq!(parse("-32768", Type::Int), Ok(Value::Int(-32_768)));
        for (text, ty) in [("40000", Type::Int), ("-1", Type::Word), ("16#10000", Type::Word), ("1e300", Type::Real)] {
            assert_eq!(parse(text, ty), Err("outside the range of its type"), "{text}");
        }
        for (text, ty) in [("x", Type::Int), ("", Type::Real), ("2", Type::Bool), ("nan", Type::Real)] {
            assert_eq!(parse(text, ty), Err("not a value of its type"), "{text}");
        }
    }
}
