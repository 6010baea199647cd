//! Sockets and limits: how bytes and time reach conversations, and what one peer may cost. Apart, because it is the only
//! crate that touches the network, and it knows no protocol and no sink by name.

mod alarm;
mod fleet;
mod limits;
mod line;
mod privilege;
mod seat;
mod shutdown;
mod speaker;
mod stream;
mod transcript;

pub use fleet::{Door, Fleet, Refusal, Trouble};
pub use limits::{Bounds, Limits};
pub use line::Stream;
pub use privilege::Account;
pub use seat::Seat;
pub use shutdown::{HeldSignals, Stop};
pub use stream::drive;
pub use transcript::Record;
