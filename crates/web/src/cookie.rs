//! Cookies: reading the ones we set, writing them with the attributes they need.
//!
//! `__Host-` cookies are bound to this host and need a secure context; over plain HTTP, which only a
//! demo on a local network uses, the prefix and `Secure` are left away because browsers would
//! refuse them.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};

use crate::app::Config;

/// The session's cookie, without the prefix.
pub(crate) const SESSION: &str = "haetae";
/// The cookie that a visitor's form tokens are bound to, without the prefix.
pub(crate) const VISITOR: &str = "haetae-visitor";
/// The reader's language.
pub(crate) const LANGUAGE: &str = "haetae-lang";
/// Text key of the notice on the next page.
pub(crate) const NOTICE: &str = "haetae-notice";
/// `light` or `dark`.
pub(crate) const THEME: &str = "haetae-theme";
/// `normal` or `large`.
pub(crate) const SIZE: &str = "haetae-size";

/// The first cookie with this name. Values are ours: hex, tags, keys; anything else is not found.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = pairs.flat_map(|it| it.split(';')).take(64).filter_map(|it| it.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    let value = value.trim();
    let plain = value.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
    (plain && value.len() <= 128).then_some(value)
}

/// Whether browsers see this origin as a secure context.
pub(crate) fn secure(config: &Config) -> bool {
    config.origin.scheme() == "https"
        || matches!(config.origin.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// The full name of a host cookie.
pub(crate) fn host_name(config: &Config, name: &str) -> String {
    if secure(config) { format!("__Host-{name}") } else { name.to_owned() }
}

/// Sets a cookie that scripts cannot read; `max_age_s` of `None` ends with the browser, 0 removes.
pub(crate) fn host(
    config: &Config,
    name: &str,
    value: &str,
    max_age_s: Option<i64>,
) -> HeaderValue {
    let name = host_name(config, name);
    write(&name, value, max_age_s, secure(config), true)
}

/// Sets a cookie that scripts may read: language, theme, notice.
pub(crate) fn plain(config: &Config, name: &str, value: &str, max_age_s: i64) -> HeaderValue {
    write(name, value, Some(max_age_s), secure(config), false)
}

fn write(
    name: &str,
    value: &str,
    max_age_s: Option<i64>,
    secure: bool,
    http_only: bool,
) -> HeaderValue {
    let mut text = format!("{name}={value}; Path=/; SameSite=Lax");
    if secure {
        text.push_str("; Secure");
    }
    if http_only {
        text.push_str("; HttpOnly");
    }
    if let Some(seconds) = max_age_s {
        let _ = write!(text, "; Max-Age={seconds}");
    }
    // Values are hex, tags and keys; a value that is not would be our own mistake and sets nothing.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for it in cookies {
            headers.append(header::COOKIE, HeaderValue::from_bytes(it.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = headers(&["a=1; haetae-lang=zh-Hans", "b=2"]);
        assert_eq!(read(&headers, LANGUAGE), Some("zh-Hans"));
        assert_eq!(read(&headers, "b"), Some("2"));
        assert_eq!(read(&headers, "haetae"), None);
    }

    #[test]
    fn strange_values_are_not_there() {
        for strange in ["haetae=a b", "haetae=\u{e000}", "haetae=<x>", "haetae", "haetae=가"] {
            assert_eq!(read(&headers(&[strange]), SESSION), None, "{strange}");
        }
        let long = format!("haetae={}", "a".repeat(129));
        assert_eq!(read(&headers(&[&long]), SESSION), None);
    }

    #[test]
    fn host_cookies_carry_all_attributes() {
        let config = Config::local(8080, true).unwrap();
        let cookie = host(&config, SESSION, "abc", Some(60));
        assert_eq!(
            cookie.to_str().unwrap(),
            "__Host-haetae=abc; Path=/; SameSite=Lax; Secure; HttpOnly; Max-Age=60"
        );
    }

    #[test]
    fn over_plain_http_on_a_network_the_prefix_is_left_away() {
        let mut config = Config::local(8080, true).unwrap();
        config.origin = url::Url::parse("http://192.0.2.7:8080").unwrap();
        let cookie = host(&config, SESSION, "abc", None);
        assert_eq!(cookie.to_str().unwrap(), "haetae=abc; Path=/; SameSite=Lax; HttpOnly");
    }
}
