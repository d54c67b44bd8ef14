//! What is to be verified: texts, files, pictures, folders, lines; one after another, so that a folder
//! of a million codes needs no more memory than one of ten.

use std::fs::{self, File, ReadDir};
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use credential::pass::shc::chunk_place;
use credential::pass::{Format, MAX_TEXT, Reason};

use super::picture;

/// The largest file that is read, in bytes: a photograph.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// The most parts that a card is cut into.
const CHUNKS_MAX: usize = 99;

/// One thing to verify.
pub(super) struct Input {
    /// What the caller called it: a path, a text, a line.
    pub(super) name: String,
    pub(super) content: Content,
}

/// Where its pass is.
pub(super) enum Content {
    Text(String),
    /// A file that is read when its turn has come.
    Path(PathBuf),
    /// It cannot be read at all.
    Unreadable,
}

/// How many inputs there will be, as far as that can be known without reading them.
pub(super) fn count(arguments: &[String]) -> u64 {
    let of = |argument: &String| match Path::new(argument) {
        path if path.is_dir() => u64::try_from(Walk::new(path).count()).unwrap_or(u64::MAX),
        _ => 1,
    };
    arguments.iter().map(of).sum()
}

/// The inputs in order.
pub(super) fn inputs(arguments: &[String]) -> Box<dyn Iterator<Item = Input> + '_> {
    if let Some(one) = parts_of_one(arguments) {
        return Box::new(std::iter::once(one));
    }
    Box::new(arguments.iter().flat_map(|argument| -> Box<dyn Iterator<Item = Input>> {
        if argument == "-" {
            return Box::new(lines(BufReader::new(std::io::stdin()), None));
        }
        let path = Path::new(argument);
        // A pass of some thousand characters is no path, and some systems say so with an error.
        if path.is_dir() {
            return Box::new(Walk::new(path).flat_map(of_file));
        }
        if path.is_file() {
            return of_file(Some(path.to_owned()));
        }
        let is_path = Format::of(argument) == Format::Unknown && is_named_like_a_file(path);
        let content = if is_path { Content::Unreadable } else { Content::Text(argument.clone()) };
        Box::new(std::iter::once(Input { name: argument.clone(), content }))
    }))
}

/// Whether somebody meant a file, which is not there. Base45 has slashes and dots too.
fn is_named_like_a_file(path: &Path) -> bool {
    let ends = ["png", "jpg", "jpeg", "txt", "json", "smart-health-card"];
    path.starts_with("/")
        || path.starts_with("./")
        || path.starts_with("..")
        || path.extension().is_some_and(|it| ends.iter().any(|end| it.eq_ignore_ascii_case(end)))
}

/// A file is one input, unless it is larger than any that is held in memory: then it is a list, and each
/// of its lines is an input under the file's name.
fn of_file(path: Option<PathBuf>) -> Box<dyn Iterator<Item = Input>> {
    let Some(path) = path else {
        let content = Content::Unreadable;
        return Box::new(std::iter::once(Input { name: String::new(), content }));
    };
    if path.metadata().is_ok_and(|it| MAX_FILE < it.len())
        && let Ok(file) = File::open(&path)
    {
        let mut from = BufReader::new(file);
        if from.fill_buf().is_ok_and(|begin| !picture::is_picture(begin)) {
            return Box::new(lines(from, Some(path.to_string_lossy().into_owned())));
        }
    }
    let (name, content) = (path.to_string_lossy().into_owned(), Content::Path(path));
    Box::new(std::iter::once(Input { name, content }))
}

/// The lines of a reader that are not empty; they are their own names unless another is given. A line
/// longer than any pass is cut there, which makes it too long.
fn lines<R: BufRead>(mut from: R, name: Option<String>) -> impl Iterator<Item = Input> {
    std::iter::from_fn(move || {
        loop {
            let mut line = Vec::new();
            let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX).saturating_add(2);
            match from.by_ref().take(limit).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
            // At the end of a file there is nothing to skip; the next round finds that out.
            if !line.ends_with(b"\n") && skip_line(&mut from).is_err() {
                return None;
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_matches(['\r', '\n']);
            if !text.is_empty() {
                return Some(Input {
                    name: name.clone().unwrap_or_else(|| text.to_owned()),
                    content: Content::Text(text.to_owned()),
                });
            }
        }
    })
}

/// Reads up to the end of the line and forgets it, however long it is.
fn skip_line(from: &mut impl BufRead) -> std::io::Result<()> {
    from.skip_until(b'\n').map(drop)
}

/// All files below a folder, links to folders aside (they may lead in circles). A folder that cannot
/// be read gives nothing in its place.
struct Walk {
    folders: Vec<ReadDir>,
}

impl Walk {
    fn new(folder: &Path) -> Self {
        Self { folders: fs::read_dir(folder).into_iter().collect() }
    }
}

impl Iterator for Walk {
    type Item = Option<PathBuf>;

    fn next(&mut self) -> Option<Option<PathBuf>> {
        loop {
            let Some(entry) = self.folders.last_mut()?.next() else {
                self.folders.pop();
                continue;
            };
            let Ok(entry) = entry else { return Some(None) };
            let (path, kind) = (entry.path(), entry.file_type());
            if kind.is_ok_and(|kind| kind.is_dir()) {
                match fs::read_dir(&path) {
                    Ok(folder) => self.folders.push(folder),
                    Err(_) => return Some(None),
                }
            } else if path.is_file() {
                return Some(Some(path));
            }
        }
    }
}

/// The texts of the passes in a file.
pub(super) fn read(path: &Path) -> Result<Vec<String>, Reason> {
    let file = File::open(path).map_err(|_| Reason::Unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|_| Reason::Unreadable)?;
    if MAX_FILE < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
        return Err(Reason::TooLong);
    }
    if picture::is_picture(&bytes) {
        let texts = picture::texts(&bytes);
        return if texts.is_empty() { Err(Reason::PictureUnread) } else { Ok(together(texts)) };
    }
    let text = String::from_utf8(bytes).map_err(|_| Reason::FormatUnknown)?;
    Ok(of_text(&text))
}

/// A file with one pass a line gives them all; any other is one pass, whatever its lines are.
fn of_text(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text
        .trim_start_matches('\u{feff}')
        .split(['\r', '\n'])
        .filter(|it| !it.is_empty())
        .collect();
    let is_list = 1 < lines.len()
        && lines.iter().all(|line| {
            !line.starts_with('{') && Format::of(line) != Format::Unknown && !is_chunk(line)
        });
    if is_list {
        return lines.into_iter().map(str::to_owned).collect();
    }
    vec![text.to_owned()]
}

/// The parts of one pass become one text, a line each; other texts stay as they are. What no verifier
/// knows is left out where a pass is beside it.
fn together(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts.dedup();
    let (chunks, mut others): (Vec<String>, Vec<String>) =
        texts.into_iter().partition(|text| is_chunk(text));
    if !chunks.is_empty() {
        others.push(chunks.join("\n"));
    }
    let is_known = |text: &String| Format::of(text) != Format::Unknown;
    if others.iter().any(is_known) {
        others.retain(is_known);
    }
    others
}

/// Whether a text is one part of several: `shc:/2/3/…`.
fn is_chunk(text: &str) -> bool {
    chunk_place(text).is_some()
}

/// When all arguments are parts of a pass, they are one input: the parts of a card, each its picture.
fn parts_of_one(arguments: &[String]) -> Option<Input> {
    if !(2..=CHUNKS_MAX).contains(&arguments.len()) {
        return None;
    }
    let mut chunks = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        let texts = if path.is_file() { read(path).ok()? } else { vec![argument.clone()] };
        let lines =
            texts.iter().flat_map(|text| text.split(['\r', '\n'])).filter(|it| !it.is_empty());
        for line in lines {
            chunks.push(is_chunk(line).then(|| line.to_owned())?);
        }
    }
    Some(Input { name: arguments.join(" "), content: Content::Text(chunks.join("\n")) })
}
