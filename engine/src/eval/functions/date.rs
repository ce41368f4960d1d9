//! Timestamps, written as RFC 3339 has them.

use super::argument::{Arguments, Fault};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::value::{Number, Value};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "formatdate",
        group: Group::Dates,
        parameters: &[Parameter::new("format", Takes::Text), Parameter::new("timestamp", Takes::Text)],
        gives: Gives::Text,
        doc: "A timestamp in another layout: `YYYY` `YY` (year), `MMMM` `MMM` `MM` `M` (month), `DD` `D` (day), `EEEE` `EEE` (day of the \
              week), `hh` `h` (hour of 24), `HH` `H` (hour of 12), `AA` `aa` (half of the day), `mm` `m`, `ss` `s`, `Z` `ZZZ` `ZZZZ` \
              `ZZZZZ` (offset). Other letters stand between `'`.",
        example: Example { call: r#"formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")"#, result: r#""02 Jan 2018 23:12 UTC""# },
        body: Body::Plain(format_date),
    },
    Function {
        name: "plantimestamp",
        group: Group::Dates,
        parameters: &[],
        gives: Gives::Text,
        doc: "When planning began, in UTC. What depends on it changes with every plan.",
        example: Example { call: "plantimestamp()", result: r#""2024-06-01T12:00:00Z""# },
        body: Body::Planning(|surroundings, _| Ok(stamp(surroundings.planned_at))),
    },
    Function {
        name: "timestamp",
        group: Group::Dates,
        parameters: &[],
        gives: Gives::Text,
        doc: "The time of day, in UTC, at which an apply comes to it; known only after apply. What depends on it changes with every apply.",
        example: Example { call: "timestamp()", result: r#""2024-06-01T12:00:00Z""# },
        body: Body::Applying(stamp),
    },
    Function {
        name: "timeadd",
        group: Group::Dates,
        parameters: &[Parameter::new("timestamp", Takes::Text), Parameter::new("duration", Takes::Text)],
        gives: Gives::Text,
        doc: "A timestamp moved by a duration such as `1h30m`, `-10m` or `1.5s`. Units are `h`, `m`, `s`, `ms`, `us` and `ns`.",
        example: Example { call: r#"timeadd("2017-11-22T00:00:00Z", "10m")"#, result: r#""2017-11-22T00:10:00Z""# },
        body: Body::Plain(time_add),
    },
    Function {
        name: "timecmp",
        group: Group::Dates,
        parameters: &[Parameter::new("timestamp", Takes::Text), Parameter::new("other", Takes::Text)],
        gives: Gives::Number,
        doc: "-1 if the first timestamp is the earlier one, 1 if it is the later one, 0 if they are the same moment.",
        example: Example { call: r#"timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00+01:00")"#, result: "0" },
        body: Body::Plain(|given| {
            let (left, right) = (Stamp::of(given, 0)?.moment(), Stamp::of(given, 1)?.moment());
            Ok(Value::number(Number::from(left.cmp(&right) as i64)))
        }),
    },
];

/// Seconds since 1970 as a timestamp in UTC; of those too far away for one, the last that there is.
fn stamp(seconds: u64) -> Value {
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX);
    Value::string(at.to_string())
}

/// A moment as its place says it.
#[derive(Clone, Copy)]
struct Stamp<'a> {
    local: DateTime,
    /// Ahead of UTC, in minutes.
    offset: i16,
    /// As written: `Z`, `+02:00`.
    zone: &'a str,
}

impl<'a> Stamp<'a> {
    fn of(given: Arguments<'a>, at: usize) -> Result<Self, Fault> {
        let text = given.text(at);
        Self::parse(text).ok_or_else(|| {
            let shown = given.shown(at);
            Fault::at(at, format!("must be a timestamp of RFC 3339 such as `2018-01-02T23:12:01Z`, found {shown}"))
        })
    }

    fn parse(text: &'a str) -> Option<Self> {
        let split = text.rfind(['Z', '+', '-']).filter(|&split| split >= "YYYY-MM-DDThh:mm:ss".len())?;
        let (local, zone) = text.split_at(split);
        let layout = |text: &str, layout: &str| {
            text.len() == layout.len()
                && text.bytes().zip(layout.bytes()).all(|(byte, of)| if of == b'0' { byte.is_ascii_digit() } else { byte == of })
        };
        let (seconds, fraction) = local.split_at_checked("YYYY-MM-DDThh:mm:ss".len())?;
        // The parser of times takes the 60th second; nobody who compares two timestamps expects it to be the 59th.
        if !layout(seconds, "0000-00-00T00:00:00") || seconds.ends_with("60") {
            return None;
        }
        if !fraction.is_empty()
            && !fraction.strip_prefix('.').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return None;
        }
        let offset = match zone {
            "Z" => 0,
            zone if layout(&zone[1..], "00:00") => {
                let (hours, minutes): (i16, i16) = (zone[1..3].parse().ok()?, zone[4..].parse().ok()?);
                let ahead = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
                if zone.starts_with('-') { -ahead } else { ahead }
            }
            _ => return None,
        };
        let kept = fraction.get(..10).unwrap_or(fraction);
        Some(Self { local: format!("{seconds}{kept}").parse().ok()?, offset, zone })
    }

    /// The same moment at UTC.
    fn moment(self) -> DateTime {
        self.local.saturating_sub(SignedDuration::from_mins(self.offset.into()))
    }

    fn offset(self, separator: &str) -> String {
        let (sign, ahead) = (if self.offset < 0 { '-' } else { '+' }, self.offset.unsigned_abs());
        format!("{sign}{:02}{separator}{:02}", ahead / 60, ahead % 60)
    }
}

fn time_add(given: Arguments<'_>) -> Result<Value, Fault> {
    let stamp = Stamp::of(given, 0)?;
    let duration = duration(given.text(1)).ok_or_else(|| {
        Fault::at(1, format!("must be a duration such as `1h30m` in `h`, `m`, `s`, `ms`, `us` or `ns`, found {}", given.shown(1)))
    })?;
    let moved = stamp.local.checked_add(duration).map_err(|_| Fault::at(1, "leads beyond the years 0 to 9999"))?;
    Ok(Value::string(format!("{}{}", moved.strftime("%Y-%m-%dT%H:%M:%S"), stamp.zone)))
}

/// A duration in the notation of Go's `time.ParseDuration`. None if it is another notation, or longer than 292 years.
fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanoseconds: i64 = 0;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|of: char| of.is_ascii_digit() || of == '.').len();
        let (number, after) = rest.split_at(number);
        let unit = after.find(|of: char| of.is_ascii_digit() || of == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        nanoseconds = nanoseconds.checked_add(part(number, unit)?)?;
        rest = after;
    }
    Some(SignedDuration::from_nanos(if negative { -nanoseconds } else { nanoseconds }))
}

/// One number with its unit, in nanoseconds.
fn part(number: &str, unit: &str) -> Option<i64> {
    let scale: i64 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut of_fraction: i64 = 0;
    let mut weight = scale;
    for digit in fraction.chars() {
        weight /= 10;
        of_fraction += weight * i64::from(digit.to_digit(10)?);
    }
    whole.checked_mul(scale)?.checked_add(of_fraction)
}

fn format_date(given: Arguments<'_>) -> Result<Value, Fault> {
    let stamp = Stamp::of(given, 1)?;
    let mut rest = given.text(0);
    let mut out = String::new();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(&rest[1..], &mut out)?;
            continue;
        }
        let run = rest.len() - rest.trim_start_matches(first).len();
        let (verb, after) = rest.split_at(run);
        if first.is_ascii_alphabetic() {
            out.push_str(
                &written(verb, stamp).ok_or_else(|| Fault::at(0, format!("has `{verb}`, which is no verb; text stands between `'`")))?,
            );
        } else {
            out.push_str(verb);
        }
        rest = after;
    }
    Ok(Value::string(out))
}

/// Takes what stands between quotes, of which two together are one. Gives what follows.
fn quoted<'a>(mut rest: &'a str, out: &mut String) -> Result<&'a str, Fault> {
    loop {
        let Some((text, after)) = rest.split_once('\'') else { return Err(Fault::at(0, "has a `'` that is never closed")) };
        out.push_str(text);
        let Some(again) = after.strip_prefix('\'') else { return Ok(after) };
        out.push('\'');
        rest = again;
    }
}

fn written(verb: &str, stamp: Stamp<'_>) -> Option<String> {
    let local = stamp.local;
    let layout = match verb {
        "YYYY" => "%Y",
        "YY" => "%y",
        "MMMM" => "%B",
        "MMM" => "%b",
        "MM" => "%m",
        "M" => "%-m",
        "DD" => "%d",
        "D" => "%-d",
        "EEEE" => "%A",
        "EEE" => "%a",
        "hh" => "%H",
        "h" => "%-H",
        "HH" => "%I",
        "H" => "%-I",
        "AA" => "%p",
        "aa" => "%P",
        "mm" => "%M",
        "m" => "%-M",
        "ss" => "%S",
        "s" => "%-S",
        "Z" if stamp.offset == 0 => return Some("Z".to_owned()),
        "ZZZ" if stamp.offset == 0 => return Some("UTC".to_owned()),
        "Z" | "ZZZZZ" => return Some(stamp.offset(":")),
        "ZZZ" | "ZZZZ" => return Some(stamp.offset("")),
        _ => return None,
    };
    let mut out = String::new();
    write!(out, "{}", local.strftime(layout)).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::stamp;
    use crate::eval::scene::Scene;
    use crate::value::Value;

    #[test]
    fn the_time_of_day_is_that_of_the_apply() {
        check(&[("timestamp()", "?string"), ("timeadd(timestamp(), \"1h\")", "?string")]);
        let mut scene = Scene::default();
        let later = scene.value("\"at ${timeadd(timestamp(), \"1h\")}\"");
        assert_eq!(scene.filled(&later).unwrap().as_str(), Some("at 2024-06-01T13:00:00Z"));
        assert_eq!(stamp(u64::MAX), Value::string("9999-12-30T22:00:00.999999999Z"));
    }

    #[test]
    fn dates_are_laid_out() {
        let wrong =
            "unsuitable argument: the `timestamp` of `formatdate` must be a timestamp of RFC 3339 such as `2018-01-02T23:12:01Z`, found";
        check(&[
            (r#"formatdate("YYYY/YY M D", "0987-06-05T04:03:02Z")"#, r#""0987/87 6 5""#),
            (r#"formatdate("aa AA HH", "2018-01-02T12:12:01Z")"#, r#""pm PM 12""#),
            (r#"formatdate("'it''s' é", "2018-01-02T12:12:01.123456789012Z")"#, r#""it's é""#),
            (r#"formatdate("", "2018-01-02T12:12:01Z")"#, r#""""#),
            (r#"formatdate("ZZZ Z ZZZZ", "2018-01-02T23:12:01+00:00")"#, r#""UTC Z +0000""#),
            (r#"formatdate("Z ZZZ", "2018-01-02T23:12:01-03:30")"#, r#""-03:30 -0330""#),
            (
                r#"formatdate("YYYYY", "2018-01-02T23:12:01Z")"#,
                "unsuitable argument: the `format` of `formatdate` has `YYYYY`, which is no verb; text stands between `'`",
            ),
            (
                r#"formatdate("'open", "2018-01-02T23:12:01Z")"#,
                "unsuitable argument: the `format` of `formatdate` has a `'` that is never closed",
            ),
            (r#"formatdate("YYYY", "2018-01-02")"#, &format!("{wrong} `2018-01-02`")),
            (r#"formatdate("YYYY", "2018-02-30T00:00:00Z")"#, &format!("{wrong} `2018-02-30T00:00:00Z`")),
            (r#"formatdate("YYYY", "2016-12-31T23:59:60Z")"#, &format!("{wrong} `2016-12-31T23:59:60Z`")),
            (r#"formatdate("YYYY", "2018-01-02T00:00:00.Z")"#, &format!("{wrong} `2018-01-02T00:00:00.Z`")),
            (r#"formatdate("YYYY", "2018-01-02t00:00:00z")"#, &format!("{wrong} `2018-01-02t00:00:00z`")),
            (r#"formatdate("YYYY", "2018-01-02T00:00:00+24:00")"#, &format!("{wrong} `2018-01-02T00:00:00+24:00`")),
        ]);
    }

    #[test]
    fn times_move_by_durations_and_compare_as_moments() {
        let wrong = |found: &str| {
            format!(
                "unsuitable argument: the `duration` of `timeadd` must be a duration such as `1h30m` in `h`, `m`, `s`, `ms`, `us` or `ns`, \
                 found `{found}`"
            )
        };
        check(&[
            (r#"timeadd("2016-02-28T23:59:59+02:00", "1h0m1.0s")"#, r#""2016-02-29T01:00:00+02:00""#),
            (r#"timeadd("2017-11-22T00:00:00Z", "0")"#, r#""2017-11-22T00:00:00Z""#),
            (r#"timeadd("2017-11-22T00:00:00Z", "-.5h")"#, r#""2017-11-21T23:30:00Z""#),
            (r#"timeadd("2017-11-22T00:00:00.9Z", "100ms")"#, r#""2017-11-22T00:00:01Z""#),
            (r#"timeadd("2017-11-22T00:00:00Z", "1d")"#, &wrong("1d")),
            (r#"timeadd("2017-11-22T00:00:00Z", "1")"#, &wrong("1")),
            (r#"timeadd("2017-11-22T00:00:00Z", "")"#, &wrong("")),
            (r#"timeadd("2017-11-22T00:00:00Z", "-")"#, &wrong("-")),
            (r#"timeadd("2017-11-22T00:00:00Z", "9999999h")"#, &wrong("9999999h")),
            (
                r#"timeadd("9999-12-31T23:59:59Z", "1s")"#,
                "unsuitable argument: the `duration` of `timeadd` leads beyond the years 0 to 9999",
            ),
            (r#"timecmp("2017-11-22T00:00:00Z", "2017-11-22T00:00:00.000000001Z")"#, "-1"),
            (r#"timecmp("2017-11-22T00:00:00-01:00", "2017-11-22T00:00:00Z")"#, "1"),
            (r#"timecmp("0000-01-01T00:00:00+01:00", "0000-01-01T00:00:00Z")"#, "-1"),
        ]);
    }
}
