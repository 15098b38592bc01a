//! YAML as a small tree of nodes that know where they stand. What the rest of the room reads; serde is not used,
//! because its errors stop at the first and this room tells all of them.

use super::source::Style;

/// A value of the file with the bytes that it takes there.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar { text: String, style: Style },
    List(Vec<Node>),
    Map { entries: Vec<Entry>, flow: bool },
}

/// One `key: value` of a mapping. Keys are unique within it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// A scalar.
    pub(super) key: Node,
    pub(super) value: Node,
}

impl Entry {
    pub(super) fn name(&self) -> &str {
        self.key.scalar().unwrap_or("")
    }
}

impl Node {
    /// The text of a scalar, quoted or not.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::List(_) | Kind::Map { .. } => None,
        }
    }

    /// Written without quotes: only such a scalar can be a number, a truth value or null.
    pub(super) fn is_plain(&self) -> bool {
        matches!(
            &self.kind,
            Kind::Scalar {
                style: Style::Plain,
                ..
            }
        )
    }

    pub(super) fn style(&self) -> Style {
        match &self.kind {
            Kind::Scalar { style, .. } => *style,
            Kind::List(_) | Kind::Map { .. } => Style::Plain,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.is_plain() && matches!(self.scalar(), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    pub(super) fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar { .. } | Kind::Map { .. } => None,
        }
    }

    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map { entries, .. } => Some(entries),
            Kind::Scalar { .. } | Kind::List(_) => None,
        }
    }

    /// Written as `{ … }` on one line, where a comma ends a value.
    pub(super) fn is_flow_map(&self) -> bool {
        matches!(&self.kind, Kind::Map { flow: true, .. })
    }

    /// The value under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries()?.iter().find(|entry| entry.name() == key)?;
        Some(&entry.value)
    }

    /// The value under a key, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let Kind::Map { entries, .. } = &mut self.kind else {
            return None;
        };
        let entry = entries.iter_mut().find(|entry| entry.name() == key)?;
        Some(&mut entry.value)
    }

    /// Number of items or entries.
    pub(super) fn len(&self) -> usize {
        match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::List(items) => items.len(),
            Kind::Map { entries, .. } => entries.len(),
        }
    }

    /// What it is, in words of a message.
    pub(super) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map { .. } => "a mapping",
        }
    }
}
