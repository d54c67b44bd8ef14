//! Where a request may be sent on to: our own pages and nowhere else.

/// Whether `path` is a path of ours: begins with one `/`, printable ASCII, no backslash (browsers
/// read it as a slash), no fragment.
pub fn is_safe(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.len() <= 512
        && bytes.first() == Some(&b'/')
        && bytes.get(1) != Some(&b'/')
        && bytes
            .iter()
            .all(|it| matches!(it, 0x21..=0x7e) && !matches!(it, b'\\' | b'#' | b'"' | b'<' | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_are_safe() {
        for safe in ["/", "/code?page=2", "/link/0a"] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_one in [
            "",
            "code",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
            "/가",
            "/ a",
        ] {
            assert!(!is_safe(unsafe_one), "{unsafe_one:?}");
        }
    }
}
