//! Owns `defuse explain`: one message, shown to a person.
//! Knows terminals and colours, not how anything was found.

use std::io::{IsTerminal as _, Read as _, Write};

use anstyle::{AnsiColor, Style};

use crate::domain::{Analysis, DocumentId, Message};
use crate::engine::Request;
use crate::wire;

/// Shows one message: coloured spans, why this priority, what would change it, what to say next
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  defuse explain \"I've had it. Third mail, no answer. Get me your manager!\"\n  pbpaste | defuse explain -"
)]
pub(super) struct Args {
    /// The message, or - to read it from standard input
    text: String,
    /// Language tag, if detection is not wanted
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Language of the advice
    #[arg(long, default_value = "en", value_name = "TAG")]
    guidance_language: String,
    /// The result as JSON, as the service gives it
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, shared: &super::Shared) -> anyhow::Result<u8> {
    let mut text = args.text.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text)?;
    }
    let engine = shared.engine()?;
    let message = Message { language: args.language.clone(), ..Message::new(DocumentId::Text("0".to_owned()), text) };
    let request = Request { explain: true, strategies: true, guidance_language: args.guidance_language.clone() };
    let analysis = engine.analyze(&message, &request)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let style = wire::Style { explain: true, strategies: true, ..wire::Style::default() };
        serde_json::to_writer_pretty(&mut out, &wire::result(&message, 0, analysis, &style))?;
        writeln!(out)?;
        return Ok(super::DONE);
    }
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    show(&mut out, &message.text, &analysis, engine.packs().policy.anger.bounds, colours)?;
    Ok(super::DONE)
}

fn paint(style: Style, text: &str, colours: bool) -> String {
    if colours { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn show(
    out: &mut impl Write,
    text: &str,
    analysis: &Analysis,
    anger_bounds: [f64; 3],
    colours: bool,
) -> std::io::Result<()> {
    let bold = Style::new().bold();
    let level_style = match analysis.priority.level {
        crate::domain::Level::Urgent => AnsiColor::Red.on_default().bold(),
        crate::domain::Level::High => AnsiColor::Yellow.on_default().bold(),
        crate::domain::Level::Normal => AnsiColor::Cyan.on_default().bold(),
        crate::domain::Level::Low => AnsiColor::Green.on_default().bold(),
    };
    writeln!(out, "{}\n", highlighted(text, analysis, colours))?;
    writeln!(
        out,
        "priority   {} ({} of 100)",
        paint(level_style, analysis.priority.level.name(), colours),
        analysis.priority.score
    )?;
    for reason in &analysis.priority.reasons {
        writeln!(out, "           {:>5}  {}", format!("+{}", reason.points), reason.signal)?;
    }
    let [negative, neutral, positive] = analysis.sentiment.probabilities;
    writeln!(
        out,
        "sentiment  {} (negative {:.0} %, neutral {:.0} %, positive {:.0} %)",
        analysis.sentiment.label().name(),
        negative * 100.0,
        neutral * 100.0,
        positive * 100.0
    )?;
    let sum: f64 = analysis.anger.parts.iter().map(|p| p.value).sum();
    let [mild, clear, rage] = anger_bounds;
    writeln!(
        out,
        "anger      {} of 3 (sum {sum:.2}; from {mild} mild, {clear} clear, {rage} rage)",
        analysis.anger.level
    )?;
    for part in &analysis.anger.parts {
        writeln!(out, "           {:>+5.2}  {}", part.value, part.name)?;
    }
    writeln!(out, "language   {} ({:.0} %)", analysis.language.tag, analysis.language.confidence * 100.0)?;
    let words = |span: &std::ops::Range<usize>| text.get(span.clone()).unwrap_or_default().replace('\n', " ");
    if !analysis.cues.is_empty() {
        writeln!(out, "\n{}", paint(bold, "Cues", colours))?;
        for hit in &analysis.cues {
            writeln!(out, "  {:<17} «{}»  {}", hit.cue, words(&hit.span), hit.rule)?;
        }
    }
    if !analysis.suppressed.is_empty() {
        writeln!(out, "\n{}", paint(bold, "Nearly", colours))?;
        for near in &analysis.suppressed {
            writeln!(
                out,
                "  {:<17} «{}»  {}: {}",
                near.hit.cue,
                words(&near.hit.span),
                near.reason.name(),
                near.hit.rule
            )?;
        }
    }
    if !analysis.counterfactuals.is_empty() {
        writeln!(out, "\n{}", paint(bold, "What would change it", colours))?;
        for counter in &analysis.counterfactuals {
            if let Some(hit) = analysis.cues.get(counter.cue) {
                writeln!(out, "  without «{}»: {} ({})", words(&hit.span), counter.level.name(), counter.score)?;
            }
        }
    }
    if !analysis.strategies.is_empty() {
        writeln!(out, "\n{}", paint(bold, "What to do", colours))?;
        for (number, step) in (1..).zip(&analysis.strategies) {
            let due = step.due.as_deref().map_or(String::new(), |d| format!(", due {d}"));
            writeln!(
                out,
                "  {number}. {} [{}{due}; because {}]",
                paint(bold, &step.title, colours),
                step.id,
                step.because.join(", ")
            )?;
            for line in &step.do_ {
                writeln!(out, "     + {line}")?;
            }
            for line in &step.avoid {
                writeln!(out, "     − {line}")?;
            }
            for phrase in &step.phrases {
                writeln!(out, "     «{}»", phrase.text)?;
            }
        }
    }
    if analysis.truncated {
        writeln!(out, "\nOnly the first {} characters were read.", analysis.characters_scored)?;
    }
    Ok(())
}

/// The text with its cues in colour; overlapping cues share the colour of the first.
fn highlighted(text: &str, analysis: &Analysis, colours: bool) -> String {
    let mut out = String::new();
    let mut at = 0;
    for hit in &analysis.cues {
        if hit.span.start < at {
            continue;
        }
        out.push_str(text.get(at..hit.span.start).unwrap_or_default());
        let style = AnsiColor::Red.on_default().underline();
        let words = text.get(hit.span.clone()).unwrap_or_default();
        let shown = if colours { paint(style, words, true) } else { ["[", words, "]"].concat() };
        out.push_str(&shown);
        at = hit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
