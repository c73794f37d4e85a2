//! Owns errors over HTTP: the one table of code → status → title (RFC 9457).
//! Knows no customer text: details name fields, limits and positions only.

use std::fmt;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    errors: Vec<FieldError>,
    allow: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
struct Kind {
    code: &'static str,
    status: u16,
    title: &'static str,
    /// Seconds after which trying again makes sense.
    retry: Option<u32>,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer into the request.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub detail: String,
}

#[derive(Serialize)]
struct View<'a> {
    #[serde(rename = "type")]
    type_: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

macro_rules! kinds {
    ($($name:ident: $code:literal, $status:literal, $title:literal, $retry:expr;)*) => {
        $(const $name: &Kind = &Kind { code: $code, status: $status, title: $title, retry: $retry };)*
    };
}

kinds! {
    NOT_JSON: "not_json", 400, "The body is not JSON", None;
    BAD_BODY: "bad_body", 400, "The body could not be read", None;
    NOT_FOUND: "not_found", 404, "No such route", None;
    WRONG_METHOD: "method_not_allowed", 405, "The route does not know this method", None;
    BODY_TOO_LARGE: "body_too_large", 413, "The body is too large", None;
    BATCH_TOO_LARGE: "batch_too_large", 413, "The request has too many documents", None;
    WRONG_MEDIA_TYPE: "unsupported_media_type", 415, "The body must be application/json", None;
    INVALID: "invalid_request", 422, "The request is not valid", None;
    UNSUPPORTED_LANGUAGE: "unsupported_language", 422, "No language pack serves a stated language", None;
    INTERNAL: "internal", 500, "The service failed", None;
    OVERLOADED: "overloaded", 503, "The service is busy", Some(1);
    TIMED_OUT: "timed_out", 503, "The request took too long", Some(5);
}

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), allow: None }
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code
    }

    /// The body is not JSON.
    #[must_use]
    pub fn not_json(error: &serde_json::Error) -> Self {
        // Only the position: the message of the parser could quote the body.
        Self::new(
            NOT_JSON,
            format!("the JSON breaks off or has a wrong sign at line {}, column {}", error.line(), error.column()),
        )
    }

    /// The body is no UTF-8.
    #[must_use]
    pub fn not_utf8(at: usize) -> Self {
        Self::new(NOT_JSON, format!("JSON is UTF-8, but byte {} of the body is not", at + 1))
    }

    /// The body broke off or could not be decoded.
    #[must_use]
    pub fn bad_body() -> Self {
        Self::new(
            BAD_BODY,
            "the body broke off or has an encoding that this service does not read; send it uncompressed",
        )
    }

    /// No such route.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(NOT_FOUND, "see GET /info for the routes")
    }

    /// No such playbook, cue or other thing of a route.
    #[must_use]
    pub fn nothing_there(what: &str) -> Self {
        Self::new(NOT_FOUND, what)
    }

    /// The route knows another method.
    #[must_use]
    pub fn wrong_method(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(WRONG_METHOD, format!("use {allow}")) }
    }

    /// The body is over the limit.
    #[must_use]
    pub fn body_too_large(limit: usize) -> Self {
        Self::new(BODY_TOO_LARGE, format!("at most {limit} bytes (--max-body-bytes); send fewer documents per request"))
    }

    /// There are too many documents.
    #[must_use]
    pub fn batch_too_large(found: usize, limit: usize) -> Self {
        Self::new(BATCH_TOO_LARGE, format!("{found} documents, at most {limit} (--max-batch); send several requests"))
    }

    /// The media type is not JSON.
    #[must_use]
    pub fn wrong_media_type() -> Self {
        Self::new(WRONG_MEDIA_TYPE, "send Content-Type: application/json")
    }

    /// Fields are missing, unknown or wrong.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors.first().map_or(String::new(), |e| format!("{}: {}", e.pointer, e.detail));
        Self { errors, ..Self::new(INVALID, detail) }
    }

    /// Stated languages that no pack serves.
    #[must_use]
    pub fn unsupported_language(errors: Vec<FieldError>) -> Self {
        Self { kind: UNSUPPORTED_LANGUAGE, ..Self::invalid(errors) }
    }

    /// The service failed.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(INTERNAL, "the request could not be worked on; nothing of it was kept")
    }

    /// The queue is full.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(OVERLOADED, "all places are taken (--max-queue); try again after the time in Retry-After")
    }

    /// The time is over.
    #[must_use]
    pub fn timed_out(longest: Duration) -> Self {
        Self::new(
            TIMED_OUT,
            format!("longer than {} s (--request-timeout); send fewer documents per request", longest.as_secs()),
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        if let Some(seconds) = self.kind.retry {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(allow) = self.allow {
            response.insert_header((header::ALLOW, allow));
        }
        let view = View {
            type_: format!("urn:defuse:problem:{}", self.kind.code),
            title: self.kind.title,
            status: self.kind.status,
            detail: &self.detail,
            code: self.kind.code,
            errors: &self.errors,
        };
        response.body(serde_json::to_string(&view).unwrap_or_default())
    }
}
