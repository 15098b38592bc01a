//! The text of a scenario file and the way back into it: from bytes to lines and columns, and from a character of
//! a YAML scalar to the byte of the file that it came from.

use super::program::Place;

/// Text of one file.
pub(super) struct Source {
    text: String,
    /// Byte at which each line starts.
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
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let mut starts = vec![0];
        let bytes = text.as_bytes();
        for (index, byte) in bytes.iter().enumerate() {
            let lone_return = *byte == b'\r' && bytes.get(index + 1) != Some(&b'\n');
            if *byte == b'\n' || lone_return {
                starts.push(index + 1);
            }
        }
        Self {
            text: text.to_owned(),
            starts,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Place of a byte.
    pub(super) fn place(&self, byte: usize) -> Place {
        self.line_at(byte).0
    }

    /// Place of a byte, and its line without the break.
    pub(super) fn line_at(&self, byte: usize) -> (Place, &str) {
        let byte = self.floor(byte);
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
        (place, text)
    }

    /// The bytes `start..end`, cut at the end of the first line.
    pub(super) fn on_one_line(&self, start: usize, end: usize) -> &str {
        let (start, end) = (self.floor(start), self.floor(end.max(start)));
        let text = self.text.get(start..end).unwrap_or("");
        text.lines().next().unwrap_or("").trim_end()
    }

    /// Where the first line that is longer than this starts.
    pub(super) fn long_line(&self, most: usize) -> Option<usize> {
        let ends = self.starts.iter().skip(1).copied().chain([self.text.len()]);
        let mut lines = self.starts.iter().copied().zip(ends);
        lines
            .find(|(start, end)| end - start > most)
            .map(|(start, _)| start)
    }

    fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
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
        let text = self.text.get(start..end).unwrap_or("");
        let mut at = body_start(text, style);
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
        Style::Plain => 0,
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
        let source = Source::new(text);
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
        let source = Source::new("ä: 1\r\nb\rc\n");
        let at = |byte| {
            let place = source.place(byte);
            (place.line, place.column)
        };
        assert_eq!(at(2), (1, 2));
        assert_eq!(at(7), (2, 1));
        assert_eq!(at(9), (3, 1));
        assert_eq!(at(999), (4, 1));
    }
}
