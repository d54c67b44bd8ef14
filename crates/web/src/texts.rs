//! All texts of all slices, in Fluent, by key and language.
//!
//! Functions for texts: `JOSA($word, "은/는")` gives the word with the fitting Korean particle,
//! `NUMBER($n)` groups digits by three. Dates come in as formatted texts.

use std::borrow::Cow;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use kernel::{Arg, Locale};
use store::Fault;

use crate::Slice;
use crate::josa::josa;

/// All texts in all languages.
#[derive(Default)]
pub struct Texts {
    /// By [`Locale::index`].
    bundles: Vec<FluentBundle<FluentResource>>,
}

impl Texts {
    /// The texts of these slices. A syntax error or a key that two slices use is a fault.
    pub fn try_new(slices: &[Slice]) -> Result<Self, Fault> {
        let mut bundles = Vec::new();
        for locale in Locale::ALL {
            bundles.push(bundle(locale, slices)?);
        }
        Ok(Self { bundles })
    }

    /// The text with this key. A key without a text is shown as itself and logged: the conformance
    /// tests keep that from happening.
    pub fn get(&self, locale: Locale, key: &str) -> String {
        self.format(locale, key, &[])
    }

    /// The text with this key and these variables.
    pub fn format(&self, locale: Locale, key: &str, args: &[(&str, Arg)]) -> String {
        let Some(text) = self.lookup(locale, key, args) else {
            tracing::warn!(key, locale = locale.tag(), "no text for this key");
            return key.to_owned();
        };
        text
    }

    /// The text with this key, or `None` when there is none.
    pub fn find(&self, locale: Locale, key: &str) -> Option<String> {
        self.lookup(locale, key, &[])
    }

    /// The text with this key where nothing is known of its variables: `…` stands for each.
    pub fn outline(&self, locale: Locale, key: &str) -> String {
        let bundle = self.bundles.get(locale.index());
        let pattern = bundle.and_then(|it| it.get_message(key)?.value());
        let (Some(bundle), Some(pattern)) = (bundle, pattern) else { return key.to_owned() };
        // Fluent writes what it cannot resolve as `{$name}`; that it cannot is expected here.
        let text = bundle.format_pattern(pattern, None, &mut Vec::new()).into_owned();
        let mut outline = String::new();
        for part in text.split('{') {
            match part.split_once('}') {
                Some((_, rest)) => {
                    outline.push('…');
                    outline.push_str(rest);
                }
                None => outline.push_str(part),
            }
        }
        outline
    }

    /// Whether there is a text with this key.
    pub fn has(&self, locale: Locale, key: &str) -> bool {
        self.bundles.get(locale.index()).is_some_and(|it| it.has_message(key))
    }

    fn lookup(&self, locale: Locale, key: &str, args: &[(&str, Arg)]) -> Option<String> {
        let bundle = self.bundles.get(locale.index())?;
        let pattern = bundle.get_message(key)?.value()?;
        let mut values = FluentArgs::with_capacity(args.len());
        for (name, arg) in args {
            match arg {
                Arg::Number(number) => values.set(*name, FluentValue::from(*number)),
                Arg::Text(text) => values.set(*name, FluentValue::from(text.as_str())),
            }
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&values), &mut errors);
        if !errors.is_empty() {
            tracing::warn!(key, locale = locale.tag(), ?errors, "a text lacks a variable");
        }
        Some(text.into_owned())
    }
}

fn bundle(locale: Locale, slices: &[Slice]) -> Result<FluentBundle<FluentResource>, Fault> {
    let tag = locale.tag().parse().map_err(|_| Fault::new("a locale tag is not BCP 47"))?;
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Isolation marks guard right-to-left text, which none of our languages is; they would stand
    // in copied text and in attributes.
    bundle.set_use_isolating(false);
    let functions: [(&str, Function); 2] = [("JOSA", call_josa), ("NUMBER", call_number)];
    for (name, function) in functions {
        bundle
            .add_function(name, function)
            .map_err(|error| Fault::new(format!("adding {name}: {error}")))?;
    }
    for slice in slices {
        for (tag, source) in &slice.texts {
            if *tag != locale.tag() {
                continue;
            }
            let resource =
                FluentResource::try_new((*source).to_owned()).map_err(|(_, errors)| {
                    Fault::new(format!("the {tag} texts of {}: {errors:?}", slice.name))
                })?;
            bundle.add_resource(resource).map_err(|errors| {
                Fault::new(format!("the {tag} texts of {}: {errors:?}", slice.name))
            })?;
        }
    }
    Ok(bundle)
}

/// What a Fluent function looks like.
type Function = for<'a> fn(&[FluentValue<'a>], &FluentArgs<'_>) -> FluentValue<'a>;

fn call_josa<'a>(values: &[FluentValue<'a>], _: &FluentArgs<'_>) -> FluentValue<'a> {
    let (Some(word), Some(FluentValue::String(pair))) = (values.first(), values.get(1)) else {
        return FluentValue::Error;
    };
    let word: Cow<'_, str> = match word {
        FluentValue::String(text) => Cow::Borrowed(text),
        FluentValue::Number(number) => Cow::Owned(number.as_string().into_owned()),
        _ => return FluentValue::Error,
    };
    FluentValue::from(josa(&word, pair))
}

fn call_number<'a>(values: &[FluentValue<'a>], _: &FluentArgs<'_>) -> FluentValue<'a> {
    match values.first() {
        Some(FluentValue::Number(number)) => FluentValue::from(grouped(&number.as_string())),
        _ => FluentValue::Error,
    }
}

/// Digits grouped by three with commas, as all three languages write them.
pub fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(korean: &'static str) -> Texts {
        let slice =
            Slice { texts: [("ko", korean), ("en", "a = b"), ("zh-Hans", "")], ..crate::slice() };
        Texts::try_new(&[slice]).unwrap()
    }

    #[test]
    fn functions_work_inside_a_text() {
        let texts =
            texts("hello = { JOSA($name, \"은/는\") } { NUMBER($count) }번 들어갔습니다.\n");
        let args = [("name", Arg::Text("홍길동".to_owned())), ("count", Arg::Number(1_234_567))];
        assert_eq!(texts.format(Locale::Ko, "hello", &args), "홍길동은 1,234,567번 들어갔습니다.");
    }

    #[test]
    fn a_missing_key_shows_itself() {
        assert_eq!(texts("a = 나").get(Locale::Ko, "no-such-text"), "no-such-text");
        assert_eq!(texts("a = 나").find(Locale::En, "no-such-text"), None);
    }

    #[test]
    fn a_key_used_twice_is_found_at_start() {
        let slice =
            Slice { texts: [("ko", "a = 나"), ("en", ""), ("zh-Hans", "")], ..crate::slice() };
        assert!(Texts::try_new(&[slice.clone(), slice]).is_err());
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in
            [("0", "0"), ("999", "999"), ("1000", "1,000"), ("-1234567.5", "-1,234,567.5")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
