//! The description of all JSON routes: OpenAPI 3.1, merged from the slices.

use store::Fault;
use utoipa::openapi::{Info, OpenApi, Paths, Server};

use crate::Slice;
use crate::app::Config;

/// The merged description.
pub fn merged(slices: &[Slice]) -> OpenApi {
    let mut info = Info::new("Haetae", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Every answer that says no is RFC 9457 problem details with a stable `code`; all codes are \
         listed at /problems."
            .to_owned(),
    );
    let mut all = OpenApi::new(info, Paths::new());
    for slice in slices {
        all.merge((slice.api)());
    }
    all
}

/// The merged description as JSON, with this city's address.
pub(crate) fn json(slices: &[Slice], config: &Config) -> Result<String, Fault> {
    let mut all = merged(slices);
    all.servers = Some(vec![Server::new(config.origin_text())]);
    all.to_pretty_json().map_err(|error| Fault::caused("writing the API's description", error))
}
