//! The help pages of all commands.

use clap::{Command, CommandFactory as _};

use super::Cli;

/// The maximum length of a summary, in words.
const MAX_WORDS: usize = 14;

fn definition() -> Command {
    let mut root = Cli::command().term_width(100).disable_help_subcommand(true);
    root.build();
    root
}

/// Writes the page of a command, and those of its subcommands. `globals` are the options that all pages share.
fn write_pages(command: &mut Command, globals: &str, pages: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    *pages += &format!("======== {name}\n\n");
    *pages += &command.render_long_help().to_string().replace(globals, "\n[Global options]\n");
    *pages += "\n";
    command.get_subcommands_mut().for_each(|next| write_pages(next, globals, pages));
}

#[test]
fn help_pages() {
    let root = definition().render_long_help().to_string();
    let globals =
        root.split("\nGlobal options:\n").nth(1).and_then(|rest| rest.split("\nExit codes:").next());
    let globals = format!("\nGlobal options:\n{}", globals.unwrap());
    let mut pages = format!("======== all pages\n{globals}\n");
    write_pages(&mut definition(), &globals, &mut pages);
    // Other builds have fewer commands.
    if cfg!(feature = "store") {
        insta::assert_snapshot!(pages);
    }
}

/// A summary is a short phrase; details are in further paragraphs, which only `--help` shows.
#[test]
fn summaries_are_short() {
    let mut wrong = Vec::new();
    let mut open = vec![definition()];
    while let Some(command) = open.pop() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let args = command.get_arguments().filter_map(|arg| Some(arg.get_help()?.to_string()));
        for summary in std::iter::once(about).chain(args) {
            let words = summary.split_whitespace().count();
            if !(1..=MAX_WORDS).contains(&words) || !summary.starts_with(char::is_uppercase) {
                wrong.push(format!("{}: {summary}", command.get_name()));
            }
        }
        open.extend(command.get_subcommands().cloned());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
