//! The command line. Apart, because each command is a file of its own and this is their list.

mod check;
mod csv;
mod events;
#[cfg(test)]
mod handbook;
mod init;
mod lines;
mod plant;
mod play;
mod profiles;
mod query;
mod report;
mod run;
mod schema;
mod sessions;

use crate::{
    complaint::Failure,
    site::{Built, Choice, Site},
    state::State,
};
use clap::{Args, Parser, Subcommand};
use honeyplant_record::meaning::Meaning;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// A decoy industrial plant: it shows attackers controllers that look real, and records everything they do.
///
/// Without a command it runs the demo site: a waterworks on 127.0.10.1 to 127.0.10.9.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

/// Options that every command has.
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// The folder that keeps what was drawn at the first run, and the record
    #[arg(long, global = true, value_name = "DIR", default_value = "honeyplant-state", env = "HONEYPLANT_STATE")]
    state: PathBuf,
    /// What is added to every port, instead of what the site says; 0 is the standard ports
    #[arg(long, global = true, value_name = "N")]
    port_offset: Option<u16>,
    /// Print JSON, a document a line, instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run a site until it is told to end
    Run(run::Run),
    /// Make a folder with a site of your own
    Init(init::Init),
    /// Say what is wrong with a site, or what it would run
    Check(check::Check),
    /// Run the plant of a site ahead of time, and show its tags
    Plant(plant::Plant),
    /// List the kinds of device there are
    Profiles(profiles::Profiles),
    /// Show what was recorded
    Events(events::Events),
    /// Show who came, one line a session
    Sessions(sessions::Sessions),
    /// Sum up a period on one page that can be mailed
    Report(report::Report),
    /// Play a dialogue to a server and compare what it answers
    Play(play::Play),
    /// Print a JSON Schema
    #[command(hide = true)]
    Schema(schema::SchemaOf),
}

/// Runs the command line; what went wrong is on stderr.
pub(crate) fn main() -> ExitCode {
    let line = Line::parse();
    let common = line.common;
    let result = match line.command.unwrap_or_else(|| Command::Run(run::Run::default())) {
        Command::Run(command) => command.run(&common),
        Command::Init(command) => command.run(&common),
        Command::Check(command) => command.run(&common),
        Command::Plant(command) => command.run(&common),
        Command::Profiles(command) => command.run(&common),
        Command::Events(command) => command.run(&common),
        Command::Sessions(command) => command.run(&common),
        Command::Report(command) => command.run(&common),
        Command::Play(command) => command.run(&common),
        Command::Schema(command) => command.run(&common),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. A reader that has gone away, as `head` does, is no failure: the process ends quietly.
fn say(line: impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Tells the operator something beside what is printed.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A site that could run.
struct Ready {
    site: Site,
    state: State,
    built: Built,
    sinks: Vec<Choice>,
    meaning: Meaning,
}

/// Reads and builds a site; all that is wrong with it is told at once, and nothing is written or bound yet.
fn ready(path: Option<&Path>, common: &Common) -> Result<Ready, Failure> {
    let mut site = Site::load(path)?;
    site.port_offset = common.port_offset.unwrap_or(site.port_offset);
    let mut state = State::open(&common.state)?;
    let mut failure = Failure::default();
    let built = failure.keep(site.build(&mut state));
    let (sinks, meaning) = (failure.keep(site.sinks(&state)), failure.keep(site.meaning()));
    failure.check()?;
    Ok(Ready {
        site,
        state,
        built: built.unwrap_or_default(),
        sinks: sinks.unwrap_or_default(),
        meaning: meaning.unwrap_or_default(),
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::fmt::Write;

    /// Holds a file in `docs/` to what the program says; `UPDATE_DOCS=1` writes it anew.
    pub(super) fn holds(file: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "docs/{file} is out of date; UPDATE_DOCS=1 cargo test writes it anew");
    }

    #[test]
    fn the_command_line_is_documented() {
        let mut line = Line::command().term_width(100);
        line.build();
        let mut text = String::from("# Command line\n\nWhat `--help` says, of every command.\n");
        let commands: Vec<_> =
            line.get_subcommands().filter(|c| !c.is_hide_set()).map(|c| c.get_name().to_owned()).collect();
        writeln!(text, "\n```\n{}\n```", line.render_long_help().to_string().trim_end()).unwrap();
        for name in commands.iter().filter(|name| *name != "help") {
            let help = line.find_subcommand_mut(name).unwrap().clone().term_width(100).render_long_help().to_string();
            let help: Vec<&str> = help.lines().map(str::trim_end).collect();
            writeln!(text, "\n## honeyplant {name}\n\n```\n{}\n```", help.join("\n").trim_end()).unwrap();
        }
        let text: Vec<&str> = text.lines().map(str::trim_end).collect();
        holds("command-line.md", &(text.join("\n") + "\n"));
    }

    #[test]
    fn the_schemas_are_in_the_documentation() {
        use crate::site::Site;
        use honeyplant_core::profile::Profile;
        use honeyplant_protocols::PROTOCOLS;
        for (file, schema) in [("site", Site::schema()), ("profile", Profile::schema(PROTOCOLS))] {
            holds(&format!("schema/{file}.schema.json"), &format!("{:#}\n", schema.as_value()));
        }
    }
}
