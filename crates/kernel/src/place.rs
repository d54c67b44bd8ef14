//! Regions and locales.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A city or district that runs its own log: 2-24 characters of `a-z`, `0-9`, `-`, beginning with
/// a letter, e.g. `kr-11`. First column of every key in the store, so that cities can be sharded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

/// Why a text is not a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region is 2-24 characters of a-z, 0-9 and '-', beginning with a letter")]
pub struct RegionError;

impl Region {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country, by the first two letters of the region's name (ISO 3166-2), as passes for other
    /// verifiers name it. `XX`, which is nobody's, where the name begins with something else.
    pub fn country(&self) -> String {
        let first = self.0.get(..2).filter(|it| it.bytes().all(|it| it.is_ascii_lowercase()));
        let ends = self.0.as_bytes().get(2).is_none_or(|it| *it == b'-');
        first.filter(|_| ends).unwrap_or("xx").to_ascii_uppercase()
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        let letters = text.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let first = text.bytes().next().is_some_and(|it| it.is_ascii_lowercase());
        if letters && first && (2..=24).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RegionError)
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A language that all texts exist in. Korean is the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Locale {
    /// Korean.
    #[default]
    #[serde(rename = "ko")]
    Ko,
    /// English.
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-Hans")]
    ZhHans,
}

impl Locale {
    /// All of them, Korean first.
    pub const ALL: [Self; 3] = [Self::Ko, Self::En, Self::ZhHans];

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
            Self::ZhHans => "zh-Hans",
        }
    }

    /// The language's own name.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::Ko => "한국어",
            Self::En => "English",
            Self::ZhHans => "简体中文",
        }
    }

    /// Its place in [`Locale::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Ko => 0,
            Self::En => 1,
            Self::ZhHans => 2,
        }
    }

    /// The locale with exactly this tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.tag() == tag)
    }

    /// The first language of an `Accept-Language` header that we have (by its order, weights
    /// ignored: browsers write them in order); `None` when there is none.
    pub fn negotiate(accept: &str) -> Option<Self> {
        accept.split(',').take(16).find_map(|part| {
            let tag = part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            match tag.split('-').next() {
                Some("ko") => Some(Self::Ko),
                Some("en") => Some(Self::En),
                Some("zh") => Some(Self::ZhHans),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_short_plain_words() {
        assert!("kr-11".parse::<Region>().is_ok());
        for wrong in ["", "k", "KR", "1kr", "-kr", "kr_11", "a-very-long-region-name-xx", "서울"]
        {
            assert_eq!(wrong.parse::<Region>(), Err(RegionError), "{wrong}");
        }
    }

    #[test]
    fn the_first_language_we_have_wins() {
        assert_eq!(Locale::negotiate("fr-FR,zh-CN;q=0.9,en;q=0.8"), Some(Locale::ZhHans));
        assert_eq!(Locale::negotiate("fr"), None);
        assert_eq!(Locale::negotiate(""), None);
    }
}
