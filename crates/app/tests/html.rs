//! A strict little reader of our own pages: well-formed, one `h1`, every input labelled.

use std::collections::HashSet;

/// What a page is made of.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Text that people see.
    pub(crate) text: String,
    /// What is wrong with it.
    pub(crate) wrong: Vec<String>,
}

const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr", "param",
];

struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| *it == name).map(|(_, value)| *value)
    }
}

/// Reads a page.
pub(crate) fn read(html: &str) -> Page {
    let mut page = Page::default();
    let (mut open, mut headings, mut ids) = (Vec::<&str>::new(), 0, HashSet::new());
    let (mut labels, mut controls) = (HashSet::new(), Vec::new());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let quiet = open.iter().any(|it| matches!(*it, "script" | "style" | "template" | "title"));
        if !quiet {
            page.text.push_str(&rest[..at]);
            page.text.push(' ');
        }
        rest = &rest[at..];
        if rest.starts_with("<!") {
            let end = if rest.starts_with("<!--") { "-->" } else { ">" };
            rest = rest.split_once(end).map_or("", |(_, after)| after);
            continue;
        }
        let Some(end) = tag_end(rest) else {
            page.wrong.push("a tag does not end".to_owned());
            break;
        };
        let inner = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inner.strip_prefix('/') {
            if open.pop() != Some(name.trim()) {
                page.wrong.push(format!("</{name}> closes another element"));
                break;
            }
            continue;
        }
        let tag = parse(inner.trim_end_matches('/'));
        if let Some(id) = tag.get("id")
            && !ids.insert(id.to_owned())
        {
            page.wrong.push(format!("the id {id} stands twice"));
        }
        if tag.get("style").is_some() || tag.attributes.iter().any(|(it, _)| it.starts_with("on")) {
            page.wrong.push(format!("<{}> has inline style or script", tag.name));
        }
        match tag.name {
            "h1" => headings += 1,
            "label" => {
                labels.extend(tag.get("for").map(str::to_owned));
            }
            "input" | "select" | "textarea" => {
                let quiet = matches!(tag.get("type"), Some("hidden" | "submit" | "button"));
                let named = tag.get("aria-label").is_some() || tag.get("aria-labelledby").is_some();
                if !quiet && !named && !open.contains(&"label") {
                    controls.push(tag.get("id").unwrap_or("(no id)").to_owned());
                }
            }
            "img" if tag.get("alt").is_none() => page.wrong.push("an image has no alt".to_owned()),
            _ => {}
        }
        if !VOID.contains(&tag.name) && !inner.ends_with('/') {
            open.push(tag.name);
            if matches!(tag.name, "script" | "style") {
                let close = format!("</{}", tag.name);
                rest = rest.find(&close).map_or("", |at| &rest[at..]);
            }
        }
    }
    if !open.is_empty() {
        page.wrong.push(format!("not closed: {open:?}"));
    }
    if headings != 1 {
        page.wrong.push(format!("{headings} h1 instead of one"));
    }
    for control in controls.iter().filter(|it| !labels.contains(*it)) {
        page.wrong.push(format!("the input {control} has no label"));
    }
    page
}

/// The index of the `>` that ends the tag, quotes respected.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn parse(inner: &str) -> Tag<'_> {
    let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Tag { name, attributes };
        }
        let end = rest.find(|it: char| it == '=' || it.is_whitespace()).unwrap_or(rest.len());
        let key = &rest[..end];
        rest = &rest[end..];
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let quote = after.chars().next().filter(|it| matches!(it, '"' | '\''));
            if let Some(quote) = quote {
                let (inside, behind) = after[1..].split_once(quote).unwrap_or((&after[1..], ""));
                (value, rest) = (inside, behind);
            } else {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                (value, rest) = (&after[..end], &after[end..]);
            }
        }
        attributes.push((key, value));
    }
}

#[test]
fn the_reader_sees_what_is_wrong() {
    let wrong = |html: &str| read(html).wrong.join("; ");
    assert_eq!(wrong("<main><h1>a</h1><label for=x>b</label><input id=x></main>"), "");
    assert!(wrong("<h1>a</h1><b>").contains("not closed"));
    assert!(wrong("<h1>a</h1><i></b>").contains("closes another"));
    assert!(wrong("<p>a</p>").contains("0 h1"));
    assert!(wrong("<h1>a</h1><input id=x>").contains("no label"));
    assert!(wrong("<h1 style='x'>a</h1>").contains("inline"));
}
