//! Names with wildcards, as lists may be asked for with. Apart, because servers expand them themselves.

/// Whether `text` has wildcards.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether `name` fits `pattern`: `*` is any text, `?` any character, `[a-z]` and `[!a-z]` one of some, and `\` takes the
/// next character as it is.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on if the last `*` is to take one character more; earlier ones need not be tried again.
    let mut again = None;
    loop {
        match (pattern.get(p), name.get(n)) {
            (Some('*'), _) => {
                again = Some((p + 1, n));
                p += 1;
                continue;
            }
            (None, None) => return true,
            (Some(_), Some(c)) => {
                if let Some(next) = one(&pattern, p, *c) {
                    (p, n) = (next, n + 1);
                    continue;
                }
            }
            _ => {}
        }
        match again {
            Some((star, from)) if from < name.len() => {
                again = Some((star, from + 1));
                (p, n) = (star, from + 1);
            }
            _ => return false,
        }
    }
}

/// Where the pattern goes on if its element at `p` fits `c`.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern.get(p)? {
        '?' => Some(p + 1),
        '[' => class(pattern, p + 1, c).unwrap_or_else(|| (c == '[').then_some(p + 1)),
        '\\' if pattern.get(p + 1).is_some() => (pattern.get(p + 1) == Some(&c)).then_some(p + 2),
        other => (*other == c).then_some(p + 1),
    }
}

/// Where the pattern goes on if its class fits `c`; none at all if it is no class.
fn class(pattern: &[char], from: usize, c: char) -> Option<Option<usize>> {
    let negated = matches!(pattern.get(from), Some('!' | '^'));
    let from = from + usize::from(negated);
    // A bracket that stands first is one of the class.
    let end = pattern.iter().skip(from + 1).position(|c| *c == ']')? + from + 1;
    let (mut fits, mut at) = (false, from);
    while at < end {
        let is_range = pattern.get(at + 1) == Some(&'-') && at + 2 < end;
        let (low, high) = (*pattern.get(at)?, *pattern.get(if is_range { at + 2 } else { at })?);
        at += if is_range { 3 } else { 1 };
        fits |= (low..=high).contains(&c);
    }
    Some((fits != negated).then_some(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_fit_as_in_a_shell() {
        for (pattern, name) in [
            ("*", ""),
            ("*.txt", "a.txt"),
            ("a*b*c", "a-b-b-c"),
            ("?b", "äb"),
            ("[a-c]x[!0-9]", "bxy"),
            ("[]]", "]"),
            ("[", "["),
            ("\\*", "*"),
            ("**a", "bba"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("", "a"), ("*.txt", "a.txd"), ("[a-c]", "d"), ("[!a]", "a"), ("?", ""), ("a", "A")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_long_time() {
        assert!(!fits(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!fits(&format!("{}b", "*a".repeat(100)), &"a".repeat(4000)));
    }
}
