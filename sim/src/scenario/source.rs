//! The text of a scenario and the way back into it: from bytes to files, lines and columns, and from a character of
//! a YAML scalar to the byte of the file that it came from.
//!
//! A scenario and the files that it names are numbered through: each file begins at its own byte, after the end of the
//! one before. So a byte says the file, too, and a node may come from any of them.

use super::program::Place;

/// Texts of the files of one scenario, itself first; never empty.
pub(super) struct Source {
    files: Vec<File>,
}

/// Text of one file.
pub(super) struct File {
    /// Name in messages.
    name: String,
    /// Byte at which it begins.
    base: usize,
    text: String,
    /// Byte of this text at which each line starts.
    starts: Vec<usize>,
}

/// How a scalar is written in the file; its value is shorter or longer than its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`.
    Block,
    /// All of the text as it stands: SQL from a file of its own.
    Verbatim,
}

/// A byte, seen from its file.
pub(super) struct Spot<'s> {
    /// Name of the file.
    pub(super) file: &'s str,
    pub(super) place: Place,
    /// The line, without its break.
    pub(super) line: &'s str,
}

impl File {
    fn new(name: &str, base: usize, text: &str) -> Self {
        let mut starts = vec![0];
        let bytes = text.as_bytes();
        for (index, byte) in bytes.iter().enumerate() {
            let lone_return = *byte == b'\r' && bytes.get(index + 1) != Some(&b'\n');
            if *byte == b'\n' || lone_return {
                starts.push(index + 1);
            }
        }
        Self {
            name: name.to_owned(),
            base,
            text: text.to_owned(),
            starts,
        }
    }

    /// Byte at which it begins.
    pub(super) fn base(&self) -> usize {
        self.base
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn spot(&self, byte: usize) -> Spot<'_> {
        let byte = self.floor(byte.saturating_sub(self.base));
        let line = self.starts.partition_point(|start| *start <= byte).max(1) - 1;
        let start = self.starts.get(line).copied().unwrap_or(0);
        let end = self
            .starts
            .get(line + 1)
            .copied()
            .unwrap_or(self.text.len());
        let text = self
            .text
            .get(start..end)
            .unwrap_or("")
            .trim_end_matches(['\n', '\r']);
        let column = self
            .text
            .get(start..byte)
            .map_or(0, |before| before.chars().count());
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
        let place = Place {
            line: count(line),
            column: count(column),
        };
        let file = &self.name;
        Spot {
            file,
            place,
            line: text,
        }
    }

    /// Where the first line that is longer than this starts.
    pub(super) fn long_line(&self, most: usize) -> Option<usize> {
        let ends = self.starts.iter().skip(1).copied().chain([self.text.len()]);
        let mut lines = self.starts.iter().copied().zip(ends);
        lines
            .find(|(start, end)| end - start > most)
            .map(|(start, _)| self.base + start)
    }

    fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

impl Source {
    /// The text of a scenario under its name in messages.
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self {
            files: vec![File::new(name, 0, text)],
        }
    }

    /// Adds a file; answers its number.
    pub(super) fn add(&mut self, name: &str, text: &str) -> usize {
        // One byte between two files: the end of one is not the start of the next.
        let base = self
            .files
            .last()
            .map_or(0, |last| last.base + last.text.len() + 1);
        self.files.push(File::new(name, base, text));
        self.files.len() - 1
    }

    /// The file with this number; 0 is the scenario itself.
    pub(super) fn file(&self, number: usize) -> &File {
        &self.files[number.min(self.files.len() - 1)]
    }

    fn file_at(&self, byte: usize) -> &File {
        let after = self.files.partition_point(|file| file.base <= byte);
        self.file(after.max(1) - 1)
    }

    /// Whether a byte belongs to the scenario itself and not to a file that it names.
    pub(super) fn is_own(&self, byte: usize) -> bool {
        self.files.get(1).is_none_or(|second| byte < second.base)
    }

    /// Where a byte stands.
    pub(super) fn spot(&self, byte: usize) -> Spot<'_> {
        self.file_at(byte).spot(byte)
    }

    /// Place of a byte in its file.
    pub(super) fn place(&self, byte: usize) -> Place {
        self.spot(byte).place
    }

    /// The bytes `start..end` of one file.
    pub(super) fn slice(&self, start: usize, end: usize) -> &str {
        let file = self.file_at(start);
        let local = |byte: usize| file.floor(byte.saturating_sub(file.base));
        file.text
            .get(local(start)..local(end.max(start)))
            .unwrap_or("")
    }

    /// The bytes `start..end`, cut at the end of the first line.
    pub(super) fn on_one_line(&self, start: usize, end: usize) -> &str {
        let text = self.slice(start, end);
        text.lines().next().unwrap_or("").trim_end()
    }

    /// Byte in the file of the byte `offset` of the value of a scalar that is written at `start..end`.
    ///
    /// Walks value and text side by side. YAML only drops or changes white space (indentation, folded lines),
    /// doubles a single quote and writes escapes with a backslash; so the first text character that can have become
    /// the value's next one is the right one.
    pub(super) fn byte_of(
        &self,
        start: usize,
        end: usize,
        style: Style,
        value: &str,
        offset: usize,
    ) -> usize {
        let file = self.file_at(start);
        let text = file
            .text
            .get(start - file.base..end.saturating_sub(file.base));
        let text = text.unwrap_or("");
        let mut at = body_start(text, style);
        if style == Style::Verbatim {
            return start + offset.min(text.len());
        }
        for (index, wanted) in value.char_indices() {
            if !wanted.is_whitespace() {
                at += blank(&text[at..], style);
            }
            if index >= offset {
                break;
            }
            at += taken(&text[at..], wanted, style);
            // Never between the bytes of a character, whatever the text is.
            while !text.is_char_boundary(at) {
                at += 1;
            }
        }
        start + at
    }
}

/// Where the value begins: after the quote, or on the line after `|`.
fn body_start(text: &str, style: Style) -> usize {
    match style {
        Style::Plain | Style::Verbatim => 0,
        Style::Single | Style::Double => usize::from(text.starts_with(['\'', '"'])),
        Style::Block if text.starts_with(['|', '>']) => {
            text.find('\n').map_or(text.len(), |n| n + 1)
        }
        Style::Block => 0,
    }
}

/// How many bytes before the next visible character were dropped by YAML.
fn blank(text: &str, style: Style) -> usize {
    let mut rest = text.trim_start();
    while style == Style::Double && (rest.starts_with("\\\n") || rest.starts_with("\\\r")) {
        rest = rest[1..].trim_start();
    }
    text.len() - rest.len()
}

/// How many bytes of the text became this character of the value.
fn taken(text: &str, wanted: char, style: Style) -> usize {
    let Some(found) = text.chars().next() else {
        return 0;
    };
    match style {
        Style::Double if found == '\\' => escape(text),
        Style::Single if text.starts_with("''") => 2,
        // A folded line break became the space, or the break of a block: indentation is skipped by the next character.
        _ if wanted.is_whitespace() && !found.is_whitespace() => 0,
        _ => found.len_utf8(),
    }
}

/// Length of an escape of a double quoted scalar.
fn escape(text: &str) -> usize {
    let digits = match text.chars().nth(1) {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(other) => return 1 + other.len_utf8(),
        None => return 1,
    };
    (2 + digits).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::{Source, Style};

    fn rest(text: &str, style: Style, value: &str, needle: &str) -> String {
        let source = Source::new("x.yaml", text);
        let offset = value.find(needle).unwrap_or(usize::MAX);
        let byte = source.byte_of(0, text.len(), style, value, offset);
        text[byte..].chars().take(needle.len()).collect()
    }

    #[test]
    fn a_character_of_a_scalar_is_found_in_the_file() {
        assert_eq!(rest("a  b c", Style::Plain, "a  b c", "c"), "c");
        assert_eq!(rest("a\n    b :c", Style::Plain, "a b :c", ":c"), ":c");
        assert_eq!(rest("'it''s :x'", Style::Single, "it's :x", ":x"), ":x");
        assert_eq!(
            rest(r#""\"a\" \x41 :x""#, Style::Double, "\"a\" A :x", ":x"),
            ":x"
        );
        assert_eq!(
            rest(
                "|\n    a\n      b\n    :x\n",
                Style::Block,
                "a\n  b\n:x\n",
                ":x"
            ),
            ":x"
        );
        assert_eq!(
            rest(
                ">-\n    a\n    b\n\n    :x\n",
                Style::Block,
                "a b\n:x",
                ":x"
            ),
            ":x"
        );
    }

    #[test]
    fn places_count_characters_and_every_kind_of_line_break() {
        let source = Source::new("x.yaml", "ä: 1\r\nb\rc\n");
        let at = |byte| {
            let place = source.place(byte);
            (place.line, place.column)
        };
        assert_eq!(at(2), (1, 2));
        assert_eq!(at(7), (2, 1));
        assert_eq!(at(9), (3, 1));
        assert_eq!(at(999), (4, 1));
    }

    #[test]
    fn a_byte_says_its_file() {
        let mut source = Source::new("x.yaml", "a: 1");
        let number = source.add("q.sql", "-- one\nSELECT é, b");
        let base = source.file(number).base();
        let spot = source.spot(base + 7);
        assert_eq!(
            (spot.file, spot.place.line, spot.line),
            ("q.sql", 2, "SELECT é, b")
        );
        assert_eq!(source.spot(4).file, "x.yaml");
        let b = source.byte_of(base + 7, base + 19, Style::Verbatim, "SELECT é, b", 11);
        assert_eq!(source.on_one_line(b, base + 19), "b");
    }
}
