//! Every protocol.
