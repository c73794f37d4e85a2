//! The `defuse` program: see `defuse --help`.

fn main() -> std::process::ExitCode {
    defuse::cli::run(std::env::args_os())
}
