//! Owns the HTTP service: one application, shared by the program and the tests.
//! Knows the engine and JSON shapes; nothing of files, terminals or how a message is scored.

mod documents;
mod problem;
mod routes;
mod work;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use crate::engine::Engine;

pub use problem::Problem;
pub use work::Work;

/// Bounds of what the service accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, bytes.
    pub body_bytes: usize,
    /// Most documents in a request.
    pub batch: usize,
    /// Requests that may wait for a place.
    pub queue: usize,
    /// Longest time for a request, seconds.
    pub request_seconds: u64,
    /// Longest time to finish accepted requests at shutdown, seconds.
    pub shutdown_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 10 << 20, batch: 1000, queue: 64, request_seconds: 30, shutdown_seconds: 30 }
    }
}

/// What every handler shares.
#[derive(Debug, Clone)]
pub struct State {
    engine: Arc<Engine>,
    work: Work,
    limits: Limits,
}

impl State {
    /// Puts an engine behind a bounded queue.
    #[must_use]
    pub fn new(engine: Engine, limits: Limits) -> Self {
        let engine = Arc::new(engine);
        let work = Work::new(engine.threads(), limits.queue, Duration::from_secs(limits.request_seconds));
        Self { engine, work, limits }
    }
}

/// The application with all routes.
pub fn create_app(
    state: State,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let body_bytes = state.limits.body_bytes;
    App::new()
        .app_data(web::Data::new(state))
        .app_data(web::PayloadConfig::new(body_bytes))
        .configure(routes::configure)
        .default_service(web::to(routes::not_found))
        .wrap(from_fn(routes::log))
}

/// Serves until SIGTERM or Ctrl-C, then finishes what was accepted.
///
/// # Errors
/// The address cannot be listened on.
pub fn serve(engine: Engine, host: &str, port: u16, limits: Limits) -> io::Result<()> {
    let provenance = engine.provenance();
    let origin = engine.packs().origin();
    let languages: Vec<String> = engine.packs().languages.keys().cloned().collect();
    let state = State::new(engine, limits);
    actix_web::rt::System::new().block_on(async move {
        let engine = Arc::clone(&state.engine);
        tokio::task::spawn_blocking(move || engine.warm_up());
        let server = HttpServer::new(move || create_app(state.clone()))
            .workers(2)
            .client_request_timeout(Duration::from_secs(10))
            .shutdown_timeout(limits.shutdown_seconds)
            .bind((host, port))?;
        for address in server.addrs() {
            tracing::info!(
                %address, version = %provenance.version, model = %provenance.model.id, revision = %provenance.model.revision,
                data = %origin, languages = %languages.join(","), "listening on http://{address}"
            );
        }
        server.run().await?;
        tracing::info!("stopped: every accepted request is answered");
        Ok(())
    })
}
