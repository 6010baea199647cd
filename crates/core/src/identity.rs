//! Who a device says it is: a grammar in the profile, drawn once per install. Apart, because a decoy that ships a
//! constant is recognised by it.
//!
//! A grammar is text with pieces in braces:
//!
//! | piece | draws |
//! |---|---|
//! | `{A-Z}`, `{0-9A-F}` | one character of the class |
//! | `{6}` | the piece before it, drawn five times more (six in all) |
//! | `{north\|south\|east}` | one of the words; a word may be empty |
//! | `{$serial}` | the value drawn for the key `serial`, of the device or of its site |

use crate::random::Random;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is drawn for one key: a grammar, or a list of grammars of which one is taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Draw {
    /// One grammar.
    Grammar(String),
    /// Several, of which one is taken.
    OneOf(Vec<String>),
}

/// The `[identity]` table of a profile or site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Grammar {
    /// Rows of keys that exist together, such as an order number and its firmware; one row is drawn, whole.
    #[serde(default)]
    pub together: Vec<BTreeMap<String, String>>,
    /// Everything else, key by key.
    #[serde(flatten)]
    pub keys: BTreeMap<String, Draw>,
}

impl Grammar {
    /// The keys that a draw will have.
    pub fn names(&self) -> BTreeSet<&str> {
        let rows = self.together.iter().flat_map(BTreeMap::keys);
        self.keys.keys().chain(rows).map(String::as_str).collect()
    }

    /// Draws what `identity` does not have yet. `site` holds what the devices of a site share.
    pub fn draw(&self, identity: &mut Identity, site: &Identity, seed: u64) -> Result<(), String> {
        if !self.together.is_empty() {
            let row = Random::named(seed, "together").below(self.together.len());
            for (key, text) in self.together.get(row).into_iter().flatten() {
                identity.0.entry(key.clone()).or_insert_with(|| text.clone());
            }
        }
        for key in self.keys.keys() {
            self.settle(key, identity, site, seed, 0)?;
        }
        Ok(())
    }

    fn settle(
        &self,
        key: &str,
        identity: &mut Identity,
        site: &Identity,
        seed: u64,
        depth: usize,
    ) -> Result<(), String> {
        let Some(draw) = self.keys.get(key).filter(|_| !identity.0.contains_key(key)) else {
            return Ok(());
        };
        if depth > self.keys.len() {
            return Err(format!("`{key}` is drawn from itself"));
        }
        let mut random = Random::named(seed, key);
        let text = match draw {
            Draw::Grammar(text) => text,
            Draw::OneOf(texts) => {
                texts.get(random.below(texts.len())).ok_or_else(|| format!("`{key}` has nothing to be drawn from"))?
            }
        };
        let pieces = parse(text).map_err(|why| format!("`{key}`: {why}"))?;
        for name in pieces.iter().filter_map(Piece::reference) {
            self.settle(name, identity, site, seed, depth + 1)?;
        }
        let mut value = String::new();
        for piece in &pieces {
            piece
                .draw(&mut value, &mut random, |name| identity.get(name).or_else(|| site.get(name)).map(str::to_owned))
                .map_err(|name| format!("`{key}` refers to `{name}`, which is drawn nowhere"))?;
        }
        identity.0.insert(key.to_owned(), value);
        Ok(())
    }
}

enum Piece {
    Text(String),
    Class(Vec<char>),
    Words(Vec<String>),
    Reference(String),
    Repeat(Box<Self>, usize),
}

impl Piece {
    fn reference(&self) -> Option<&str> {
        match self {
            Self::Reference(name) => Some(name),
            Self::Text(_) | Self::Class(_) | Self::Words(_) | Self::Repeat(..) => None,
        }
    }

    fn draw(
        &self,
        value: &mut String,
        random: &mut Random,
        known: impl Fn(&str) -> Option<String> + Copy,
    ) -> Result<(), String> {
        match self {
            Self::Text(text) => value.push_str(text),
            Self::Class(class) => value.extend(class.get(random.below(class.len()))),
            Self::Words(words) => {
                value.push_str(words.get(random.below(words.len())).map_or("", String::as_str));
            }
            Self::Reference(name) => value.push_str(&known(name).ok_or_else(|| name.clone())?),
            Self::Repeat(piece, times) => {
                for _ in 0..*times {
                    piece.draw(value, random, known)?;
                }
            }
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let (inside, after) = after.split_once('}').ok_or_else(|| format!("a brace is not closed in `{text}`"))?;
        rest = after;
        if let Some(name) = inside.strip_prefix('$') {
            pieces.push(Piece::Reference(name.to_owned()));
        } else if inside.contains('|') {
            pieces.push(Piece::Words(inside.split('|').map(str::to_owned).collect()));
        } else if let Ok(times) = inside.parse::<usize>() {
            let piece = pieces
                .pop()
                .filter(|_| (1..=64).contains(&times))
                .ok_or_else(|| format!("`{{{inside}}}` has nothing before it to repeat, or too often"))?;
            pieces.push(Piece::Repeat(Box::new(piece), times));
        } else {
            pieces.push(Piece::Class(class(inside)?));
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn class(inside: &str) -> Result<Vec<char>, String> {
    let chars: Vec<char> = inside.chars().collect();
    let mut class = Vec::new();
    let mut rest = chars.as_slice();
    loop {
        rest = match rest {
            [] => break,
            [from, '-', to, rest @ ..] if from <= to => {
                class.extend(*from..=*to);
                rest
            }
            [one, rest @ ..] => {
                class.push(*one);
                rest
            }
        };
    }
    if class.is_empty() {
        return Err("`{}` draws nothing".into());
    }
    Ok(class)
}

/// What was drawn for one device or site: each key with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(pub BTreeMap<String, String>);

impl Identity {
    /// The value drawn for `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// `text` with each `{key}` replaced by what was drawn for it; the error is a key that was not.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (key, after) = after.split_once('}').ok_or_else(|| after.to_owned())?;
            whole.push_str(before);
            whole.push_str(self.get(key).ok_or_else(|| key.to_owned())?);
            rest = after;
        }
        whole.push_str(rest);
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, seed: u64) -> String {
        let grammar: Grammar = toml::from_str(text).unwrap();
        let mut identity = Identity::default();
        let site = Identity(BTreeMap::from([("town".into(), "Aldmere".into())]));
        grammar.draw(&mut identity, &site, seed).unwrap();
        identity.get("x").unwrap().to_owned()
    }

    #[test]
    fn each_piece_draws_what_it_says() {
        let serial = drawn("x = 'S C-{A-Z}{0-9}{6}'", 3);
        assert_eq!(serial.len(), 11, "{serial}");
        assert!(serial.starts_with("S C-") && serial.is_ascii());
        assert!(["north", "south"].contains(&drawn("x = '{north|south}'", 1).as_str()));
        assert_eq!(drawn("x = '{$town} WTP'", 1), "Aldmere WTP");
        assert_eq!(drawn("x = '{$y}-1'\ny = 'ab'", 1), "ab-1");
        assert!(["a", "b"].contains(&drawn("x = ['a', 'b']", 9).as_str()));
    }

    #[test]
    fn keys_that_exist_together_are_drawn_together() {
        for seed in 0..50 {
            let row = drawn(
                "x = '{$order}/{$firmware}'\ntogether = [{ order = 'A', firmware = '1' }, { order = 'B', firmware = '2' }]",
                seed,
            );
            assert!(["A/1", "B/2"].contains(&row.as_str()), "{row}");
        }
    }

    #[test]
    fn what_was_drawn_stays_and_other_seeds_draw_otherwise() {
        let text = "x = '{0-9A-F}{12}'";
        assert_eq!(drawn(text, 1), drawn(text, 1));
        assert_ne!(drawn(text, 1), drawn(text, 2));
    }

    #[test]
    fn mistakes_are_told() {
        let wrong = |text: &str| {
            let grammar: Grammar = toml::from_str(text).unwrap();
            grammar.draw(&mut Identity::default(), &Identity::default(), 1).unwrap_err()
        };
        assert!(wrong("x = '{$nowhere}'").contains("nowhere"));
        assert!(wrong("x = '{A-Z'").contains("not closed"));
        assert!(wrong("x = '{$y}'\ny = '{$x}'").contains("from itself"));
        assert!(wrong("x = '{3}'").contains("repeat"));
    }

    #[test]
    fn settings_are_expanded_from_the_draw() {
        let identity = Identity(BTreeMap::from([("firmware".into(), "v2.70".into())]));
        assert_eq!(identity.expand("fw {firmware}!"), Ok("fw v2.70!".into()));
        assert_eq!(identity.expand("{serial}"), Err("serial".into()));
    }
}
