//! Owns the command line: flags, help, exit codes.
//! Knows every room it opens a door to; the work is done there.

mod check;
mod eval;
mod explain;
mod score;
mod serve;
mod train;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self, Settings};
use crate::engine::{Engine, Options};
use crate::packs::Source;

/// Done.
const DONE: u8 = 0;
/// Failed.
const FAILED: u8 = 1;
/// Used wrongly.
const USAGE: u8 = 2;
/// Done, but some records failed.
const PARTLY: u8 = 3;

#[derive(Debug, Parser)]
#[command(
    name = "defuse",
    version,
    about = "Reads what customers write and says which message is about to boil over, why, and what to answer",
    after_help = "Examples:\n  defuse serve\n  defuse score tickets.csv -o scored.jsonl\n  defuse explain \"Third mail, no answer. Get me your manager!\"\n\n\
                  Every flag can be set as DEFUSE_<FLAG> in the environment or as a key of ./defuse.toml\n\
                  (DEFUSE_CONFIG names another file); flags beat the environment, which beats the file.\n\n\
                  Exit codes: 0 done, 1 failed, 2 usage, 3 done but some records failed."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    shared: Shared,
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
struct Shared {
    /// Threads for scoring; 0 takes all cores
    #[arg(long, global = true, default_value_t = 0, value_name = "N")]
    threads: usize,
    /// Folder with languages, cues, policy, playbooks and models instead of the data in the binary
    #[arg(long, global = true, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Name of the sentiment model under <models>/sentiment
    #[arg(long, global = true, default_value = "", hide_default_value = true, value_name = "NAME")]
    model: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Score(score::Args),
    Explain(explain::Args),
    Check(check::Args),
    Eval(eval::Args),
    Train(train::Args),
}

impl Shared {
    fn source(&self) -> Source {
        self.models.clone().map_or(Source::Embedded, Source::Folder)
    }

    fn engine(&self) -> anyhow::Result<Engine> {
        let options = Options { source: self.source(), threads: self.threads, model: self.model.clone() };
        Engine::open(&options)
            .with_context(|| format!("{} cannot be used; `defuse check` lists everything", options.source))
    }
}

/// Runs the program with its arguments, the first of which is its name.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match settings().map_err(|e| e.to_string()).and_then(|s| with_settings(Cli::command(), &s)) {
        Ok(command) => command,
        Err(what) => {
            eprintln!("error: {what}");
            return ExitCode::from(USAGE);
        }
    };
    let cli = match command.try_get_matches_from(args).and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { DONE });
        }
    };
    let shared = &cli.shared;
    let done = match &cli.command {
        Command::Serve(args) => serve::run(args, shared),
        Command::Score(args) => score::run(args, shared),
        Command::Explain(args) => explain::run(args, shared),
        Command::Check(args) => check::run(args, shared),
        Command::Eval(args) => eval::run(args, shared),
        Command::Train(args) => train::run(args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        // A reader that closes the pipe (`| head`) has what it wanted.
        Err(e) if is_broken_pipe(&e) => ExitCode::from(DONE),
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}

fn settings() -> Result<Settings, config::ConfigError> {
    match std::env::var_os("DEFUSE_CONFIG") {
        Some(file) => config::settings(Path::new(&file)),
        None if Path::new(config::FILE).is_file() => config::settings(Path::new(config::FILE)),
        None => Ok(Settings::default()),
    }
}

/// Gives every flag its environment variable, and its default from the file of settings.
fn with_settings(command: clap::Command, settings: &Settings) -> Result<clap::Command, String> {
    let mut known = std::collections::BTreeSet::new();
    let mut source = |arg: clap::Arg| {
        let Some(long) = arg.get_long().map(str::to_owned).filter(|l| l != "help" && l != "version") else {
            return arg;
        };
        let arg = arg.env(format!("DEFUSE_{}", long.replace('-', "_").to_uppercase())).hide_env(true);
        let arg = match settings.values.get(&long) {
            Some(value) => arg.default_value(value.clone()),
            None => arg,
        };
        known.insert(long);
        arg
    };
    let command = command.mut_args(&mut source).mut_subcommands(|sub| sub.mut_args(&mut source));
    match settings.values.keys().find(|key| !known.contains(*key)) {
        Some(key) => Err(format!(
            "{}: unknown key {key:?}; known: {}",
            settings.file.display(),
            known.into_iter().collect::<Vec<_>>().join(", ")
        )),
        None => Ok(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        with_settings(Cli::command(), &Settings::default()).unwrap().debug_assert();
    }

    #[test]
    fn flags_beat_the_file() {
        let settings = Settings { values: [("threads".to_owned(), "3".to_owned())].into(), file: PathBuf::new() };
        let threads = |args: &[&str]| {
            let command = with_settings(Cli::command(), &settings).unwrap();
            Cli::from_arg_matches(&command.try_get_matches_from(args).unwrap()).unwrap().shared.threads
        };
        assert_eq!(threads(&["defuse", "check"]), 3);
        assert_eq!(threads(&["defuse", "check", "--threads", "5"]), 5);
    }

    #[test]
    fn unknown_keys_are_named() {
        let settings = Settings { values: [("prot".to_owned(), "1".to_owned())].into(), file: "defuse.toml".into() };
        assert!(with_settings(Cli::command(), &settings).unwrap_err().contains("\"prot\""));
    }
}
