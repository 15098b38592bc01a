//! Random changes of a text: of its tokens and lines, and with everything that a file should not have.

use lockstep_sim::label::{below, mix};

use super::corpus::{Corpus, File};

/// Texts that are put in: each was trouble for some reader of YAML or SQL.
const PIECES: [&str; 44] = [
    "\t",
    "\r",
    "\r\n",
    "\0",
    "\u{feff}",
    "\u{2028}",
    "\u{202e}",
    "🦀",
    "e\u{301}",
    "\u{1f468}\u{200d}\u{1f469}",
    "&a ",
    "*a ",
    "&a [*a, *a]",
    "<<: *a",
    "!!binary ",
    "!x ",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "? ",
    "| ",
    ">+9\n",
    "# ",
    "\"",
    "'",
    "`",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "- ",
    ":: ",
    "null",
    "~",
    "0x",
    "1e999",
    "-0",
    ".inf",
    "99999999999999999999999999",
    "18446744073709551615",
    "9223372036854775808ms",
    "0d..106751991168d",
];

/// Statements that ask for much.
const HEAVY: [&str; 10] = [
    "SELECT zeroblob(999999999) AS z",
    "SELECT printf('%.*c', 999999999, 'x') AS z",
    "SELECT replace(hex(zeroblob(99999)), '0', hex(zeroblob(9999))) AS z",
    "CREATE TABLE z AS SELECT zeroblob(999999999) AS z",
    "CREATE TABLE z AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, zeroblob(999999) FROM n",
    "CREATE TABLE z AS WITH RECURSIVE n(i) AS (SELECT 'x' UNION ALL SELECT i || i FROM n) SELECT i FROM n",
    "CREATE TABLE z AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY i DESC",
    "CREATE TABLE z AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT group_concat(i) FROM n",
    "CREATE VIRTUAL TABLE z USING fts5(a, b)",
    "CREATE VIEW z AS SELECT * FROM z; SELECT * FROM z",
];

/// Draws numbers, the same for the same case.
struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.drawn += 1;
        below(mix(self.seed, self.drawn), most.max(1) as u64) as usize
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// The file of a case, and what stands in it.
pub(super) fn case(corpus: &Corpus, case: u64) -> (&File, Vec<u8>) {
    let mut dice = Dice {
        seed: mix(0x5eed, case),
        drawn: 0,
    };
    let file = dice.of(&corpus.files);
    let mut text = file.text.clone();
    for _ in 0..=dice.below(4) {
        text = changed(&mut dice, corpus, text);
    }
    let mut bytes = text.into_bytes();
    if dice.below(20) == 0 {
        for _ in 0..=dice.below(8) {
            let at = dice.below(bytes.len() + 1);
            bytes.insert(at, dice.below(256) as u8);
        }
    }
    (file, bytes)
}

fn changed(dice: &mut Dice, corpus: &Corpus, text: String) -> String {
    match dice.below(20) {
        0..=5 => tokens_changed(dice, &text),
        6..=8 => lines_changed(dice, &text),
        9 | 10 => inserted(dice, &text, |dice| (*dice.of(&PIECES)).to_owned()),
        11 | 12 => number_changed(dice, &text),
        13 => inserted(dice, &text, nest),
        14 => heavy(dice, &text),
        15 => inserted(dice, &text, |dice| piece(dice, corpus)),
        16 => repeated(dice, &text),
        17 => text.replace('\n', "\r\n"),
        18 => anchored(dice, &text),
        _ => text[..place(dice, &text)].to_owned(),
    }
}

/// A byte at which a character begins.
fn place(dice: &mut Dice, text: &str) -> usize {
    text.floor_char_boundary(dice.below(text.len() + 1))
}

fn inserted(dice: &mut Dice, text: &str, what: impl FnOnce(&mut Dice) -> String) -> String {
    let at = place(dice, text);
    format!("{}{}{}", &text[..at], what(dice), &text[at..])
}

/// Words, runs of blanks, and every other character by itself.
fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        ' ' => 0,
        c if c.is_alphanumeric() || c == '_' => 1,
        _ => 2,
    };
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| class(c) == class(first) && class(c) < 2;
        let end = rest
            .find(|c| !same(c))
            .unwrap_or(rest.len())
            .max(first.len_utf8());
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

fn tokens_changed(dice: &mut Dice, text: &str) -> String {
    let mut all = tokens(text);
    if all.is_empty() {
        return String::new();
    }
    let (a, b) = (dice.below(all.len()), dice.below(all.len()));
    match dice.below(4) {
        0 => drop(all.remove(a)),
        1 => all.insert(a, all[a]),
        2 => all.swap(a, b),
        _ => all[a] = all[b],
    }
    all.concat()
}

fn lines_changed(dice: &mut Dice, text: &str) -> String {
    let mut all: Vec<&str> = text.split_inclusive('\n').collect();
    if all.is_empty() {
        return String::new();
    }
    let (a, b) = (dice.below(all.len()), dice.below(all.len()));
    let deeper = format!("  {}", all[a]);
    match dice.below(5) {
        0 => drop(all.remove(a)),
        1 => all.insert(a, all[a]),
        2 => all.swap(a, b),
        3 => all[a] = &deeper,
        _ => all[a] = all[a].trim_start(),
    }
    all.concat()
}

fn number_changed(dice: &mut Dice, text: &str) -> String {
    let starts: Vec<usize> = text
        .match_indices(|c: char| c.is_ascii_digit())
        .map(|(at, _)| at)
        .collect();
    if starts.is_empty() {
        return text.to_owned();
    }
    let at = *dice.of(&starts);
    let end = text[at..]
        .find(|c: char| !c.is_ascii_digit())
        .map_or(text.len(), |end| at + end);
    let numbers = [
        "0",
        "-1",
        "1e400",
        "65",
        "4294967296",
        "18446744073709551616",
        "9223372036854775807",
        "1.5",
        "00000000000000000000001",
    ];
    format!("{}{}{}", &text[..at], dice.of(&numbers), &text[end..])
}

/// Brackets, quotes or blocks in blocks, up to some thousand of them.
fn nest(dice: &mut Dice) -> String {
    let levels = [10, 63, 64, 65, 300, 3_000][dice.below(6)];
    match dice.below(5) {
        0 => "[".repeat(levels),
        1 => "{a: ".repeat(levels),
        2 => format!("({}1{})", "(".repeat(levels), ")".repeat(levels)),
        3 => (0..levels.min(120))
            .map(|level| format!("\n{}- ", " ".repeat(level)))
            .collect(),
        _ => format!("SELECT 1 WHERE {}", "1 AND NOT ".repeat(levels)),
    }
}

/// A statement that asks for much, in the place of the schema or of the SQL of a step.
fn heavy(dice: &mut Dice, text: &str) -> String {
    let sql = *dice.of(&HEAVY);
    let keys = ["schema: |\n", "sql: ", "read: ", "never: ", "history: "];
    let key = *dice.of(&keys);
    let found: Vec<usize> = text
        .match_indices(key)
        .map(|(at, _)| at + key.len())
        .collect();
    if found.is_empty() {
        return text.to_owned();
    }
    let at = *dice.of(&found);
    if key.ends_with('\n') {
        return format!("{}  {sql};\n{}", &text[..at], &text[at..]);
    }
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    format!("{}{sql}{}", &text[..at], &text[end..])
}

/// Some lines of another text.
fn piece(dice: &mut Dice, corpus: &Corpus) -> String {
    let other = match dice.below(2) {
        0 => &dice.of(&corpus.files).text,
        _ => dice.of(&corpus.pieces),
    };
    let lines: Vec<&str> = other.split_inclusive('\n').collect();
    let from = dice.below(lines.len());
    let count = 1 + dice.below(6);
    format!(
        "\n{}",
        lines[from..]
            .iter()
            .take(count)
            .copied()
            .collect::<String>()
    )
}

/// A piece of the text, many times over.
fn repeated(dice: &mut Dice, text: &str) -> String {
    let (a, b) = (place(dice, text), place(dice, text));
    let (from, to) = (
        a.min(b),
        a.max(b).min(text.floor_char_boundary(a.min(b) + 200)),
    );
    let times = [2, 10, 100, 1_000][dice.below(4)];
    format!(
        "{}{}{}",
        &text[..to.max(from)],
        text[from..to.max(from)].repeat(times),
        &text[to.max(from)..]
    )
}

/// A value gets an anchor, and an alias stands in the place of another one.
fn anchored(dice: &mut Dice, text: &str) -> String {
    let values: Vec<usize> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
    if values.is_empty() {
        return text.to_owned();
    }
    let (a, b) = (*dice.of(&values), *dice.of(&values));
    let (first, second) = (a.min(b), a.max(b));
    let end = text[second..]
        .find([',', '}', '\n'])
        .map_or(text.len(), |end| second + end);
    format!(
        "{}&x {}*x{}",
        &text[..first],
        &text[first..second],
        &text[end..]
    )
}
