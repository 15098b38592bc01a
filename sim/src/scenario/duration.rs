//! Durations (`10s`, `4500ms`, `2m`, `7h`, `1d`), ranges of them (`8s..12s`) and instants (`2025-11-12T20:39:00Z`).

use super::program::{Millis, Span};

/// Ten years: longer durations are slips of the pen, and sums of shorter ones cannot overflow.
const LONGEST: Millis = 10 * 366 * 24 * 3600 * 1000;

/// What a duration looks like, for messages.
pub(super) const FORM: &str = "a duration is a whole number with its unit: 4500ms, 10s, 2m, 7h, 1d";

/// `10s` in milliseconds.
pub(super) fn parse(text: &str) -> Option<Millis> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: Millis = number.parse().ok()?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit).filter(|millis| *millis <= LONGEST)
}

/// What to write instead of a text that is no duration and no range, where it can be told.
pub(super) fn meant(text: &str) -> Option<String> {
    let Some((shortest, longest)) = text.split_once("..") else {
        return meant_by_one(text.trim());
    };
    let parts = [shortest.trim(), longest.trim()];
    if parts.iter().all(|part| parse(part).is_some()) {
        return Some(format!(
            "the shortest stands first: {}..{}",
            parts[1], parts[0]
        ));
    }
    parts.into_iter().find_map(meant_by_one)
}

fn meant_by_one(text: &str) -> Option<String> {
    if parse(text).is_some() {
        return None;
    }
    if text.starts_with('-') {
        return Some("it is never negative".to_owned());
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = match text[end..].trim().to_ascii_lowercase().as_str() {
        "" => return Some(format!("say the unit, such as {0}s or {0}ms", &text[..end])),
        "ms" | "millis" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000.0,
        "d" | "day" | "days" => 86_400_000.0,
        _ => return None,
    };
    let millis = number * unit;
    if millis > LONGEST as f64 {
        return Some(format!("the longest is {}d", LONGEST / 86_400_000));
    }
    (millis.fract() == 0.0).then(|| format!("write {}", shown(millis as Millis)))
}

/// In the largest unit that needs no point.
fn shown(millis: Millis) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ];
    let whole = units
        .iter()
        .find(|(_, unit)| millis >= *unit && millis.is_multiple_of(*unit));
    whole.map_or(format!("{millis}ms"), |(name, unit)| {
        format!("{}{name}", millis / unit)
    })
}

/// `8s..12s`, or `8s` for exactly that.
pub(super) fn parse_span(text: &str) -> Option<Span> {
    let (shortest, longest) = text.split_once("..").unwrap_or((text, text));
    let (shortest, longest) = (parse(shortest.trim())?, parse(longest.trim())?);
    (shortest <= longest).then_some(Span { shortest, longest })
}

/// `1h` or `-1h`: an offset of a clock.
pub(super) fn parse_offset(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let millis = i64::try_from(parse(text)?).ok()?;
    Some(sign * millis)
}

/// `2025-11-12T20:39:00Z` in milliseconds since the Unix epoch; UTC only, from 1970 to 9999.
pub(super) fn parse_instant(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let millis = fraction_millis(fraction)?;
    let valid =
        year >= 1970 && (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    if !valid || day < 1 || day > days_in(year, month) {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000 + millis)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        *slot = digits.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(found)
}

fn fraction_millis(text: &str) -> Option<i64> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = digits.then(|| text.parse().ok())??;
    Some(match text.len() {
        1 => number * 100,
        2 => number * 10,
        _ => number,
    })
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = |y: i64| y * 365 + y / 4 - y / 100 + y / 400;
    let years = before(year - 1) - before(1969);
    let months: i64 = (1..month).map(|m| days_in(year, m)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::{meant, parse, parse_instant, parse_offset, parse_span};
    use crate::scenario::program::Span;

    #[test]
    fn durations() {
        let read = ["4500ms", "10s", "2m", "7h", "1d", "0s"].map(parse);
        assert_eq!(
            read,
            [4_500, 10_000, 120_000, 25_200_000, 86_400_000, 0].map(Some)
        );
        for wrong in [
            "10",
            "s",
            "1.5s",
            "-1s",
            "10 s",
            "99999999999999999999s",
            "1000000h",
            "10S",
            "",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        let span = |shortest, longest| Some(Span { shortest, longest });
        assert_eq!(parse_span("8s..12s"), span(8_000, 12_000));
        assert_eq!(parse_span("8s"), span(8_000, 8_000));
        assert_eq!(parse_span("12s..8s"), None);
        assert_eq!(parse_offset("-1h"), Some(-3_600_000));
    }

    #[test]
    fn what_is_meant_is_told() {
        for (text, expected) in [
            ("5 sec", "write 5s"),
            ("1.5h", "write 90m"),
            ("0.5ms", ""),
            ("-3s", "it is never negative"),
            ("10", "say the unit, such as 10s or 10ms"),
            ("12s..8s", "the shortest stands first: 8s..12s"),
            ("1 min..2 min", "write 1m"),
            ("99999999999999999999s", "the longest is 3660d"),
            ("soon", ""),
            ("1:30", ""),
        ] {
            assert_eq!(meant(text).unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn instants() {
        assert_eq!(parse_instant("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            parse_instant("2026-01-05T09:00:00Z"),
            Some(1_767_603_600_000)
        );
        assert_eq!(
            parse_instant("2024-02-29T23:59:59.5Z"),
            Some(1_709_251_199_500)
        );
        for wrong in [
            "2025-02-29T00:00:00Z",
            "2025-11-12",
            "2025-11-12T20:39:00",
            "2025-11-12T24:00:00Z",
        ] {
            assert_eq!(parse_instant(wrong), None, "{wrong}");
        }
    }
}
