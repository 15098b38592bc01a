//! The manual is true: its examples load and get their verdicts, its messages are those of the program, and it names
//! every key, exit code and flag.

use std::collections::BTreeSet;
use std::fs;
use std::rc::Rc;

use lockstep_sim::exit::Exit;
use lockstep_sim::flow::FlowWorld;
use lockstep_sim::report;
use lockstep_sim::run::Stage;
use lockstep_sim::scenario::{self, Scenario, Variant};
use lockstep_sim::search::{Plan, Searched, search};

use super::root;

/// The name of the file in the messages that the manual shows.
const FILE: &str = "incident.yaml";
const MANUAL: &str = "docs/scenario.md";

/// A fenced block: the words after the fence, the text, and the line of the fence.
struct Block {
    info: String,
    text: String,
    line: usize,
}

fn text_of(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Block {
                    info: info.to_owned(),
                    text: String::new(),
                    line: index + 1,
                });
            }
            (None, None) => {}
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a block is never closed");
    found
}

fn is_whole(block: &Block) -> bool {
    block.text.starts_with("version:")
}

/// The README and every page of `docs/`, with their names.
fn pages() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join("docs")).expect("the folder of docs");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut pages: Vec<String> = names
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    pages.sort();
    pages.push("README.md".to_owned());
    pages
        .into_iter()
        .map(|page| (page.clone(), text_of(&page)))
        .collect()
}

/// Every example of the manual that loads, as the whole scenario that it means, with its place.
pub(super) fn examples() -> Vec<(String, String)> {
    let blocks = blocks(&text_of(MANUAL));
    let good = blocks.iter().filter(|block| block.info == "yaml");
    good.map(|block| (format!("{MANUAL}:{}", block.line), in_place(&blocks, block)))
        .collect()
}

fn load(text: &str, at: &str) -> Scenario {
    scenario::parse(FILE, text).unwrap_or_else(|problems| panic!("{at}:\n{problems}"))
}

fn search_of(variant: &Variant, runs: u64, at: &str) -> Searched {
    let world = FlowWorld::new(Rc::new(variant.program.clone()));
    let mut stage =
        Stage::new(world).unwrap_or_else(|words| panic!("{at}, {}: {words}", variant.name));
    let plan = Plan {
        seed: 1,
        runs,
        expect: Some(&variant.expect),
    };
    let found = search(&mut stage, &plan, &mut || false).expect("the stage runs");
    assert_eq!(found.internal, None, "{at}, {}", variant.name);
    found
}

#[test]
fn whole_scenarios_of_every_page_get_their_verdicts() {
    let pages = pages();
    let whole: Vec<(String, Block)> = pages
        .iter()
        .flat_map(|(page, text)| {
            let blocks = blocks(text).into_iter();
            blocks.map(move |block| (format!("{page}:{}", block.line), block))
        })
        .filter(|(_, block)| block.info == "yaml" && is_whole(block))
        .collect();
    assert!(whole.len() > 4, "the pages have whole scenarios");
    for (at, block) in whole {
        for variant in load(&block.text, &at).variants {
            let found = search_of(&variant, variant.program.runs, &at);
            let surprise = report::surprise(&variant, &found);
            assert_eq!(surprise, None, "{at}, {}", variant.name);
        }
    }
}

/// A few runs are enough to see that nothing in an example fails only when it is run.
#[test]
fn small_examples_of_the_manual_run() {
    let blocks = blocks(&text_of(MANUAL));
    for block in blocks
        .iter()
        .filter(|block| block.info == "yaml" && !is_whole(block))
    {
        let at = format!("{MANUAL}:{}", block.line);
        for variant in load(&in_place(&blocks, block), &at).variants {
            search_of(&variant, 20, &at);
        }
    }
}

#[test]
fn wrong_examples_are_answered_as_the_manual_says() {
    let blocks = blocks(&text_of(MANUAL));
    let mut count = 0;
    for (index, block) in blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| block.info == "yaml error")
    {
        let at = format!("{MANUAL}:{}", block.line);
        let told = scenario::parse(FILE, &in_place(&blocks, block)).err();
        let told = told.unwrap_or_else(|| panic!("{at} loads")).to_string();
        let shown = blocks.get(index + 1).filter(|next| next.info == "text");
        let shown = shown.unwrap_or_else(|| panic!("{at}: no message follows"));
        assert_eq!(shown.text.trim_end(), told.trim_end(), "{at}");
        count += 1;
    }
    assert!(count > 5, "the manual shows wrong examples");
}

/// The scenario that an example means: itself, or the first one of the manual with the example's sections in the place
/// of its own. Its fix patches the flow, so it only stays where the example says what the variants are.
fn in_place(blocks: &[Block], example: &Block) -> String {
    if is_whole(example) {
        return example.text.clone();
    }
    let first = blocks
        .iter()
        .find(|block| block.info == "yaml")
        .expect("a first scenario");
    let mut new = sections(&example.text);
    if !new.iter().any(|(name, _)| name == "variants") {
        new.push(("variants".to_owned(), "variants: { bug: {} }\n".to_owned()));
        new.push((
            "expect".to_owned(),
            "expect: { bug: undecided }\n".to_owned(),
        ));
    }
    let old = sections(&first.text);
    let laid = old.iter().map(
        |(name, text)| match new.iter().find(|(other, _)| other == name) {
            Some((_, new)) if text.ends_with("\n\n") => format!("{new}\n"),
            Some((_, new)) => new.clone(),
            None => text.clone(),
        },
    );
    let added = new
        .iter()
        .filter(|(name, _)| !old.iter().any(|(other, _)| other == name));
    laid.chain(added.map(|(_, text)| text.clone())).collect()
}

/// The sections of a scenario: each key at the start of a line, with everything up to the next.
fn sections(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let starts = line.starts_with(|c: char| c.is_ascii_lowercase());
        if let Some((name, _)) = line.split_once(':').filter(|_| starts) {
            found.push((name.to_owned(), String::new()));
        }
        let (_, section) = found.last_mut().expect("an example starts with a key");
        section.push_str(line);
        section.push('\n');
    }
    found
}

#[test]
fn the_manual_names_every_word_of_the_language() {
    let manual = text_of(MANUAL);
    let mut missing = BTreeSet::new();
    for (place, words) in scenario::words() {
        let section = section(&manual, place);
        let absent = words.iter().filter(|word| !names(section, word));
        missing.extend(absent.map(|word| format!("{place}: {word}")));
    }
    assert!(missing.is_empty(), "not in {MANUAL}: {missing:#?}");
}

/// The part of a page under the heading that names `word`, up to the next heading that is not below it.
fn section<'t>(page: &'t str, word: &str) -> &'t str {
    let named = format!("`{word}`");
    let heading = page
        .lines()
        .find(|line| line.starts_with('#') && line.contains(&named));
    let heading = heading.unwrap_or_else(|| panic!("no heading names {named}"));
    let start = page.find(heading).expect("it was found before") + heading.len();
    let level = heading.chars().take_while(|c| *c == '#').count();
    let ends = |line: &str| {
        let marks = line.chars().take_while(|c| *c == '#').count();
        (1..=level).contains(&marks) && line[marks..].starts_with(' ')
    };
    let rest = &page[start..];
    let end = rest
        .lines()
        .find(|line| ends(line))
        .and_then(|line| rest.find(&format!("\n{line}")));
    &rest[..end.unwrap_or(rest.len())]
}

/// Whether a text has a piece of code that begins with this word, as a key or as a variable.
fn names(text: &str, word: &str) -> bool {
    let begins = |code: &str| {
        let rest = code.trim_start_matches(':').strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    text.lines()
        .any(|line| line.split('`').skip(1).step_by(2).any(begins))
}

#[test]
fn the_command_line_names_every_exit_code_in_its_order() {
    let page = text_of("docs/cli.md");
    for exit in Exit::ALL {
        let row = format!("\n| {} |", exit.code());
        assert!(
            page.contains(&row),
            "docs/cli.md has no row for exit {}",
            exit.code()
        );
    }
    let order: Vec<String> = Exit::ALL
        .iter()
        .filter(|exit| exit.code() > 0)
        .map(|exit| exit.code().to_string())
        .collect();
    assert!(
        page.contains(&order.join(", ")),
        "docs/cli.md does not say the order {}",
        order.join(", ")
    );
}

/// The library does not know the arguments, so they are read from their source.
#[test]
fn the_command_line_names_every_flag() {
    let page = text_of("docs/cli.md");
    let source = text_of("sim/src/cli/args.rs");
    let flags = flags(&source);
    assert!(flags.len() > 5, "no flags found in the source");
    let absent: Vec<&String> = flags.iter().filter(|flag| !has_word(&page, flag)).collect();
    assert!(absent.is_empty(), "not in docs/cli.md: {absent:?}");
}

/// `--name` for each field with `#[arg(long …)]`.
fn flags(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in source.split("#[arg(long").skip(1) {
        let field = part
            .lines()
            .map(str::trim)
            .find_map(|line| line.strip_prefix("pub(crate) "));
        let name = field
            .and_then(|field| field.split_once(':'))
            .expect("a field after its attribute")
            .0;
        found.insert(format!("--{}", name.replace('_', "-")));
    }
    found
}

fn has_word(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-');
    text.match_indices(word)
        .any(|(at, _)| ends(&text[at + word.len()..]))
}
