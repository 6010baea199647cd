//! Plays conversations from text. Apart, because the tests, the fuzzer and `honeyplant play` say the same lines.
//!
//! A dialogue is a text file. Each line begins with a mark:
//!
//! | line | is |
//! |---|---|
//! | `# text` | a comment |
//! | `\| text` | a line of the profile that is spoken to; without any, the caller says which profile |
//! | `serve NAME` | a peer connects to the service `NAME`; a second one replaces the first, on the same device |
//! | `serve NAME as WHO` | another peer connects, from another address, while the others stay |
//! | `as WHO` | from here on this peer is spoken of |
//! | `> 00 01 "text\r\n"` | the peer sends these bytes; to a service over UDP, as one datagram |
//! | `< 00 ..` | the device answers exactly these; `..` is any byte; over UDP, one whole datagram |
//! | `~` | the device answers nothing more to what was sent so far |
//! | `= sentence` | this was recorded, as [`Kind::sentence`](honeyplant_core::event::Kind::sentence) says it; what was recorded before it is passed over |
//! | `+ 20s` | time passes |
//! | `! hang up` | the device has hung up |
//! | `! leave` | the peer leaves |
//! | `@ listen` | the device waits for the peer to open a channel, at port 49152 or the first that it asks for |
//! | `@ dial 4242` | the device opens the channel to this port of the peer |
//! | `@ connect` | the channel is open |
//! | `@> bytes`, `@< bytes` | the peer sends these bytes over the channel; the device does |
//! | `@ end` | the peer sends nothing more over the channel |
//! | `@ closed` | the device closes the channel with all sent |
//! | `@ abandoned` | the device gives the channel up |
//! | `@ fail` | the channel breaks, or does not come to be |
//! | `@ secure`, `@ secure channel` | TLS begins on the line, or on the channel, and succeeds |
//!
//! ```
//! let dialogue = honeyplant_dialogue::Dialogue::parse("serve echo\n> 41\n< 41").unwrap();
//! assert_eq!(dialogue.sent(), [0x41]);
//! ```

mod channel;
mod script;
mod talk;

pub use script::{Dialogue, Pattern, Peer, Step, Turn, hex};
pub use talk::{Stage, Talk, feed, play, stage};
