//! Versions of rules, schemas and engines: `major.minor.patch`, compared by number.

/// What this engine implements of CertLogic, as rules ask for it in `EngineVersion`.
pub const ENGINE_VERSION: Version = Version { major: 1, minor: 3, patch: 3 };

/// A semantic version without its suffixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// A change of it means another meaning.
    pub major: u32,
    /// A change of it means an addition.
    pub minor: u32,
    /// A change of it means a correction.
    pub patch: u32,
}

impl Version {
    /// Reads `1.2.3`; a suffix (`-draft`, `+build`, `.4`) is passed over. `None` when one of the three
    /// numbers is missing.
    pub fn parse(text: &str) -> Option<Self> {
        let core = text.trim().split(['-', '+']).next()?;
        let mut numbers = core.split('.').map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { part.parse().ok() } else { None }
        });
        let mut next = || numbers.next().flatten();
        Some(Self { major: next()?, minor: next()?, patch: next()? })
    }

    /// Whether data of this version have what a rule for `asked` reads: the same major version, and
    /// not older.
    pub fn serves(self, asked: Self) -> bool {
        self.major == asked.major && self >= asked
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number_and_not_by_letter() {
        let parse = |text| Version::parse(text).unwrap();
        assert!(parse("1.10.0") > parse("1.9.9"));
        assert!(parse("2.0.0") > parse("1.99.99"));
        assert_eq!(parse("1.2.3-draft+5"), Version { major: 1, minor: 2, patch: 3 });
        assert_eq!(parse("1.2.3").to_string(), "1.2.3");
        for text in ["", "1", "1.2", "1.2.", "a.b.c", "1.-2.3", "+1.2.3", "1.2.99999999999"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn data_serve_rules_of_the_same_major_version_that_are_not_newer() {
        let serves =
            |data, rule| Version::parse(data).unwrap().serves(Version::parse(rule).unwrap());
        assert!(serves("1.3.0", "1.0.0"));
        assert!(serves("1.3.0", "1.3.0"));
        assert!(!serves("1.3.0", "1.3.1"));
        assert!(!serves("2.0.0", "1.3.0"));
        assert!(!serves("1.0.0", "2.0.0"));
    }
}
