//! What more than one protocol speaks, or reads. Apart, so that no protocol reaches into another.

pub(crate) mod ber;
pub(crate) mod cotp;
pub(crate) mod layers;
pub(crate) mod tpkt;
