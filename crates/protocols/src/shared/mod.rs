//! What more than one protocol speaks. Apart, so that no protocol reaches into another.

pub(crate) mod ber;
pub(crate) mod cotp;
pub(crate) mod tpkt;
