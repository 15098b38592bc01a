//! The nearest known name, and the list of what is known: what a wrong name is answered with.

/// Names longer than this are not compared: no known name is near to them, and the comparison is quadratic.
const COMPARED: usize = 64;
/// So many names are listed before the rest is only counted.
const LISTED: usize = 24;

/// The known name that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > COMPARED {
        return None;
    }
    let lower = name.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&lower, &other.to_lowercase());
    let candidates = known.iter().filter(|other| other.len() <= COMPARED);
    let (best, steps) = candidates
        .map(|other| (*other, distance(other)))
        .min_by_key(|(_, steps)| *steps)?;
    // A third of the letters may be wrong; a swap counts once.
    let allowed = (name.chars().count() / 3).max(1);
    (steps <= allowed).then_some(best)
}

/// `did you mean …? known …: a, b, c`.
pub(super) fn help(name: &str, what: &str, known: &[&str]) -> String {
    let list = list(known);
    let known_are = if known.is_empty() {
        format!("there is no {what} here")
    } else {
        format!("known: {list}")
    };
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`? {known_are}"),
        None => known_are,
    }
}

/// Names with commas between them.
pub(super) fn list(known: &[&str]) -> String {
    let shown: Vec<&str> = known.iter().copied().take(LISTED).collect();
    let rest = known.len().saturating_sub(LISTED);
    if rest > 0 {
        return format!("{} and {rest} more", shown.join(", "));
    }
    shown.join(", ")
}

/// A name of the language: a letter or `_`, then letters, digits and `_`.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text.len() <= COMPARED && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
