//! Plays conversations from text. Apart, because the tests, the fuzzer and `honeyplant play` say the same lines.
//!
//! A dialogue is a text file. Each line begins with a mark:
//!
//! | line | is |
//! |---|---|
//! | `# text` | a comment |
//! | `\| text` | a line of the profile that is spoken to; without any, the caller says which profile |
//! | `serve NAME` | a peer connects to the service `NAME`; a second one replaces the first, on the same device |
//! | `> 00 01` | the peer sends these bytes |
//! | `< 00 ..` | the device answers exactly these; `..` is any byte |
//! | `~` | the device answers nothing more to what was sent so far |
//! | `= sentence` | this was recorded, as [`Kind::sentence`](honeyplant_core::event::Kind::sentence) says it; what was recorded before it is passed over |
//! | `+ 20s` | time passes |
//! | `! hang up` | the device has hung up |
//!
//! ```
//! let dialogue = honeyplant_dialogue::Dialogue::parse("serve echo\n> 41\n< 41").unwrap();
//! assert_eq!(dialogue.sent(), [0x41]);
//! ```

mod script;
mod talk;

pub use script::{Dialogue, Pattern, Turn, hex};
pub use talk::{Stage, Talk, feed, play, stage};
