//! Owns `defuse train`: files of labelled messages in, a model folder out.
//! Knows files and the progress display; learning is `training`'s.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config;
use crate::packs::schema::{DataSpec, TrainSpec};
use crate::packs::{self, Source};
use crate::training::{self, Set};

/// Trains the built-in kind of model from labelled messages
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  defuse train --config models/sentiment/compact/train.toml -o models/sentiment/compact\n  \
    defuse train --config train.toml --data mine.jsonl --weight 3 -o models/sentiment/mine\n\n\
    The folder gets model.toml, the weights and MODEL_CARD.md. Use it with --models DIR --model NAME."
)]
pub(super) struct Args {
    /// Configuration: features, cost, seed, sets
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder for the model
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// A further file or folder of labelled messages
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    /// Weight of each message of --data
    #[arg(long, default_value_t = 1.0, value_name = "W")]
    weight: f64,
    /// No progress display
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let config: TrainSpec = config::read(&args.config)?;
    anyhow::ensure!(args.weight > 0.0, "--weight must be above 0");
    let base = args.config.parent().unwrap_or(Path::new("."));
    let mut sets = Vec::new();
    for data in &config.data {
        sets.push(load(&base.join(&data.path), &data.set, &data.licence, data.weight)?);
    }
    for path in &args.data {
        sets.push(load(path, &path.display().to_string(), "your own", args.weight)?);
    }
    // Every cue of the data in the binary gets a head.
    let cues: Vec<String> = packs::cue_table(&Source::Embedded)?.into_keys().collect();
    let bar = progress_bar(args.quiet);
    let trained = training::train(&config, &sets, &cues, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    std::fs::create_dir_all(&args.output).with_context(|| args.output.display().to_string())?;
    let description = format!(
        "# Written by `defuse train`; do not edit.\n{}",
        config::write(&trained.spec).map_err(|e| anyhow::anyhow!(e))?
    );
    for (name, bytes) in [
        (trained.spec.weights.as_str(), trained.weights.as_slice()),
        ("model.toml", description.as_bytes()),
        ("MODEL_CARD.md", trained.card.as_bytes()),
    ] {
        let file = args.output.join(name);
        std::fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    let texts: usize = trained.spec.data.iter().map(|d| d.texts).sum();
    println!(
        "{} messages learnt; {} written, {:.1} MB",
        texts,
        args.output.display(),
        trained.weights.len() as f64 / 1e6
    );
    Ok(super::DONE)
}

fn load(path: &Path, set: &str, licence: &str, weight: f64) -> anyhow::Result<Set> {
    let messages = super::eval::read(&[path.to_owned()])?;
    Ok(Set {
        spec: DataSpec { set: set.to_owned(), licence: licence.to_owned(), texts: messages.len(), weight },
        messages,
    })
}

fn progress_bar(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} heads fitted, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1).with_style(style)
}
