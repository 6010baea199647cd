//! honeyplant
fn main() {}
