//! The case file: one JSON object that holds everything a replay needs.

use serde::{Deserialize, Serialize};

use super::{Decisions, line, parse_line};

/// Version of the case file.
const FORMAT: u32 = 1;

/// A failure, ready to be replayed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Version of this format, 1.
    pub lockstep_case: u32,
    /// Version of lockstep that wrote it.
    pub lockstep: String,
    /// What was run.
    pub scenario: Source,
    /// Which variant of it.
    pub variant: String,
    /// Parts of the variant that were dropped, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Events of the scenario that it does without, by their labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// Seed of the search that found it.
    pub seed: u64,
    /// Run of that search.
    pub run: u64,
    /// One readable decision each: `CAUSE @ SITE [#N] => DECISION`.
    pub decisions: Vec<String>,
    /// What the case shows.
    pub violates: Violates,
}

/// What a case runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// A scenario, with its whole text.
    Scenario {
        /// Its name.
        name: String,
        /// The file that it was read from.
        file: String,
        /// The text itself: in the file a list of its lines, so that people read and compare it.
        #[serde(with = "lines")]
        text: String,
    },
    /// A built-in world.
    World {
        /// Its name: `store`.
        world: String,
    },
}

/// A text as a list of its lines. One string is read, too.
mod lines {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Whole(String),
        Lines(Vec<String>),
    }

    pub(super) fn serialize<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
        text.split('\n').collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        Ok(match Text::deserialize(from)? {
            Text::Whole(text) => text,
            Text::Lines(lines) => lines.join("\n"),
        })
    }
}

/// The violation that a case shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violates {
    /// Name of the invariant.
    pub invariant: String,
    /// Key of the offending row, or empty.
    pub key: String,
}

impl CaseFile {
    /// A case of this version.
    pub fn new(
        scenario: Source,
        variant: &str,
        seed: u64,
        run: u64,
        decisions: &Decisions,
        violates: Violates,
    ) -> Self {
        Self {
            lockstep_case: FORMAT,
            lockstep: env!("CARGO_PKG_VERSION").to_owned(),
            scenario,
            variant: variant.to_owned(),
            without: Vec::new(),
            absent: Vec::new(),
            seed,
            run,
            decisions: decisions
                .0
                .iter()
                .map(|(point, deviation)| line(point, deviation))
                .collect(),
            violates,
        }
    }

    /// The case of the variant without some of its parts.
    #[must_use]
    pub fn without(mut self, parts: &[String]) -> Self {
        self.without = parts.to_vec();
        self
    }

    /// The case without some of the scenario's events.
    #[must_use]
    pub fn without_events(mut self, labels: &[String]) -> Self {
        self.absent = labels.to_vec();
        self
    }

    /// Reads a case file.
    ///
    /// # Errors
    /// In words: not JSON, not a case, or of another version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| format!("not a case file: it is not JSON ({error})"))?;
        let version = json
            .get("lockstep_case")
            .ok_or("not a case file: `lockstep_case` is missing")?;
        if version.as_u64() != Some(u64::from(FORMAT)) {
            return Err(format!(
                "case format {version} is not known here; this lockstep reads format {FORMAT}"
            ));
        }
        let case: Self =
            serde_json::from_value(json).map_err(|error| format!("not a case file: {error}"))?;
        case.decisions().map(|_| case)
    }

    /// Its decisions.
    ///
    /// # Errors
    /// In words, when a line does not parse or a point is decided twice.
    pub fn decisions(&self) -> Result<Decisions, String> {
        let mut decisions = Decisions::default();
        for text in &self.decisions {
            let (point, deviation) = parse_line(text)?;
            if decisions.0.insert(point, deviation).is_some() {
                return Err(format!("`{text}`: this point already has a decision"));
            }
        }
        Ok(decisions)
    }

    /// The file's text: indented, so that people read and edit it.
    pub fn to_text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.map_or_else(|error| error.to_string(), |text| text + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{CaseFile, Source, Violates};

    fn case() -> CaseFile {
        let decisions = "m1 @ read session => switch m2; m2 @ sql #2 => crash"
            .parse()
            .unwrap();
        let source = Source::World {
            world: "store".to_owned(),
        };
        let violates = Violates {
            invariant: "one_active_session".to_owned(),
            key: "alice".to_owned(),
        };
        CaseFile::new(source, "default", 7, 1, &decisions, violates)
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(CaseFile::parse(&case().to_text()), Ok(case()));
        assert_eq!(case().decisions().unwrap().0.len(), 2);
    }

    #[test]
    fn what_is_not_a_case_is_refused_in_words() {
        let refused = |text: &str| CaseFile::parse(text).unwrap_err();
        assert!(refused("version: 1").contains("not JSON"));
        assert!(refused("{}").contains("`lockstep_case` is missing"));
        assert!(refused("{\"lockstep_case\": 9}").contains("format 9 is not known"));
        let twice = case()
            .to_text()
            .replace("m2 @ sql #2 => crash", "m1 @ read session => crash");
        assert!(refused(&twice).contains("already has a decision"));
    }
}
