//! Print the completion script of a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::outcome::Outcome;
use crate::output::print;

/// Print a script that completes tightbound's arguments in a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tightbound completions bash > ~/.local/share/bash-completion/completions/tightbound"
)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Runs `tightbound completions`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tightbound", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}
