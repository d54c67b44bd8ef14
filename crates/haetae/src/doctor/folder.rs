//! The files: who can read them, how old the keys are, how full the disk is.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use app::Config;
use store::wrap;

use super::State::{Broken, Unknown, Warning};
use super::{Findings, State};
use crate::output::grouped;

/// Keys older than this are old (two years).
const KEY_DAYS: u64 = 730;
const MIB: u64 = 1024 * 1024;

/// The keys without which a region cannot be read or its log not go on; the others are made when
/// they are needed.
const NEEDED: [&str; 4] = ["log", "identity-wrap", "visits-wrap", "blind-index"];

pub(super) fn look(config: &Config, file: Option<&Path>, findings: &mut Findings) {
    configuration(config, file, findings);
    data(config, findings);
    keys(config, findings);
    disk(config, findings);
}

/// The permission bits of others than the owner (and of their group).
fn others(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & 0o077
}

fn configuration(config: &Config, file: Option<&Path>, findings: &mut Findings) {
    let Some(file) = file else {
        findings.well("config", "comes from the environment alone");
        return;
    };
    let path = file.display();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let secret = text.lines().any(|it| it.trim_start().starts_with("sms_token"));
    let world = std::fs::metadata(file).is_ok_and(|it| it.permissions().mode() & 0o007 != 0);
    if secret && world {
        let says = format!("{path} holds sms_token, and everybody on this machine can open it");
        findings.add("config", Broken, says, format!("chmod 640 {path}"));
    } else if config.sms_url.is_none() {
        let says = "no sms_url: nobody can sign in by text message";
        findings.add("config", Warning, says, format!("write sms_url in {path}"));
    } else {
        findings.well("config", format!("{path} holds together"));
    }
}

fn data(config: &Config, findings: &mut Findings) {
    let path = config.data.display();
    match std::fs::metadata(&config.data) {
        Err(error) => {
            let mend = format!("haetae serve makes it; or correct `data` ({path})");
            findings.add("data", Broken, format!("{path} cannot be opened: {error}"), mend);
        }
        Ok(it) if others(&it) != 0 => {
            let says = format!("{path} is open to others (mode {:o})", it.mode() & 0o777);
            findings.add("data", Warning, says, format!("chmod 700 {path}"));
        }
        Ok(_) => findings.well("data", format!("{path} is closed to others")),
    }
}

fn keys(config: &Config, findings: &mut Findings) {
    let (dir, data) = (config.keys(), std::fs::metadata(&config.data).ok());
    let path = dir.display();
    let Ok(metadata) = std::fs::metadata(&dir) else {
        let mend = format!("put the backed-up key folder at {path}, or correct `keys`");
        findings.add("keys", Broken, format!("there is no key folder at {path}"), mend);
        return;
    };
    let before = findings.0.len();
    if others(&metadata) != 0 {
        let says = format!("{path} is open to others (mode {:o})", metadata.mode() & 0o777);
        findings.add("keys", Broken, says, format!("chmod 700 {path}"));
    }
    let inside = std::path::absolute(&dir)
        .ok()
        .zip(std::path::absolute(&config.data).ok())
        .is_some_and(|(dir, data)| dir.starts_with(data));
    if inside {
        let says = "the keys lie within the data folder: who copies one copies both";
        let mend = format!("stop, mv {path} /var/lib/haetae-keys, write keys = there, start");
        findings.add("keys", Warning, says, mend);
    }
    let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|it| it.path()).collect();
    files.sort_unstable();
    for half in files.iter().filter(|it| it.extension().is_some_and(|it| it == "new")) {
        let says = format!("{} was left by a making that was killed", half.display());
        findings.add("keys", Warning, says, format!("rm {}", half.display()));
    }
    files.retain(|it| it.extension().is_some_and(|it| it == "key"));
    let names: Vec<&str> =
        files.iter().filter_map(|it| it.file_stem().and_then(|it| it.to_str())).collect();
    for name in NEEDED {
        // Of a wrapping key, any number.
        let is =
            |it: &&str| *it == name || wrap::parse(it).is_some_and(|it| wrap::base(it.0) == name);
        if !names.iter().any(is) {
            let says = format!("the key {name} is missing");
            findings.add("keys", Broken, says, format!("put {name}.key back from its backup"));
        }
    }
    for file in &files {
        key(file, data.as_ref(), findings);
    }
    if findings.0.len() == before {
        findings.well("keys", format!("{path} holds {} keys, its owner's alone", files.len()));
    }
}

fn key(file: &Path, data: Option<&Metadata>, findings: &mut Findings) {
    let path = file.display();
    let Ok(it) = std::fs::metadata(file) else {
        findings.add("keys", Broken, format!("{path} cannot be opened"), format!("ls -l {path}"));
        return;
    };
    if others(&it) != 0 {
        let says = format!("others can open {path} (mode {:o})", it.mode() & 0o777);
        let mend = format!("chmod 600 {path}; if others were on this machine, change the key");
        findings.add("keys", Broken, says, mend);
    }
    if let Some(data) = data.filter(|data| data.uid() != it.uid()) {
        let says = format!("{path} belongs to user {}, the data to {}", it.uid(), data.uid());
        findings.add("keys", Broken, says, format!("chown {}: {path}", data.uid()));
    }
    match std::fs::read_to_string(file) {
        Ok(text) if is_weak(text.trim()) => {
            let mend = format!("put {path} back from its backup");
            findings.add("keys", Broken, format!("{path} does not hold 32 random bytes"), mend);
        }
        Ok(_) => {}
        Err(error) => {
            let mend = "run it as the service's user".to_owned();
            findings.add("keys", Unknown, format!("{path} cannot be read: {error}"), mend);
        }
    }
    // A key file is written once: the age of its content is its own.
    let days = it.modified().ok().and_then(|it| it.elapsed().ok()).map(|it| it.as_secs() / 86_400);
    if let Some(days) = days.filter(|it| *it > KEY_DAYS) {
        let name = file.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
        let mend = match wrap::parse(name) {
            Some((side, _)) => format!("haetae keys rotate {}", wrap::base(side)),
            None if name.starts_with("issuer") => "haetae keys rotate issuer".to_owned(),
            None => "docs/guide/operate.md, Keys, says what each key carries".to_owned(),
        };
        findings.add("keys", Warning, format!("{path} is {days} days old"), mend);
    }
}

/// Not 64 hexadecimal digits, or fewer different ones than chance would ever give.
fn is_weak(text: &str) -> bool {
    let digits: std::collections::BTreeSet<_> = text.chars().collect();
    text.len() != 64 || !text.chars().all(|it| it.is_ascii_hexdigit()) || digits.len() < 6
}

fn disk(config: &Config, findings: &mut Findings) {
    let path = config.data.display();
    let Ok(it) = rustix::fs::statvfs(&config.data) else {
        let says = format!("the file system of {path} does not answer");
        findings.add("disk", Broken, says, "is it mounted? (findmnt)");
        return;
    };
    let bytes = |blocks: u64| blocks.saturating_mul(it.f_frsize);
    let (free, size) = (bytes(it.f_bavail), bytes(it.f_blocks));
    let says = format!("{} of {} MiB are free", grouped(free / MIB), grouped(size / MIB));
    let mend = format!("make room, or a larger disk: du -xh {path} | sort -h | tail");
    let low = u128::from(free) * 100 < u128::from(size) * u128::from(config.disk_low_percent);
    let state = if it.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        findings.add("disk", Broken, "it is read-only", "dmesg says why; then fsck and remount");
        return;
    } else if free < config.disk_full_mib.saturating_mul(MIB) {
        Broken
    } else if low {
        Warning
    } else {
        State::Well
    };
    match state {
        State::Well => findings.well("disk", says),
        Broken => findings.add("disk", Broken, format!("{says}: writes are refused"), mend),
        state => findings.add("disk", state, says, mend),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_chance_would_not_give_is_weak() {
        for weak in ["", "00", &"0".repeat(64), &"z".repeat(64), &"ab".repeat(32)] {
            assert!(super::is_weak(weak), "{weak}");
        }
        assert!(!super::is_weak(&"0123456789abcdef".repeat(4)));
    }
}
