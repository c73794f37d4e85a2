//! Owns reading a request: JSON into messages and options, every wrong field told at once.
//! Knows the contract's names and limits, not what is done with a message.

use serde_json::{Map, Value};

use crate::domain::Message;
use crate::engine::Request;
use crate::packs::Packs;
use crate::wire::{self, Helpdesk, OffsetUnit, Style};

use super::Limits;
use super::problem::{FieldError, Problem};

/// A request to score.
#[derive(Debug)]
pub(super) struct ScoreRequest {
    pub messages: Vec<Message>,
    pub request: Request,
    pub style: Style,
}

const OPTION_KEYS: [&str; 5] = ["explain", "strategies", "guidance_language", "offset_unit", "priority_for"];

/// Parses a body as JSON.
pub(super) fn json(body: &[u8]) -> Result<Value, Problem> {
    let text = std::str::from_utf8(body).map_err(|e| Problem::not_utf8(e.valid_up_to()))?;
    serde_json::from_str(text).map_err(|e| Problem::not_json(&e))
}

/// Reads a request to score.
pub(super) fn score_request(value: &Value, packs: &Packs, limits: &Limits) -> Result<ScoreRequest, Problem> {
    let mut errors = Vec::new();
    let Some(object) = value.as_object() else {
        return Err(Problem::invalid(vec![field(
            "",
            format!("expected an object with \"documents\", found {}", wire::kind(value)),
        )]));
    };
    unknown(object, &["documents", "options"], "", &mut errors);
    let (request, style) = options(object.get("options"), packs, &mut errors);
    let documents = match object.get("documents") {
        Some(Value::Array(documents)) if documents.is_empty() => {
            errors.push(field("/documents", "at least one document is needed"));
            &[][..]
        }
        Some(Value::Array(documents)) => documents,
        Some(other) => {
            errors.push(field("/documents", format!("expected an array, found {}", wire::kind(other))));
            &[]
        }
        None => {
            errors.push(field("/documents", "is required"));
            &[]
        }
    };
    if documents.len() > limits.batch {
        return Err(Problem::batch_too_large(documents.len(), limits.batch));
    }
    let mut messages = Vec::with_capacity(documents.len());
    for (index, document) in documents.iter().enumerate() {
        match wire::message(document, index, true) {
            Ok(message) => messages.push(message),
            Err(found) => errors.extend(found.into_iter().map(|e| {
                let slash = if e.field.is_empty() { "" } else { "/" };
                field(&format!("/documents/{index}{slash}{}", e.field), e.what)
            })),
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let unserved: Vec<FieldError> = messages
        .iter()
        .enumerate()
        .filter_map(|(index, m)| {
            let tag = m.language.as_ref().filter(|tag| packs.resolve(tag).is_none())?;
            Some(field(&format!("/documents/{index}/language"), no_pack(tag, packs)))
        })
        .collect();
    if unserved.is_empty() {
        Ok(ScoreRequest { messages, request, style })
    } else {
        Err(Problem::unsupported_language(unserved))
    }
}

fn no_pack(tag: &str, packs: &Packs) -> String {
    let shown: String = tag.chars().take(20).collect();
    format!(
        "no language pack serves {shown:?}; loaded: {}; leave it out to detect",
        packs.languages.keys().cloned().collect::<Vec<_>>().join(", ")
    )
}

fn options(value: Option<&Value>, packs: &Packs, errors: &mut Vec<FieldError>) -> (Request, Style) {
    let mut request = Request::default();
    let mut style = Style { strategies: true, ..Style::default() };
    let object = match value {
        None | Some(Value::Null) => return (request, style),
        Some(Value::Object(object)) => object,
        Some(other) => {
            errors.push(field("/options", format!("expected an object, found {}", wire::kind(other))));
            return (request, style);
        }
    };
    unknown(object, &OPTION_KEYS, "/options", errors);
    let mut flag = |name: &str, default: bool| match object.get(name) {
        None => default,
        Some(Value::Bool(flag)) => *flag,
        Some(other) => {
            errors.push(field(
                &format!("/options/{name}"),
                format!("expected true or false, found {}", wire::kind(other)),
            ));
            default
        }
    };
    request.explain = flag("explain", false);
    request.strategies = flag("strategies", true);
    style.explain = request.explain;
    style.strategies = request.strategies;
    match object.get("guidance_language") {
        None => {}
        Some(Value::String(tag)) if packs.resolve(tag).is_some() => request.guidance_language.clone_from(tag),
        Some(Value::String(tag)) => errors.push(field("/options/guidance_language", no_pack(tag, packs))),
        Some(other) => {
            errors.push(field("/options/guidance_language", format!("expected a string, found {}", wire::kind(other))));
        }
    }
    if let Some(value) = object.get("offset_unit") {
        match serde_json::from_value::<OffsetUnit>(value.clone()) {
            Ok(unit) => style.unit = unit,
            Err(_) => errors.push(field("/options/offset_unit", "expected codepoint, utf8 or utf16")),
        }
    }
    if let Some(value) = object.get("priority_for") {
        match serde_json::from_value::<Helpdesk>(value.clone()) {
            Ok(helpdesk) => style.helpdesk = Some(helpdesk),
            Err(_) => errors.push(field(
                "/options/priority_for",
                "expected zendesk, freshdesk, chatwoot, zammad, frappe, jira or servicenow",
            )),
        }
    }
    (request, style)
}

fn unknown(object: &Map<String, Value>, known: &[&str], at: &str, errors: &mut Vec<FieldError>) {
    for key in object.keys().filter(|k| !known.contains(&k.as_str())) {
        errors.push(field(&format!("{at}/{}", escape(key)), format!("unknown key; known: {}", known.join(", "))));
    }
}

/// A key as part of a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn field(pointer: &str, detail: impl Into<String>) -> FieldError {
    FieldError { pointer: pointer.to_owned(), detail: detail.into() }
}
