//! honeyplant: a decoy industrial plant in one binary.
//!
//! This crate is the only one that sees all the others: it reads sites and profiles, binds them to sockets, and lets
//! people look at the record.

mod certificate;
mod command;
mod complaint;
mod library;
mod operation;
mod plan;
mod process;
mod schema;
mod site;
mod state;

fn main() -> std::process::ExitCode {
    command::main()
}
