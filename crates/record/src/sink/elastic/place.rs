//! Where documents go: an index whose name may have a date, or a data stream. Apart, because the name of the index, the
//! pattern of all such, and the name of the template are three things of one setting.

use crate::document::Stamp;
use honeyplant_core::settings::Problem;

/// Where documents go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    name: String,
    pub(super) is_stream: bool,
}

impl Place {
    /// An index of this name, in which `%Y`, `%m` and `%d` may stand.
    pub(super) fn index(name: &str, key: &str) -> Result<Self, Problem> {
        let rest = ["%Y", "%m", "%d"].iter().fold(name.to_owned(), |name, part| name.replace(part, "0"));
        if rest.contains('%') {
            let problem = Problem::new(key, format!("`{name}` has a part of a date that an index cannot have"));
            return Err(problem.hint("year, month and day are %Y, %m and %d"));
        }
        check(&rest, name, key)?;
        Ok(Self { name: name.to_owned(), is_stream: false })
    }

    /// A data stream of this name.
    pub(super) fn stream(name: &str, key: &str) -> Result<Self, Problem> {
        check(name, name, key)?;
        Ok(Self { name: name.to_owned(), is_stream: true })
    }

    /// The name of the index for what happened then.
    pub(super) fn at(&self, at: Stamp) -> String {
        let date = at.to_string();
        let part = |range| date.get(range).unwrap_or_default();
        self.name.replace("%Y", part(0..4)).replace("%m", part(5..7)).replace("%d", part(8..10))
    }

    /// The pattern of all such names.
    pub(super) fn pattern(&self) -> String {
        let mut pattern = ["%Y", "%m", "%d"].iter().fold(self.name.clone(), |name, part| name.replace(part, "*"));
        while let Some(place) = pattern.find("**") {
            pattern.remove(place);
        }
        pattern
    }

    /// The name of the template.
    pub(super) fn template(&self) -> String {
        let bare = ["%Y", "%m", "%d"].iter().fold(self.name.clone(), |name, part| name.replace(part, ""));
        let bare = bare.trim_matches(['-', '.', '_']);
        if bare.is_empty() { "honeyplant".into() } else { bare.to_owned() }
    }
}

/// The rules for names of indices:
/// <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create>.
fn check(name: &str, written: &str, key: &str) -> Result<(), Problem> {
    let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.+".contains(letter);
    let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    if begins && name.chars().all(allowed) && name.len() < 200 {
        return Ok(());
    }
    let problem = Problem::new(key, format!("`{written}` cannot be the name of an index"));
    Err(problem.hint("take small letters, digits, `-`, `_` and `.`, such as `honeyplant-%Y.%m`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_has_the_date_of_its_events() {
        let place = Place::index("honeyplant-%Y.%m.%d", "index").unwrap();
        assert_eq!(place.at("2026-11-02T03:46:00.000007Z".parse().unwrap()), "honeyplant-2026.11.02");
        assert_eq!((place.pattern(), place.template()), ("honeyplant-*.*.*".into(), "honeyplant".into()));
        let stream = Place::stream("logs-honeyplant-default", "data-stream").unwrap();
        assert_eq!((stream.pattern(), stream.template()), (stream.name.clone(), stream.name.clone()));
    }

    #[test]
    fn a_name_that_no_index_can_have_is_told() {
        for name in ["", "Honeyplant", "-a", "a/b", "a b", "a-%H", "a,b", "%", "a*"] {
            assert!(Place::index(name, "index").is_err(), "{name}");
        }
    }
}
