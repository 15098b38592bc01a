//! Reads YAML 1.2 into nodes, within budgets: a hostile file is refused, it never hangs and never overflows.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{
    Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, options,
};

use super::node::{Entry, Kind, Node};
use super::problem::Report;
use super::source::{File, Style};
use super::yaml_help;

/// Levels of nesting, aliases included.
const DEPTH: usize = 64;
/// Nodes, each alias counted as often as it is used. A scenario has some hundred.
const NODES: usize = 20_000;

/// Reads the only document of a file, by its number. Problems go to the report; nothing is returned when the text is
/// not YAML.
pub(super) fn read(report: &Report<'_>, number: usize) -> Option<Node> {
    let file = report.source().file(number);
    let text = file.text();
    let limits = options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    let mut reader = Reader {
        report,
        file,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        nodes: 0,
        documents: 0,
        torn: false,
    };
    for event in Parser::with_options(StrInput::new(text), limits) {
        match event {
            Ok((event, span)) => reader.event(event, span)?,
            Err(error) => {
                scan_problem(report, file, &error);
                return None;
            }
        }
    }
    reader.root.filter(|_| !reader.torn)
}

fn scan_problem(report: &Report<'_>, file: &File, error: &ScanError) {
    let text = file.text();
    let marker = error.marker();
    let byte = marker.byte_offset().unwrap_or_else(|| {
        let index = text.char_indices().nth(marker.index());
        index.map_or(text.len(), |(byte, _)| byte)
    });
    // The parser names the text before a tab, the reader looks for the tab.
    let tab = text.get(byte..).and_then(|rest| rest.find('\t'));
    let byte = byte + tab.filter(|_| yaml_help::is_tab(error.kind())).unwrap_or(0);
    let (message, help) = yaml_help::explain(error.kind(), &text[..text.floor_char_boundary(byte)]);
    let byte = file.base() + byte;
    report.add(byte, byte + 1, message, help);
}

/// A list or mapping that is not closed yet.
struct Open {
    start: usize,
    anchor: usize,
    kind: Kind,
    /// Key that waits for its value.
    key: Option<Node>,
    /// Levels below it so far.
    height: usize,
}

struct Reader<'a> {
    report: &'a Report<'a>,
    file: &'a File,
    open: Vec<Open>,
    /// Anchored nodes, with their heights and sizes.
    anchors: BTreeMap<usize, (Node, usize, usize)>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
    /// Something is missing in the tree; what is said about the rest would mislead.
    torn: bool,
}

impl Reader<'_> {
    /// Takes one event; `None` when a budget is spent.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let base = self.file.base();
        let start = base + span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().map_or(start, |end| base + end);
        match event {
            Event::DocumentStart(..) => self.document(start)?,
            Event::Scalar(text, style, anchor, _) => {
                let (text, style) = (text.into_owned(), style_of(style));
                let kind = Kind::Scalar { text, style };
                self.keep(Node { start, end, kind }, anchor, 0, 1)?;
            }
            Event::SequenceStart(_, anchor, _) => self.push(start, anchor, Kind::List(Vec::new())),
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let entries = Vec::new();
                self.push(start, anchor, Kind::Map { entries, flow });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(end)?,
            Event::Alias(id) => self.alias(id, start, end)?,
            Event::UnresolvedAlias(name) => {
                let help = format!(
                    "`*` starts an alias in YAML; a text that starts with it needs quotes: \"*{name}\""
                );
                self.report.add(
                    start,
                    end,
                    format!("`*{name}` names no anchor of this file"),
                    help,
                );
                self.torn = true;
                self.keep(null(start, end), 0, 0, 1)?;
            }
            _ => {}
        }
        Some(())
    }

    fn document(&mut self, start: usize) -> Option<()> {
        self.documents += 1;
        if self.documents > 1 {
            let help = "put each scenario into a file of its own; `---` starts another document";
            self.report
                .add(start, start + 3, "a second document in one file", help);
            return None;
        }
        Some(())
    }

    fn push(&mut self, start: usize, anchor: usize, kind: Kind) {
        self.open.push(Open {
            start,
            anchor,
            kind,
            key: None,
            height: 0,
        });
    }

    fn close(&mut self, end: usize) -> Option<()> {
        let open = self.open.pop()?;
        let base = self.file.base();
        // A block collection ends where the next thing starts; the blank space between is not part of it.
        let inner = self.file.text().get(open.start - base..end - base);
        let inner = inner.unwrap_or("");
        let end = open.start + inner.trim_end().len();
        let size = match &open.kind {
            Kind::List(items) => items.iter().map(size).sum(),
            Kind::Map { entries, .. } => entries.iter().map(|entry| 1 + size(&entry.value)).sum(),
            Kind::Scalar { .. } => 0,
        };
        let counted: usize = if open.anchor == 0 { 1 } else { 1 + size };
        let (start, kind) = (open.start, open.kind);
        self.keep_sized(
            Node { start, end, kind },
            open.anchor,
            open.height + 1,
            1,
            counted,
        )
    }

    fn alias(&mut self, id: usize, start: usize, end: usize) -> Option<()> {
        let Some((node, height, size)) = self.anchors.get(&id).cloned() else {
            let help = "an anchored value cannot contain itself";
            self.report
                .add(start, end, "this alias stands inside its own anchor", help);
            return self.keep(null(start, end), 0, 0, 1);
        };
        self.keep(node, 0, height, size)
    }

    fn keep(&mut self, node: Node, anchor: usize, height: usize, cost: usize) -> Option<()> {
        self.keep_sized(node, anchor, height, cost, cost)
    }

    /// Puts a finished node where it belongs. `cost` is what it adds to the tree now, `size` what an alias will add.
    fn keep_sized(
        &mut self,
        node: Node,
        anchor: usize,
        height: usize,
        cost: usize,
        size: usize,
    ) -> Option<()> {
        self.nodes = self.nodes.saturating_add(cost);
        if self.nodes > NODES || self.open.len() + height > DEPTH {
            let help = format!(
                "a scenario may have {NODES} values and {DEPTH} levels, aliases counted as often as used"
            );
            self.report.add(
                node.start,
                node.start + 1,
                "the file is too large or too deep",
                help,
            );
            return None;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), height, size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        parent.height = parent.height.max(height);
        match &mut parent.kind {
            Kind::List(items) => items.push(node),
            Kind::Map { entries, .. } => match parent.key.take() {
                None => parent.key = Some(node),
                Some(key) => add_entry(self.report, entries, key, node),
            },
            Kind::Scalar { .. } => {}
        }
        Some(())
    }
}

/// Adds a pair to a mapping. A key that is there already, or is not a text, is a problem and is left out.
fn add_entry(report: &Report<'_>, entries: &mut Vec<Entry>, key: Node, value: Node) {
    let Some(name) = key.scalar() else {
        let help = "text that starts with `{` or `[` needs quotes";
        report.add(
            key.start,
            key.end,
            format!("{} cannot be a key", key.what()),
            help,
        );
        return;
    };
    if let Some(first) = entries.iter().find(|entry| entry.name() == name) {
        let line = report.source().place(first.key.start).line;
        let help = format!("the first one stands in line {line}; keep one of them");
        report.add(key.start, key.end, format!("duplicate key `{name}`"), help);
        return;
    }
    entries.push(Entry { key, value });
}

fn null(start: usize, end: usize) -> Node {
    let kind = Kind::Scalar {
        text: String::new(),
        style: Style::Plain,
    };
    Node { start, end, kind }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar { .. } => 1,
        Kind::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Map { entries, .. } => {
            1 + entries
                .iter()
                .map(|entry| 1 + size(&entry.value))
                .sum::<usize>()
        }
    }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}
