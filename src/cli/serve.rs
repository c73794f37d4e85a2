//! Owns `defuse serve`: flags of the service, its start and its end.
//! Knows the runtime; routes are `http`'s.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::http::{self, Limits};

/// Runs the HTTP service
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  defuse serve --port 8080\n  curl -s localhost:8080/v1/score -H 'Content-Type: application/json' \\\n    \
    -d '{\"documents\": [{\"text\": \"Third mail, no answer. Get me your manager!\"}]}'\n\n\
    Stops on SIGTERM or Ctrl-C when the requests it accepted are answered."
)]
pub(super) struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: String,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Largest request body, in bytes
    #[arg(long, default_value_t = 10 << 20, value_name = "BYTES")]
    max_body_bytes: usize,
    /// Most documents in a request
    #[arg(long, default_value_t = 1000, value_name = "N")]
    max_batch: usize,
    /// Requests that may wait while others are scored; more are answered 503
    #[arg(long, default_value_t = 64, value_name = "N")]
    max_queue: usize,
    /// Longest time a request may take, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    request_timeout: u64,
    /// Longest time to finish accepted requests at shutdown, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    shutdown_timeout: u64,
    /// Log format on standard error: text or json
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
}

pub(super) fn run(args: &Args, shared: &super::Shared) -> anyhow::Result<u8> {
    let filter = EnvFilter::try_from_env("DEFUSE_LOG").unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    let colours = std::io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    if args.log_format == "json" {
        logs.json().init();
    } else {
        logs.with_target(false).init();
    }
    let engine = shared.engine()?;
    let limits = Limits {
        body_bytes: args.max_body_bytes,
        batch: args.max_batch,
        queue: args.max_queue,
        request_seconds: args.request_timeout,
        shutdown_seconds: args.shutdown_timeout,
    };
    http::serve(engine, &args.host, args.port, limits)
        .with_context(|| format!("cannot serve on {}:{}", args.host, args.port))?;
    Ok(super::DONE)
}
