//! Owns `defuse score`: an archive in, a row or an error record per ticket out.
//! Knows files and the progress display; formats are `archive`'s.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::archive::{self, Columns, ErrorRecord, Format, Rows};
use crate::domain::Message;
use crate::engine::{Engine, Request};
use crate::wire;

/// Scores an archive of tickets: one output row or one error record per ticket
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  defuse score tickets.csv -o scored.jsonl\n  defuse score a.jsonl b.jsonl -o scored.csv\n  \
    cat tickets.jsonl | defuse score - > scored.jsonl\n\n\
    Tickets that cannot be scored are listed in OUT.errors.jsonl (on standard error without -o), and the exit code is 3."
)]
pub(super) struct Args {
    /// .jsonl, .ndjson, .csv or .tsv files, or - for JSON Lines from standard input
    #[arg(default_value = "-")]
    inputs: Vec<String>,
    /// File for the results; standard output without it
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Format of the results: jsonl or csv; by default that of the extension of OUT
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Column with the text, for tables
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Column with the id, for tables
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column with the language tag, for tables
    #[arg(long, value_name = "NAME")]
    language_column: Option<String>,
    /// With near misses and counterfactuals
    #[arg(long)]
    explain: bool,
    /// Without strategies: smaller rows
    #[arg(long)]
    no_strategies: bool,
    /// Language of the advice
    #[arg(long, default_value = "en", value_name = "TAG")]
    guidance_language: String,
    /// No progress display and no summary
    #[arg(long)]
    quiet: bool,
}

/// Tickets scored at once: keeps all threads busy in bounded memory.
const BATCH: usize = 512;

pub(super) fn run(args: &Args, shared: &super::Shared) -> anyhow::Result<u8> {
    let format = output_format(args)?;
    for input in args.inputs.iter().filter(|i| *i != "-") {
        anyhow::ensure!(Path::new(input).is_file(), "{input}: no such file");
        if let Some(output) = &args.output {
            let same = std::fs::canonicalize(input).ok() == std::fs::canonicalize(output).ok();
            anyhow::ensure!(!same, "{input}: input and output are the same file");
        }
    }
    let engine = shared.engine()?;
    let out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
        None => Box::new(std::io::stdout().lock()),
    };
    let mut job = Job {
        engine: &engine,
        request: Request {
            explain: args.explain,
            strategies: !args.no_strategies,
            guidance_language: args.guidance_language.clone(),
        },
        style: wire::Style { explain: args.explain, strategies: !args.no_strategies, ..wire::Style::default() },
        rows: Rows::begin(BufWriter::new(out), format)?,
        errors: Errors::new(args.output.as_deref()),
        bar: progress_bar(args),
        summary: Summary::default(),
    };
    let started = std::time::Instant::now();
    let scored = args.inputs.iter().try_for_each(|input| job.score(input, args).with_context(|| input.clone()));
    job.rows.finish()?;
    job.errors.finish()?;
    job.bar.finish_and_clear();
    scored?;
    if !args.quiet {
        eprint!("{}", job.summary.show(started.elapsed().as_secs_f64(), job.errors.path.as_deref()));
    }
    Ok(if job.summary.errors.is_empty() { super::DONE } else { super::PARTLY })
}

fn output_format(args: &Args) -> anyhow::Result<Format> {
    match (args.format.as_deref(), &args.output) {
        (Some("csv"), _) => Ok(Format::Csv),
        (None, Some(path)) => Ok(Format::of(&path.display().to_string())?),
        (Some("jsonl" | "ndjson"), _) | (None, None) => Ok(Format::JsonLines),
        (Some(other), _) => anyhow::bail!("--format {other:?}: this version writes jsonl and csv"),
    }
}

fn progress_bar(args: &Args) -> ProgressBar {
    if args.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes: Option<u64> = args.inputs.iter().map(|i| std::fs::metadata(i).map(|m| m.len()).ok()).sum();
    match sizes {
        Some(bytes) => {
            let style = ProgressStyle::with_template("{bar:30} {percent}% of {total_bytes}, {eta} left, {msg}");
            ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        }
        None => ProgressBar::new_spinner(),
    }
}

struct Job<'a> {
    engine: &'a Engine,
    request: Request,
    style: wire::Style,
    rows: Rows<BufWriter<Box<dyn Write>>>,
    errors: Errors,
    bar: ProgressBar,
    summary: Summary,
}

impl Job<'_> {
    fn score(&mut self, input: &str, args: &Args) -> anyhow::Result<()> {
        let columns = Columns {
            text: args.text_column.clone(),
            id: args.id_column.clone(),
            language: args.language_column.clone(),
        };
        let bar = self.bar.clone();
        let (reader, format): (Box<dyn BufRead>, Format) = if input == "-" {
            (Box::new(BufReader::new(bar.wrap_read(std::io::stdin().lock()))), Format::JsonLines)
        } else {
            (Box::new(BufReader::with_capacity(1 << 16, bar.wrap_read(File::open(input)?))), Format::of(input)?)
        };
        let tickets = archive::tickets(reader, format, &columns)?;
        if !args.quiet {
            for remark in &tickets.remarks {
                eprintln!("{input}: {remark}");
            }
        }
        let mut batch: Vec<(u64, usize, Message)> = Vec::with_capacity(BATCH);
        for (index, ticket) in tickets.enumerate() {
            match ticket {
                Ok(Ok((line, message))) => batch.push((line, index, message)),
                Ok(Err(record)) => self.refuse(input, &record)?,
                Err(error) => {
                    // What was read before the archive broke off is not lost.
                    self.flush(input, &mut batch)?;
                    return Err(error.into());
                }
            }
            if batch.len() == BATCH {
                self.flush(input, &mut batch)?;
            }
        }
        self.flush(input, &mut batch)
    }

    fn flush(&mut self, input: &str, batch: &mut Vec<(u64, usize, Message)>) -> anyhow::Result<()> {
        let (places, messages): (Vec<(u64, usize)>, Vec<Message>) =
            batch.drain(..).map(|(l, i, m)| ((l, i), m)).unzip();
        let results = self.engine.analyze_batch(&messages, &self.request);
        for (((line, index), message), result) in places.into_iter().zip(&messages).zip(results) {
            match result {
                Ok(analysis) => {
                    self.summary.count(&analysis);
                    self.rows.write(&wire::result(message, index, analysis, &self.style))?;
                }
                Err(error) => {
                    let id = Some(message.id.clone().into());
                    self.refuse(
                        input,
                        &ErrorRecord { line, index, id, code: error.code().to_owned(), message: error.to_string() },
                    )?;
                }
            }
        }
        self.bar.set_message(format!("{} tickets", self.summary.scored));
        Ok(())
    }

    fn refuse(&mut self, input: &str, record: &ErrorRecord) -> anyhow::Result<()> {
        *self.summary.errors.entry(record.code.clone()).or_default() += 1;
        self.errors.write(input, record)
    }
}

/// Error records: in a file beside the output that is made when the first one comes.
struct Errors {
    path: Option<PathBuf>,
    file: Option<BufWriter<File>>,
}

impl Errors {
    fn new(output: Option<&Path>) -> Self {
        let path = output.map(|o| {
            let mut name = o.as_os_str().to_owned();
            name.push(".errors.jsonl");
            PathBuf::from(name)
        });
        // What an earlier run left would be taken for this one's.
        if let Some(path) = &path {
            let _ = std::fs::remove_file(path);
        }
        Self { path, file: None }
    }

    fn write(&mut self, input: &str, record: &ErrorRecord) -> anyhow::Result<()> {
        let mut value = serde_json::to_value(record)?;
        if let Some(object) = value.as_object_mut() {
            object.insert("file".to_owned(), input.into());
        }
        let Some(path) = &self.path else {
            eprintln!("{value}");
            return Ok(());
        };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(File::create(path).with_context(|| path.display().to_string())?)),
        };
        writeln!(file, "{value}")?;
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if let Some(file) = &mut self.file {
            file.flush()?;
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Summary {
    scored: usize,
    languages: BTreeMap<String, usize>,
    priorities: BTreeMap<crate::domain::Level, usize>,
    errors: BTreeMap<String, usize>,
}

impl Summary {
    fn count(&mut self, analysis: &crate::domain::Analysis) {
        self.scored += 1;
        *self.languages.entry(analysis.language.tag.clone()).or_default() += 1;
        *self.priorities.entry(analysis.priority.level).or_default() += 1;
    }

    fn show(&self, seconds: f64, errors: Option<&Path>) -> String {
        use std::fmt::Write as _;
        let failed: usize = self.errors.values().sum();
        let list = |items: Vec<(String, usize)>| {
            items.into_iter().map(|(k, n)| format!("{k} {n}")).collect::<Vec<_>>().join(", ")
        };
        let mut out = format!(
            "{} tickets read: {} scored, {failed} errors; {:.0} tickets per second\n",
            self.scored + failed,
            self.scored,
            (self.scored + failed) as f64 / seconds.max(1e-9)
        );
        let priorities = self.priorities.iter().rev().map(|(l, n)| (l.name().to_owned(), *n)).collect();
        let languages = self.languages.iter().map(|(l, n)| (l.clone(), *n)).collect();
        let _ = writeln!(
            out,
            "priorities: {}
languages: {}",
            list(priorities),
            list(languages)
        );
        if failed > 0 {
            let kinds = list(self.errors.iter().map(|(k, n)| (k.clone(), *n)).collect());
            let place = errors.map_or("listed above".to_owned(), |p| format!("listed in {}", p.display()));
            let _ = writeln!(out, "errors: {kinds}; {place}");
        }
        out
    }
}
