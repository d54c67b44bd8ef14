//! Files under `/assets/{hash}/{name}`: embedded in the program, compressed when first asked for, cached
//! by browsers for ever because the address changes with the content.
//!
//! Not at the start: that took more than half of it, and a service that starts is waited for.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::slice::{Asset, Slice};

/// Files smaller than this are not worth compressing.
const COMPRESS_MIN: usize = 512;

struct File {
    hash: String,
    mime: &'static str,
    plain: &'static [u8],
    /// Whether it is worth compressing.
    is_text: bool,
    /// Compressed, if that is smaller.
    brotli: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
}

/// All files, by name.
pub struct Assets(BTreeMap<&'static str, File>);

impl Assets {
    pub(crate) fn new(slices: &[Slice]) -> Self {
        let all = slices.iter().flat_map(|it| it.assets.iter());
        Self(all.map(|it| (it.name, file(it))).collect())
    }

    /// The address of the file with this name. An unknown name gives an address that is not found,
    /// and a line in the log; the conformance tests keep that from happening.
    pub fn url(&self, name: &str) -> String {
        if let Some(file) = self.0.get(name) {
            return format!("/assets/{}/{name}", file.hash);
        }
        tracing::warn!(name, "no asset with this name");
        format!("/assets/none/{name}")
    }

    /// Whether there is a file with this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The content of the file with this name.
    pub fn bytes(&self, name: &str) -> Option<&'static [u8]> {
        self.0.get(name).map(|it| it.plain)
    }

    /// The answer for this hash and name; `None` when there is no such file.
    pub(crate) fn answer(&self, hash: &str, name: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.0.get(name).filter(|it| it.hash == hash)?;
        let mut response = file.answer(headers);
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
        Some(response)
    }

    /// The answer for a file that must live at a fixed address (an icon, a service worker): looked
    /// after anew each time.
    pub fn fixed(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.0.get(name)?;
        let tag = format!("\"{}\"", file.hash);
        let known =
            headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == tag.as_bytes());
        let mut response =
            if known { StatusCode::NOT_MODIFIED.into_response() } else { file.answer(headers) };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        Some(response)
    }
}

impl File {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|it| it.to_str().ok());
        let accepts = |name: &str| {
            accepted.is_some_and(|all| {
                all.split(',').any(|it| it.trim().split(';').next().is_some_and(|it| it == name))
            })
        };
        let by = |name, compress: fn(&[u8]) -> Option<Bytes>, kept: &OnceLock<Option<Bytes>>| {
            let compressed = || compress(self.plain).filter(|it| it.len() < self.plain.len());
            let found = (self.is_text && accepts(name)).then(|| kept.get_or_init(compressed));
            found.cloned().flatten().map(|it| (Some(name), it))
        };
        let compressed = by("br", brotli, &self.brotli).or_else(|| by("gzip", gzip, &self.gzip));
        let (encoding, body) = compressed.unwrap_or((None, Bytes::from_static(self.plain)));
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.mime));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

fn file(asset: &Asset) -> File {
    let digest = hex::encode(Sha256::digest(asset.bytes));
    let hash = digest.get(..16).unwrap_or_default().to_owned();
    let text = asset.mime.starts_with("text/")
        || ["application/json", "application/wasm", "application/manifest+json", "image/svg+xml"]
            .contains(&asset.mime);
    File {
        hash,
        mime: asset.mime,
        plain: asset.bytes,
        is_text: text && asset.bytes.len() >= COMPRESS_MIN,
        brotli: OnceLock::new(),
        gzip: OnceLock::new(),
    }
}

fn brotli(bytes: &[u8]) -> Option<Bytes> {
    // Level 9 and a window of 4 MiB: within 2 % of the best at a fraction of its time, as somebody
    // waits for it.
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 9, 22);
    writer.write_all(bytes).ok()?;
    Some(writer.into_inner().into())
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes).ok()?;
    writer.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Assets {
        Assets::new(&[crate::slice()])
    }

    fn accepting(encoding: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        headers
    }

    #[test]
    fn the_address_names_the_content_and_only_that_is_answered() {
        let assets = assets();
        let url = assets.url("haetae.css");
        let hash = url.split('/').nth(2).unwrap();
        let response = assets.answer(hash, "haetae.css", &HeaderMap::new()).unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/css");
        assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert!(assets.answer("0000000000000000", "haetae.css", &HeaderMap::new()).is_none());
    }

    #[test]
    fn what_the_browser_accepts_is_sent_compressed() {
        let assets = assets();
        let url = assets.url("haetae.css");
        let hash = url.split('/').nth(2).unwrap();
        for (accepted, encoding) in
            [("gzip, deflate, br", Some("br")), ("gzip;q=0.5", Some("gzip")), ("identity", None)]
        {
            let response = assets.answer(hash, "haetae.css", &accepting(accepted)).unwrap();
            let given =
                response.headers().get(header::CONTENT_ENCODING).map(|it| it.to_str().unwrap());
            assert_eq!(given, encoding, "{accepted}");
        }
    }

    #[test]
    fn a_fixed_file_is_not_sent_twice() {
        let assets = assets();
        let first = assets.fixed("mark.svg", &HeaderMap::new()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(assets.fixed("mark.svg", &headers).unwrap().status(), StatusCode::NOT_MODIFIED);
    }
}
