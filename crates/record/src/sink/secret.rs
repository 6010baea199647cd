//! What an operator would rather not write into a site file. Apart, because every sink that logs in somewhere has one.

use schemars::JsonSchema;
use serde::Deserialize;
use std::{env, fmt, fs, path::PathBuf};

/// A password, token or key: `"as it is"`, `{ env = "NAME" }`, or `{ file = "/path" }` without its last end of line.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Given")]
#[schemars(with = "Given")]
pub struct Secret(String);

/// A secret as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a secret is a text, `{ env = \"NAME\" }` or `{ file = \"/path\" }`")]
enum Given {
    /// As it is.
    Plain(String),
    /// In a variable of the environment.
    Environment(Variable),
    /// In a file.
    File(InFile),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Variable {
    /// The name of the variable.
    env: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InFile {
    /// The path of the file.
    file: PathBuf,
}

impl Secret {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Given> for Secret {
    type Error = String;
    fn try_from(given: Given) -> Result<Self, String> {
        match given {
            Given::Plain(text) => Ok(Self(text)),
            Given::Environment(Variable { env: name }) => {
                env::var(&name).map(Self).map_err(|error| format!("the secret in the environment as {name}: {error}"))
            }
            Given::File(InFile { file }) => {
                let text = fs::read_to_string(&file)
                    .map_err(|error| format!("the secret in the file {}: {error}", file.display()))?;
                Ok(Self(text.strip_suffix('\n').map_or(&*text, |text| text.trim_end_matches('\r')).to_owned()))
            }
        }
    }
}

/// What is secret is not shown.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use honeyplant_core::settings::Settings;

    #[derive(serde::Deserialize)]
    struct Table {
        password: super::Secret,
    }

    #[test]
    fn a_secret_is_in_the_site_in_the_environment_or_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "s e c r e t\r\n").unwrap();
        let read = |text: &str| Settings::parse(text).unwrap().read::<Table>().map(|table| table.password);
        assert_eq!(read("password = 'x'").unwrap().reveal(), "x");
        let file = read(&format!("password = {{ file = '{}' }}", path.display())).unwrap();
        assert_eq!(file.reveal(), "s e c r e t");
        assert_eq!(format!("{file:?}"), "Secret");
        assert_eq!(read("password = { env = 'CARGO_PKG_NAME' }").unwrap().reveal(), "honeyplant-record");
        let missing = read("password = { env = 'HONEYPLANT_NONE' }").unwrap_err().to_string();
        assert!(missing.contains("HONEYPLANT_NONE"), "{missing}");
        let wrong = read("password = 5").unwrap_err().to_string();
        assert!(wrong.contains("a secret is"), "{wrong}");
    }
}
