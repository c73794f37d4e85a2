//! Owns the routes: what each one takes and gives.
//! Knows the state and the shapes; the work is the engine's.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use serde_json::json;

use crate::engine::{Engine, MAX_CHARACTERS};
use crate::packs::schema::StepSpec;
use crate::playbook;
use crate::wire::{self, ErrorView, ProvenanceView, ResultView};

use super::problem::Problem;
use super::{State, documents};

type Shared = web::Data<State>;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    let get = |path: &str| web::resource(path).default_service(web::to(only_get));
    config
        .service(web::resource("/v1/score").route(web::post().to(score)).default_service(web::to(only_post)))
        .service(get("/v1/languages").route(web::get().to(languages)))
        .service(get("/v1/cues").route(web::get().to(cues)))
        .service(get("/v1/playbooks").route(web::get().to(playbooks)))
        .service(get("/v1/playbooks/{id}").route(web::get().to(one_playbook)))
        .service(get("/v1/policy").route(web::get().to(policy)))
        .service(get("/info").route(web::get().to(info)))
        .service(get("/health").route(web::get().to(health)))
        .service(get("/ready").route(web::get().to(ready)));
}

async fn only_get() -> Result<HttpResponse, Problem> {
    Err(Problem::wrong_method("GET"))
}

async fn only_post() -> Result<HttpResponse, Problem> {
    Err(Problem::wrong_method("POST"))
}

pub(super) async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

/// One line per request: method, route, status, time. Never a body, a query or a header.
pub(super) async fn log(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let started = std::time::Instant::now();
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let response = next.call(request).await;
    let status = response.as_ref().map_or_else(|e| e.as_response_error().status_code(), ServiceResponse::status);
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    tracing::info!(%method, %route, status = status.as_u16(), milliseconds, "request");
    response
}

#[derive(serde::Serialize)]
struct ScoreView {
    results: Vec<ResultView>,
    errors: Vec<ErrorView>,
    provenance: ProvenanceView,
}

async fn score(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    state: Shared,
) -> Result<impl Responder, Problem> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !is_json(media_type) {
        return Err(Problem::wrong_media_type());
    }
    let body = body.map_err(|e| body_problem(&e, state.limits.body_bytes))?;
    let engine = state.engine.clone();
    let limits = state.limits;
    let scored = state.work.run(move || score_body(&engine, &body, &limits)).await??;
    Ok(HttpResponse::Ok().json(scored))
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}

fn body_problem(error: &actix_web::Error, limit: usize) -> Problem {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::body_too_large(limit),
        _ if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::body_too_large(limit)
        }
        _ => Problem::bad_body(),
    }
}

fn score_body(engine: &Engine, body: &[u8], limits: &super::Limits) -> Result<ScoreView, Problem> {
    let value = documents::json(body)?;
    let asked = documents::score_request(&value, engine.packs(), limits)?;
    drop(value);
    let analyses = engine.analyze_batch(&asked.messages, &asked.request);
    let mut view = ScoreView {
        results: Vec::with_capacity(analyses.len()),
        errors: Vec::new(),
        provenance: engine.provenance().into(),
    };
    for (index, (message, analysis)) in asked.messages.iter().zip(analyses).enumerate() {
        match analysis {
            Ok(found) => view.results.push(wire::result(message, index, found, &asked.style)),
            Err(error) => view.errors.push(ErrorView::new(message, index, &error)),
        }
    }
    Ok(view)
}

async fn languages(state: Shared) -> impl Responder {
    let packs = state.engine.packs();
    let list: Vec<_> = packs
        .languages
        .values()
        .map(|l| {
            json!({
                "code": l.tag, "name": l.spec.name, "english_name": l.spec.english_name, "extends": l.spec.extends,
                "rules": l.rules.len(),
                "cues": packs.cues.keys().filter(|c| l.rules_for(c) > 0).collect::<Vec<_>>(),
                "guidance": l.texts.values().any(|t| !t.do_.is_empty()),
                "phrases": l.texts.values().any(|t| !t.phrases.is_empty()),
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({"languages": list, "packs": packs.revision}))
}

async fn cues(state: Shared) -> impl Responder {
    let packs = state.engine.packs();
    let list: Vec<_> = packs
        .cues
        .iter()
        .map(|(id, c)| {
            let languages: Vec<&String> =
                packs.languages.values().filter(|l| l.rules_for(id) > 0).map(|l| &l.tag).collect();
            json!({"id": id, "title": c.title, "description": c.description, "languages": languages})
        })
        .collect();
    HttpResponse::Ok().json(json!({"cues": list, "packs": packs.revision}))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaybookQuery {
    signal: Option<String>,
    channel: Option<String>,
    language: Option<String>,
}

async fn playbooks(
    query: Result<web::Query<PlaybookQuery>, actix_web::Error>,
    state: Shared,
) -> Result<impl Responder, Problem> {
    let query = query.map_err(|_| {
        let detail = "known filters: signal, channel, language".to_owned();
        Problem::invalid(vec![super::problem::FieldError { pointer: String::new(), detail }])
    })?;
    let packs = state.engine.packs();
    let keep = |step: &StepSpec| {
        let signal = query.signal.as_ref().is_none_or(|s| step.when.iter().any(|c| c.names().any(|n| n == s)));
        let channel = query.channel.as_ref().is_none_or(|c| step.channels.is_empty() || step.channels.contains(c));
        signal && channel
    };
    let tag = query.language.as_deref();
    let list: Vec<_> = packs.playbooks.keys().filter_map(|id| playbook_view(&state.engine, id, tag, &keep)).collect();
    Ok(HttpResponse::Ok().json(json!({"playbooks": list, "packs": packs.revision})))
}

async fn one_playbook(id: web::Path<String>, state: Shared) -> Result<impl Responder, Problem> {
    let view = playbook_view(&state.engine, &id, None, &|_| true).ok_or_else(|| {
        let known = state.engine.packs().playbooks.keys().cloned().collect::<Vec<_>>().join(", ");
        Problem::nothing_there(&format!("no such playbook; known: {known}"))
    })?;
    Ok(HttpResponse::Ok().json(view))
}

/// A playbook with the steps that `keep` lets through; `None` if there is none.
fn playbook_view(
    engine: &Engine,
    id: &str,
    tag: Option<&str>,
    keep: &dyn Fn(&StepSpec) -> bool,
) -> Option<serde_json::Value> {
    let packs = engine.packs();
    let spec = packs.playbooks.get(id)?;
    let customer = tag.and_then(|t| packs.resolve(t)).map_or("en", |l| l.tag.as_str());
    let steps: Vec<_> = spec
        .steps
        .iter()
        .filter(|s| keep(s))
        .map(|s| {
            let words = playbook::guidance(packs, &s.id, customer);
            let phrases: Vec<_> = playbook::phrases(packs, &s.id, customer)
                .into_iter()
                .map(|p| json!({"language": p.language, "text": p.text}))
                .collect();
            json!({"id": s.id, "order": s.order, "when": s.when, "channels": s.channels, "due": s.due, "excludes": s.excludes,
                "title": words.title, "do": words.do_, "avoid": words.avoid, "phrases": phrases})
        })
        .collect();
    (!steps.is_empty()).then(|| json!({"id": id, "title": spec.title, "source": spec.source, "steps": steps}))
}

async fn policy(state: Shared) -> impl Responder {
    let packs = state.engine.packs();
    HttpResponse::Ok().json(json!({"policy": packs.policy, "revision": packs.policy_revision}))
}

async fn info(state: Shared) -> impl Responder {
    let engine = &state.engine;
    let limits = state.limits;
    HttpResponse::Ok().json(json!({
        "name": env!("CARGO_PKG_NAME"),
        "provenance": ProvenanceView::from(engine.provenance()),
        "data": engine.packs().origin(),
        "languages": engine.packs().languages.keys().collect::<Vec<_>>(),
        "threads": engine.threads(),
        "limits": {"body_bytes": limits.body_bytes, "documents": limits.batch, "text_characters": MAX_CHARACTERS,
            "queue": limits.queue, "request_seconds": limits.request_seconds},
        "routes": ["POST /v1/score", "GET /v1/languages", "GET /v1/cues", "GET /v1/playbooks", "GET /v1/playbooks/{id}",
            "GET /v1/policy", "GET /info", "GET /health", "GET /ready"],
    }))
}

async fn health() -> impl Responder {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn ready(state: Shared) -> Result<impl Responder, Problem> {
    if state.work.has_place() {
        Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
    } else {
        Err(Problem::overloaded())
    }
}
