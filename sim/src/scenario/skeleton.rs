//! A first scenario to be changed into another one.

use super::names;

/// The text, with the place where its name belongs.
const TEXT: &str = include_str!("skeleton.yaml");

/// A commented scenario of this name, which loads and gets its verdicts.
///
/// # Errors
///
/// That this is no name, and what one is.
pub fn skeleton(name: &str) -> Result<String, String> {
    if !names::is_name(name) {
        return Err(format!(
            "`{name}` is no name for a scenario: a name is a letter, then letters, digits and _, at most 64"
        ));
    }
    Ok(TEXT.replacen("name: NAME", &format!("name: {name}"), 1))
}
