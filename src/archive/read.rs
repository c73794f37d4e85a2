//! Owns reading archives ticket by ticket in bounded memory.
//! Knows JSON Lines and CSV; a bad record becomes an error record and the next one is read.

use std::cell::Cell;
use std::io::{BufRead, Read};
use std::rc::Rc;

use crate::domain::{Channel, DocumentId, Message, Metadata};
use crate::wire;

use super::{ArchiveError, ErrorRecord, Format};

/// Longest line of JSON that is read, in bytes: beyond it the record is an error and is skipped.
const MAX_LINE: usize = 64 << 20;

/// Names of the columns of a table; where absent they are guessed.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Column with the text.
    pub text: Option<String>,
    /// Column with the id.
    pub id: Option<String>,
    /// Column with the language tag.
    pub language: Option<String>,
}

/// A ticket with the line it begins on, or why it could not be read.
pub type Ticket = Result<(u64, Message), ErrorRecord>;

/// The tickets of an archive, one after the other.
pub struct Tickets<'a> {
    next: Box<dyn FnMut() -> Option<Result<Ticket, ArchiveError>> + 'a>,
    /// What was guessed about the archive, for people.
    pub remarks: Vec<String>,
}

impl std::fmt::Debug for Tickets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tickets").field("remarks", &self.remarks).finish_non_exhaustive()
    }
}

impl Iterator for Tickets<'_> {
    type Item = Result<Ticket, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.next)()
    }
}

/// Opens an archive.
///
/// # Errors
/// The header cannot be read, or has no column for the text.
pub fn tickets<'a>(input: impl BufRead + 'a, format: Format, columns: &Columns) -> Result<Tickets<'a>, ArchiveError> {
    match format {
        Format::JsonLines => Ok(json_lines(input)),
        Format::Csv => table(input, columns),
    }
}

fn json_lines<'a>(mut input: impl BufRead + 'a) -> Tickets<'a> {
    let (mut line, mut index) = (0_u64, 0_usize);
    let next = move || loop {
        let bytes = match read_line(&mut input) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return None,
            Err(e) => return Some(Err(e.into())),
        };
        line += 1;
        let record = match bytes {
            Line::Long => Some(Err(("line_too_long", format!("the line is longer than {MAX_LINE} bytes")))),
            Line::Bytes(bytes) => json(&bytes, line, index),
        };
        let Some(record) = record else { continue };
        let ticket = record.map(|m| (line, m)).map_err(|(code, message)| ErrorRecord {
            line,
            index,
            id: None,
            code: code.to_owned(),
            message,
        });
        index += 1;
        return Some(Ok(ticket));
    };
    Tickets { next: Box::new(next), remarks: Vec::new() }
}

enum Line {
    Bytes(Vec<u8>),
    Long,
}

/// The next line without its end, or `None` at the end of the input.
fn read_line(input: &mut impl BufRead) -> std::io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if read > MAX_LINE {
        skip_line(input)?;
        return Ok(Some(Line::Long));
    }
    Ok(Some(Line::Bytes(bytes)))
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, done) = match buffer.iter().position(|&b| b == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

type Refused = (&'static str, String);

/// A message of a line of JSON; `None` for an empty line.
fn json(bytes: &[u8], line: u64, index: usize) -> Option<Result<Message, Refused>> {
    let bytes = if line == 1 { bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes) } else { bytes };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => return None,
        Ok(text) => text,
        Err(e) => {
            return Some(Err(("invalid_utf8", format!("byte {} of the line is not valid UTF-8", e.valid_up_to() + 1))));
        }
    };
    let value: serde_json::Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(e) => return Some(Err(("invalid_json", format!("not a JSON object: {e}")))),
    };
    let value = lenient(value);
    Some(
        wire::message(&value, index, false).map_err(|errors| {
            ("invalid_document", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }),
    )
}

/// Archives name channels as they like: what is not known is `other`.
fn lenient(mut value: serde_json::Value) -> serde_json::Value {
    if let Some(channel) = value.get_mut("channel")
        && let Some(name) = channel.as_str()
        && Channel::parse(name).is_none()
    {
        *channel = Channel::Other.name().into();
    }
    value
}

/// Where each known column stands.
#[derive(Debug, Default)]
struct Places {
    text: usize,
    id: Option<usize>,
    language: Option<usize>,
    channel: Option<usize>,
    previous_contacts: Option<usize>,
    reopened: Option<usize>,
    hours_waiting: Option<usize>,
    vip: Option<usize>,
    width: usize,
}

const TEXT_NAMES: [&str; 8] = ["text", "body", "message", "description", "comment", "content", "ticket_text", "review"];
const ID_NAMES: [&str; 5] = ["id", "ticket_id", "ticket id", "conversation_id", "number"];
const LANGUAGE_NAMES: [&str; 3] = ["language", "lang", "locale"];

fn table<'a>(mut input: impl BufRead + 'a, columns: &Columns) -> Result<Tickets<'a>, ArchiveError> {
    let head = input.fill_buf()?;
    let bom = head.starts_with(b"\xEF\xBB\xBF");
    let first_line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    let delimiter = delimiter(first_line);
    // The reader counts a line when it sees its «\n», which after «\r» belongs to the next record.
    let late = u64::from(first_line.ends_with(b"\r"));
    if bom {
        input.consume(3);
    }
    let quotes = Rc::new(Cell::new(0_u64));
    let counted = Quotes { input, seen: Rc::clone(&quotes) };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(counted);
    let header: Vec<String> =
        reader.byte_headers()?.iter().map(|h| String::from_utf8_lossy(h).trim().to_owned()).collect();
    let (places, remarks) = places(&header, columns, delimiter)?;
    let mut index = 0;
    let mut record = csv::ByteRecord::new();
    // One ticket is held back: only the end of the file tells whether the last one is whole.
    let mut pending: Option<Ticket> = None;
    let mut failed: Option<csv::Error> = None;
    let next = move || loop {
        if let Some(error) = failed.take() {
            return Some(Err(error.into()));
        }
        match reader.read_byte_record(&mut record) {
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line) + late;
                let id = id_of(&record, &places, index);
                let ticket = row(&record, &places, id.clone()).map(|m| (line, m)).map_err(|(code, message)| {
                    ErrorRecord { line, index, id: Some(id.into()), code: code.to_owned(), message }
                });
                index += 1;
                if let Some(before) = pending.replace(ticket) {
                    return Some(Ok(before));
                }
            }
            Ok(false) => {
                let last = pending.take()?;
                let open = quotes.get() % 2 == 1;
                return Some(Ok(if open { unclosed(last, index - 1) } else { last }));
            }
            Err(error) => {
                failed = Some(error);
                if let Some(before) = pending.take() {
                    return Some(Ok(before));
                }
            }
        }
    };
    Ok(Tickets { next: Box::new(next), remarks })
}

/// The last ticket of a file with an odd number of quotation marks: it swallowed what follows it.
fn unclosed(ticket: Ticket, index: usize) -> Ticket {
    let (line, message) = ticket?;
    let what = "a quotation mark opens here or before and is never closed, so that this and all following tickets are one \
                record; close it and score the file again";
    let id = Some(message.id.into());
    Err(ErrorRecord { line, index, id, code: "unclosed_quote".to_owned(), message: what.to_owned() })
}

/// Counts the quotation marks that pass by.
struct Quotes<R> {
    input: R,
    seen: Rc<Cell<u64>>,
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        let marks = buffer.get(..read).unwrap_or_default().split(|&b| b == b'"').count() - 1;
        self.seen.set(self.seen.get() + marks as u64);
        Ok(read)
    }
}

/// The delimiter that stands most often in the header.
fn delimiter(header: &[u8]) -> u8 {
    let count = |d: u8| header.split(|&b| b == d).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|&d| count(d)).unwrap_or(b',')
}

fn places(header: &[String], columns: &Columns, delimiter: u8) -> Result<(Places, Vec<String>), ArchiveError> {
    let at = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    let any = |names: &[&str]| names.iter().find_map(|n| at(n));
    let missing = |wanted: &str| ArchiveError::Column { line: 1, wanted: wanted.to_owned(), found: header.join(", ") };
    let named = |name: &Option<String>, names: &[&str]| match name {
        Some(name) => at(name).map(Some).ok_or_else(|| missing(&format!("{name:?}"))),
        None => Ok(any(names)),
    };
    let text = named(&columns.text, &TEXT_NAMES)?
        .ok_or_else(|| missing(&format!("for the text ({})", TEXT_NAMES.join(", "))))?;
    let places = Places {
        text,
        id: named(&columns.id, &ID_NAMES)?,
        language: named(&columns.language, &LANGUAGE_NAMES)?,
        channel: at("channel"),
        previous_contacts: at("previous_contacts"),
        reopened: at("reopened"),
        hours_waiting: at("hours_waiting"),
        vip: at("vip"),
        width: header.len(),
    };
    let name = |place: Option<usize>| place.and_then(|p| header.get(p)).map_or("none".to_owned(), |n| format!("{n:?}"));
    let separated = match delimiter {
        b'\t' => "tabs",
        b';' => "semicolons",
        _ => "commas",
    };
    let remark = format!(
        "columns separated by {separated}; text {}, id {}, language {}",
        name(Some(places.text)),
        name(places.id),
        name(places.language)
    );
    Ok((places, vec![remark]))
}

fn id_of(record: &csv::ByteRecord, places: &Places, index: usize) -> DocumentId {
    let id = places.id.and_then(|p| record.get(p)).map(|b| String::from_utf8_lossy(b).trim().to_owned());
    DocumentId::Text(id.filter(|id| !id.is_empty()).unwrap_or_else(|| index.to_string()))
}

fn row(record: &csv::ByteRecord, places: &Places, id: DocumentId) -> Result<Message, Refused> {
    if record.len() != places.width {
        return Err(("wrong_width", format!("{} columns, but the header has {}", record.len(), places.width)));
    }
    let field = |place: Option<usize>| -> Result<Option<&str>, Refused> {
        let Some(bytes) = place.and_then(|p| record.get(p)) else { return Ok(None) };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| ("invalid_utf8", "a column is not valid UTF-8; convert the file to UTF-8".to_owned()))?;
        Ok(Some(text).filter(|t| !t.trim().is_empty()))
    };
    let number = |place: Option<usize>, name: &str| -> Result<f64, Refused> {
        match field(place)? {
            None => Ok(0.0),
            Some(text) => text
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|n| *n >= 0.0)
                .ok_or_else(|| ("invalid_document", format!("{name}: expected a number, 0 or more"))),
        }
    };
    let metadata = Metadata {
        previous_contacts: whole(number(places.previous_contacts, "previous_contacts")?),
        reopened: whole(number(places.reopened, "reopened")?),
        hours_waiting: number(places.hours_waiting, "hours_waiting")?,
        vip: matches!(field(places.vip)?.map(str::to_lowercase).as_deref(), Some("true" | "1" | "yes")),
    };
    let language = field(places.language)?.map(|l| l.trim().to_owned());
    let channel = field(places.channel)?.map(|c| Channel::parse(&c.trim().to_lowercase()).unwrap_or(Channel::Other));
    let text = field(Some(places.text))?.unwrap_or_default().to_owned();
    Ok(Message { language, channel, metadata, ..Message::new(id, text) })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; a count is never that large")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = Result<(u64, String, String), (u64, String)>;

    fn read(text: &[u8], format: Format) -> Vec<Seen> {
        tickets(text, format, &Columns::default())
            .unwrap()
            .map(|t| t.unwrap().map(|(line, m)| (line, m.id.to_string(), m.text)).map_err(|e| (e.line, e.code)))
            .collect()
    }

    macro_rules! ok {
        ($line:literal, $id:literal, $text:literal) => {
            Ok(($line, $id.to_owned(), $text.to_owned()))
        };
    }

    macro_rules! err {
        ($line:literal, $code:literal) => {
            Err(($line, $code.to_owned()))
        };
    }

    #[test]
    fn every_line_of_json_is_a_ticket_or_an_error() {
        let text = b"\xEF\xBB\xBF{\"id\":\"a\",\"text\":\"one\",\"extra\":1}\r\n\n{\"text\":2}\n{oops\n{\"text\":\"\xFF\"}\n{\"id\":5,\"text\":\"six\"}";
        assert_eq!(
            read(text, Format::JsonLines),
            [
                ok!(1, "a", "one"),
                err!(3, "invalid_document"),
                err!(4, "invalid_json"),
                err!(5, "invalid_utf8"),
                ok!(6, "5", "six")
            ]
        );
    }

    #[test]
    fn tables_with_all_their_habits() {
        let text = b"\xEF\xBB\xBFid;Body;reopened\r\n1;\"two\r\nlines \"\"q\"\"\";0\r\n2;;\r\n3;x\r\n4;\xFF;0\r\n5;ok;many\r\n";
        assert_eq!(
            read(text, Format::Csv),
            [
                ok!(2, "1", "two\r\nlines \"q\""),
                ok!(4, "2", ""),
                err!(5, "wrong_width"),
                err!(6, "invalid_utf8"),
                err!(7, "invalid_document")
            ]
        );
    }

    #[test]
    fn an_open_quote_is_told_and_not_scored() {
        assert_eq!(
            read(b"id,text\n1,fine\n2,\"Hello\n3,I sue\n4,x\n", Format::Csv),
            [ok!(2, "1", "fine"), err!(3, "unclosed_quote")]
        );
    }

    #[test]
    fn a_table_without_a_text_column_says_what_it_has() {
        let error = tickets(&b"a,b\n1,2\n"[..], Format::Csv, &Columns::default()).unwrap_err().to_string();
        assert!(error.contains("a, b") && error.contains("--text-column"), "{error}");
    }
}
