//! Sockets and limits: how bytes and time reach conversations, and what one peer may cost. Apart, because it is the only
//! crate that touches the network, and it knows no protocol and no sink by name.

mod alarm;
mod bell;
mod budget;
mod carrier;
mod channel;
mod client;
mod correspondent;
mod datagram;
mod door;
mod fleet;
mod hello;
mod host;
mod limits;
mod line;
mod packet;
mod patience;
mod privilege;
mod seat;
mod shutdown;
mod speaker;
mod stream;
mod tls;
mod transcript;
mod untold;

pub use budget::Allowance;
pub use client::{TlsClient, trusting};
pub use door::{Door, Refusal};
pub use fleet::{Fleet, Trouble};
pub use limits::{Bounds, Limits};
pub use line::Stream;
pub use privilege::Account;
pub use seat::Seat;
pub use shutdown::{HeldSignals, Stop};
pub use stream::drive;
pub use tls::Tls;
pub use transcript::Record;
