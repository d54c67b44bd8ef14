//! What would keep people with disabilities out of a page, as axe-core sees it.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::root;
use crate::webdriver::Session;

/// Everything serious or critical on the page as it stands, one line each with the elements.
pub fn findings(session: &Session) -> Result<Vec<String>> {
    if session.run("return typeof window.axe", &json!([]))? == json!("undefined") {
        let path = root().join("assets/vendor/axe-core/axe.min.js");
        let source = std::fs::read_to_string(path).context("axe-core")?;
        session.run(&source, &json!([]))?;
    }
    let found = session.run_async(
        "const result = await window.axe.run(document, { resultTypes: ['violations'] }); \
         return result.violations.filter((it) => ['serious', 'critical'].includes(it.impact))\
         .map((it) => `${it.impact} ${it.id}: ${it.help}` + it.nodes.slice(0, 5)\
         .map((node) => `\\n    ${node.html.slice(0, 200)}\\n      ${node.failureSummary}`).join(''))",
        &json!([]),
    )?;
    let found = found.as_array().cloned().unwrap_or_default();
    Ok(found.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
