//! Paths and names. Apart, because every service brings paths of its own making, and here they become the device's.
//!
//! A path is text that begins with `/`. Octets that are not UTF-8 are carried in it as U+F700 to U+F7FF, one character for
//! each octet, so that [`to_octets`] gives back what [`from_octets`] was given.

use super::Refusal;

/// How many bytes of a path are looked at. PATH_MAX of POSIX systems.
pub(super) const LONGEST_PATH: usize = 4096;
/// How many bytes a name may have. NAME_MAX of POSIX systems.
const LONGEST_NAME: usize = 255;
/// How many folders may lie in each other.
pub(super) const DEEPEST: usize = 64;

/// The absolute path that `path` means to somebody in `folder`, without `.`, `..` and empty names. Climbing above the root
/// stays at the root, and of a path that is too long only the beginning counts, which no file has.
pub fn resolve(folder: &str, path: &str) -> String {
    let mut whole = String::new();
    let folder = if path.starts_with('/') { "" } else { folder };
    for name in head(folder).split('/').chain(head(path).split('/')) {
        match name {
            "" | "." => {}
            ".." => whole.truncate(whole.rfind('/').unwrap_or_default()),
            _ => {
                whole.push('/');
                whole.push_str(name);
            }
        }
    }
    if whole.is_empty() { "/".to_owned() } else { whole }
}

/// One byte more than any path may have, cut at a character.
fn head(path: &str) -> &str {
    path.get(..path.floor_char_boundary(LONGEST_PATH + 1)).unwrap_or_default()
}

/// The path without its last name, and that name.
pub fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("/", path),
    }
}

/// The text of a name or path that came as octets.
pub fn from_octets(octets: &[u8]) -> String {
    let mut text = String::new();
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|octet| char::from_u32(0xF700 + u32::from(*octet))));
    }
    text
}

/// The octets of a name or path, as [`from_octets`] was given them.
pub fn to_octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for character in text.chars() {
        match u32::from(character).checked_sub(0xF700).and_then(|octet| u8::try_from(octet).ok()) {
            Some(octet) => octets.push(octet),
            None => octets.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    octets
}

/// The names on the way to `path`.
pub(super) fn names(path: &str) -> Result<Vec<&str>, Refusal> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    if path.len() > LONGEST_PATH || names.len() > DEEPEST { Err(Refusal::BadName) } else { Ok(names) }
}

/// Whether something may be called `name` on a device that names as `naming` says.
pub(super) fn check(name: &str, forbidden: &str) -> Result<(), Refusal> {
    let bad = |c: char| c == '\0' || c == '/' || (!forbidden.is_empty() && (c.is_control() || forbidden.contains(c)));
    let wrong = name.is_empty() || name == "." || name == ".." || name.len() > LONGEST_NAME || name.contains(bad);
    if wrong { Err(Refusal::BadName) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_as_in_a_root_of_their_own() {
        assert_eq!(resolve("/", ""), "/");
        assert_eq!(resolve("/a/b", "../c//./d/"), "/a/c/d");
        assert_eq!(resolve("/a", "../../../.."), "/");
        assert_eq!(resolve("/a", "/b"), "/b");
        assert_eq!(resolve("a", "b"), "/a/b");
    }

    #[test]
    fn a_path_that_is_too_long_is_no_files() {
        let path = resolve("/", &"ü".repeat(100_000));
        assert!(names(&path).is_err());
        assert!(names(&resolve("/", &"a/".repeat(100))).is_err());
        assert_eq!(check(&"x".repeat(256), ""), Err(Refusal::BadName));
        assert_eq!(check("a\0", ""), Err(Refusal::BadName));
    }

    #[test]
    fn octets_come_back_as_they_were() {
        for octets in [&b"plain"[..], "grün".as_bytes(), b"\xff\xfe/\x80", b"gr\xfcn \xc3"] {
            assert_eq!(to_octets(&from_octets(octets)), octets);
        }
    }
}
