//! Owns `defuse eval`: labelled messages in, a table of figures out.
//! Knows files and tables; how a figure is counted is `training::evaluation`'s.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use comfy_table::{Table, presets};

use crate::domain::{Analysis, DocumentId, Message};
use crate::engine::{Engine, Request};
use crate::training::evaluation::{self, Figure, Found, Report};
use crate::training::functional;
use crate::training::{self, Labelled};

/// Measures quality against labelled messages (JSON Lines, see fixtures/GUIDELINES.md)
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command, each by itself")]
#[command(
    after_help = "Examples:\n  defuse eval fixtures/messages\n  defuse eval fixtures/messages --markdown > QUALITY.md\n  defuse eval mine.jsonl --misses | less\n  defuse eval --functional fixtures/functional"
)]
pub(super) struct Args {
    /// Files, or folders of .jsonl files
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// All figures with their intervals as JSON
    #[arg(long)]
    json: bool,
    /// A page in Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Every message with a wrong cue or priority
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    misses: bool,
    /// The inputs are functional tests (fixtures/functional): prints what fails and a table
    #[arg(long, conflicts_with_all = ["json", "misses"])]
    functional: bool,
}

pub(super) fn run(args: &Args, shared: &super::Shared) -> anyhow::Result<u8> {
    if args.functional {
        return functional(args, shared);
    }
    let messages = read(&args.inputs)?;
    let engine = shared.engine()?;
    let pairs = analyse(&engine, messages)?;
    if args.misses {
        print!("{}", misses(&pairs));
        return Ok(super::DONE);
    }
    let report = evaluation::report(&pairs);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else if args.markdown {
        print!("{}", markdown(&report, &engine));
    } else {
        print!("{}", tables(&report));
    }
    Ok(super::DONE)
}

/// Runs functional tests. Fails if a case fails that is not known to, or passes though it is.
fn functional(args: &Args, shared: &super::Shared) -> anyhow::Result<u8> {
    let mut cases = Vec::new();
    for file in files(&args.inputs)? {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        cases.extend(functional::parse(&file.display().to_string(), &text)?);
    }
    let engine = shared.engine()?;
    let messages: Vec<Message> =
        cases.iter().map(|c| Message::new(DocumentId::Text(c.id.clone()), c.text.clone())).collect();
    let mut passed = Vec::with_capacity(cases.len());
    let mut surprises = 0_usize;
    for (case, result) in cases.iter().zip(engine.analyze_batch(&messages, &Request::default())) {
        let ok = case.passes(&result.with_context(|| format!("case {}", case.id))?);
        passed.push(ok);
        if ok != case.known.is_none() {
            surprises += 1;
        }
        if !ok && !args.markdown {
            let wrong = if case.expect { "missed" } else { "given" };
            println!("{} {} {} {wrong}: {}", case.id, case.cue, case.kind, case.text);
        }
    }
    print!("{}", functional::table(cases.iter().zip(passed.iter().copied())));
    if surprises > 0 {
        eprintln!("{surprises} cases fail without `known`, or pass with it");
    }
    Ok(if surprises == 0 { super::DONE } else { super::FAILED })
}

/// All labelled messages of files and folders, in order of the file names.
pub(super) fn read(inputs: &[PathBuf]) -> anyhow::Result<Vec<Labelled>> {
    let mut messages = Vec::new();
    for file in files(inputs)? {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        messages.extend(training::parse(&file.display().to_string(), &text)?);
    }
    anyhow::ensure!(
        !messages.is_empty(),
        "no labelled message in {}",
        inputs.iter().map(|i| i.display().to_string()).collect::<Vec<_>>().join(", ")
    );
    Ok(messages)
}

fn files(inputs: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            let entries = std::fs::read_dir(input).with_context(|| input.display().to_string())?;
            let mut inside: Vec<PathBuf> =
                entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "jsonl")).collect();
            inside.sort();
            anyhow::ensure!(!inside.is_empty(), "{}: no .jsonl file in this folder", input.display());
            files.extend(inside);
        } else {
            files.push(input.clone());
        }
    }
    Ok(files)
}

fn analyse(engine: &Engine, labelled: Vec<Labelled>) -> anyhow::Result<Vec<(Labelled, Analysis)>> {
    let messages: Vec<Message> =
        labelled.iter().map(|l| Message::new(DocumentId::Text(l.id.clone()), l.text.clone())).collect();
    let request = Request { explain: true, strategies: false, ..Request::default() };
    let results = engine.analyze_batch(&messages, &request);
    labelled
        .into_iter()
        .zip(results)
        .map(|(label, result)| {
            let analysis = result.with_context(|| format!("message {}", label.id))?;
            Ok((label, analysis))
        })
        .collect()
}

fn percent(figure: &Figure) -> String {
    format!("{:.1}", figure.value * 100.0)
}

fn with_interval(figure: &Figure) -> String {
    format!("{:.1} [{:.1}, {:.1}]", figure.value * 100.0, figure.low * 100.0, figure.high * 100.0)
}

fn markdown_table(header: &[&str], rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header.to_vec());
    table.add_rows(rows);
    table
}

fn overall(report: &Report) -> Table {
    let all = &report.all;
    let pair = |name: &str, found: &Found| {
        [("precision", &found.precision), ("recall", &found.recall), ("F1", &found.f1)]
            .map(|(kind, figure)| vec![format!("{name}, {kind}"), with_interval(figure)])
    };
    let single = |name: &str, figure: &Figure| vec![name.to_owned(), with_interval(figure)];
    let mut rows = vec![
        single("language", &all.language),
        single("sentiment, macro-F1", &all.sentiment_macro_f1),
        vec!["sentiment, expected calibration error".to_owned(), format!("{:.3}", all.sentiment_calibration_error)],
        single("anger, exact", &all.anger_exact),
        single("anger, within one level", &all.anger_within_one),
        vec!["«anger ≥ 2», AUC".to_owned(), format!("{:.3}", all.anger_auc)],
    ];
    rows.extend(pair("cues", &all.cues));
    rows.push(single("cue spans, F1", &all.spans.f1));
    rows.push(single("hard negatives clean", &all.hard_negatives_clean));
    rows.extend(pair("violence and self-harm", &all.safety).into_iter().take(2));
    rows.push(single("priority, exact", &all.priority));
    rows.extend(pair("«high or urgent»", &all.high_or_urgent).into_iter().take(2));
    rows.extend(pair("«urgent»", &all.urgent).into_iter().take(2));
    rows.push(vec!["escalation score for «high or urgent», AUC".to_owned(), format!("{:.3}", all.escalation_auc)]);
    markdown_table(&["figure", "% [95 % interval]"], rows)
}

fn by_cue(report: &Report) -> Table {
    let rows = report
        .all
        .per_cue
        .iter()
        .map(|(cue, f)| {
            vec![cue.clone(), percent(&f.precision), percent(&f.recall), percent(&f.f1), f.recall.n.to_string()]
        })
        .collect();
    markdown_table(&["cue", "precision", "recall", "F1", "labelled"], rows)
}

fn by_language(report: &Report) -> Table {
    let rows = report
        .languages
        .iter()
        .map(|(tag, q)| {
            vec![
                tag.clone(),
                q.messages.to_string(),
                percent(&q.language),
                percent(&q.sentiment_macro_f1),
                percent(&q.anger_within_one),
                percent(&q.cues.precision),
                percent(&q.cues.recall),
                percent(&q.cues.f1),
                percent(&q.hard_negatives_clean),
                percent(&q.priority),
                percent(&q.high_or_urgent.recall),
                percent(&q.high_or_urgent.precision),
            ]
        })
        .collect();
    let header = [
        "language",
        "messages",
        "detected",
        "sentiment F1",
        "anger ±1",
        "cue P",
        "cue R",
        "cue F1",
        "HN clean",
        "priority",
        "high+ R",
        "high+ P",
    ];
    markdown_table(&header, rows)
}

fn tables(report: &Report) -> String {
    format!(
        "{} messages\n\n{}\n\n{}\n\n{}\n",
        report.all.messages,
        overall(report),
        by_cue(report),
        by_language(report)
    )
}

fn markdown(report: &Report, engine: &Engine) -> String {
    let provenance = engine.provenance();
    format!(
        "# Quality\n\nWritten by `defuse eval fixtures/messages --markdown > QUALITY.md`; do not edit. How each figure is \
         counted is said in the documentation of `training::evaluation`; what the labels mean, in `fixtures/GUIDELINES.md`.\n\n\
         {} messages; model {} {}, packs {}, policy {}.\n\n## All languages\n\n{}\n\n## By cue\n\n{}\n\n## By language\n\n{}\n",
        report.all.messages,
        provenance.model.id,
        provenance.model.revision,
        provenance.packs,
        provenance.policy,
        overall(report),
        by_cue(report),
        by_language(report),
    )
}

/// A paragraph per message whose cues or priority are wrong.
fn misses(pairs: &[(Labelled, Analysis)]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (label, analysis) in pairs {
        let wanted: BTreeSet<&str> = label.cues.iter().flatten().map(|c| c.cue.as_str()).collect();
        let given: BTreeSet<&str> = analysis.cues.iter().map(|h| &*h.cue).collect();
        let wrong_priority = label.priority.is_some_and(|p| p != analysis.priority.level);
        if wanted == given && !wrong_priority {
            continue;
        }
        let _ = writeln!(out, "{} {}", label.id, label.text.replace('\n', " ⏎ "));
        for cue in wanted.difference(&given) {
            let words: Vec<&str> =
                label.cues.iter().flatten().filter(|c| c.cue == *cue).map(|c| c.text.as_str()).collect();
            let near = analysis.suppressed.iter().find(|s| &*s.hit.cue == *cue);
            let why = near.map_or(String::new(), |s| format!(" ({} took back {})", s.reason.name(), s.hit.rule));
            let _ = writeln!(out, "  missed {cue}: «{}»{why}", words.join("», «"));
        }
        for hit in analysis.cues.iter().filter(|h| !wanted.contains(&*h.cue)) {
            let _ = writeln!(
                out,
                "  wrong {}: «{}» by {}",
                hit.cue,
                label.text.get(hit.span.clone()).unwrap_or_default(),
                hit.rule
            );
        }
        if let (Some(priority), true) = (label.priority, wrong_priority) {
            let reasons: Vec<&str> = analysis.priority.reasons.iter().map(|r| r.signal.as_str()).collect();
            let _ = writeln!(
                out,
                "  priority {} instead of {} (anger {} of {:?}; {})",
                analysis.priority.level.name(),
                priority.name(),
                analysis.anger.level,
                label.anger,
                reasons.join(", ")
            );
        }
    }
    out
}
