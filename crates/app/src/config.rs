//! The configuration: a TOML file, then the environment (`HAETAE_LISTEN` wins over `listen`).
//!
//! Everything has a default but the origin: a city must say where its citizens find it. Unknown
//! keys are refused, because a misspelt key that is ignored is a setting that is not set.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kernel::{Region, Zone};
use serde::Deserialize;
use store::Backend;
use store::backup::{BackupError, Recipient, Target};

/// How one region is served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen. A proxy with TLS stands in front; see `docs/guide/operate.md`.
    pub listen: SocketAddr,
    /// Where the operator's machines find `/metrics` and `/ready` with its reasons; by default
    /// nowhere.
    pub ops_listen: Option<SocketAddr>,
    /// The data folder. The databases lie in it, unless `store` says where else.
    pub data: PathBuf,
    /// Where the databases are when one machine is not enough: `postgres://…`, the address of the
    /// database for identity and log. May hold a password; it is never printed.
    pub store: Option<String>,
    /// Where visits are; by default in the database `<name>_visits` beside it.
    pub store_visits: Option<String>,
    /// Where wrapped keys are; by default in the database `<name>_keys` beside it.
    pub store_keys: Option<String>,
    /// Where this process takes what other processes of the region pass on to it. Several may serve one
    /// region whose databases are on a server; without this, this one serves it alone.
    pub forward_listen: Option<SocketAddr>,
    /// Where the others find that listener; by default `http://` and its address.
    pub forward_to_me: Option<String>,
    /// The key folder; by default `keys` within the data folder. Back it up apart.
    pub keys: Option<PathBuf>,
    /// The region, e.g. `kr-11`.
    pub region: String,
    /// The log's name, e.g. `code.city.example/log`; by default made of the origin.
    pub log_name: Option<String>,
    /// Where browsers find the service, e.g. `https://code.city.example`.
    pub origin: String,
    /// The city's time zone.
    pub zone: String,
    /// The region's name by language tag.
    pub names: BTreeMap<String, String>,
    /// Whether a proxy in front sets `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Where text messages go: an HTTPS address that takes `{"to": …, "text": …}` as JSON.
    pub sms_url: Option<String>,
    /// Sent to it as `Authorization: Bearer …`.
    pub sms_token: Option<String>,
    /// Below this share of free space on the data folder's disk `/ready` warns (percent).
    pub disk_low_percent: u8,
    /// Below this much free space `/ready` says no (MiB).
    pub disk_full_mib: u64,
    /// Whose `Date` `haetae doctor` compares the clock with: an HTTPS address; by default nobody's.
    pub time_url: Option<String>,
    /// How the journal's lines are written.
    pub log_format: LogFormat,
    /// Where backups go; by default nowhere.
    pub backup_to: Option<PathBuf>,
    /// Where their keys go: another place, with other people. Without it no keys are backed up.
    pub backup_keys_to: Option<PathBuf>,
    /// Who can open them: age recipients, `age1…`.
    pub backup_recipients: Vec<String>,
    /// Hours between two backups that the service makes by itself; 0 makes none.
    pub backup_every_hours: u32,
    /// Days that a signing key lives before the next takes its place (8 to 400).
    pub issuer_days: u32,
    /// Set by `haetae demo` alone, never by a file.
    #[serde(skip)]
    pub demo: bool,
}

/// How the journal's lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines that collect them.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let disk = web::DiskConfig::of("");
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            ops_listen: None,
            data: PathBuf::from("haetae-data"),
            store: None,
            store_visits: None,
            store_keys: None,
            forward_listen: None,
            forward_to_me: None,
            keys: None,
            region: "kr-11".to_owned(),
            log_name: None,
            origin: String::new(),
            zone: "Asia/Seoul".to_owned(),
            names: BTreeMap::new(),
            behind_proxy: true,
            sms_url: None,
            sms_token: None,
            disk_low_percent: disk.low_percent,
            disk_full_mib: disk.full_mib,
            time_url: None,
            log_format: LogFormat::Text,
            backup_to: None,
            backup_keys_to: None,
            backup_recipients: Vec::new(),
            backup_every_hours: 24,
            issuer_days: 30,
            demo: false,
        }
    }
}

/// Why a configuration cannot be used; the message names the key and what to write.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key that is not known.
    #[error("the configuration is not valid: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A value does not make sense.
    #[error("{key}: {problem}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong, and what to write.
        problem: String,
    },
}

fn wrong(key: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Value { key, problem: problem.into() }
}

/// A variable's value; `what` says what to write.
fn parsed<T: FromStr>(
    environment: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    what: &str,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = environment(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| wrong(name, format!("write {what}")))
}

impl Config {
    /// Reads the file (if any) and the environment, and checks every value.
    pub fn load(
        path: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let mut config = match path {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
                toml::from_str(&text)?
            }
            None => Self::default(),
        };
        config.take(environment)?;
        config.check()?;
        Ok(config)
    }

    fn take(&mut self, environment: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        if let Some(listen) = parsed(&environment, "HAETAE_LISTEN", "ADDRESS:PORT")? {
            self.listen = listen;
        }
        if let Some(listen) = parsed(&environment, "HAETAE_OPS_LISTEN", "ADDRESS:PORT")? {
            self.ops_listen = Some(listen);
        }
        if let Some(listen) = parsed(&environment, "HAETAE_FORWARD_LISTEN", "ADDRESS:PORT")? {
            self.forward_listen = Some(listen);
        }
        if let Some(behind) = parsed(&environment, "HAETAE_BEHIND_PROXY", "true or false")? {
            self.behind_proxy = behind;
        }
        if let Some(low) = parsed(&environment, "HAETAE_DISK_LOW_PERCENT", "0 to 100")? {
            self.disk_low_percent = low;
        }
        if let Some(full) = parsed(&environment, "HAETAE_DISK_FULL_MIB", "a number of MiB")? {
            self.disk_full_mib = full;
        }
        if let Some(format) = parsed(&environment, "HAETAE_LOG_FORMAT", "text or json")? {
            self.log_format = format;
        }
        let texts: [(&str, &mut String); 3] = [
            ("HAETAE_REGION", &mut self.region),
            ("HAETAE_ORIGIN", &mut self.origin),
            ("HAETAE_ZONE", &mut self.zone),
        ];
        for (name, field) in texts {
            if let Some(text) = environment(name) {
                *field = text;
            }
        }
        let optional: [(&str, &mut Option<String>); 8] = [
            ("HAETAE_LOG_NAME", &mut self.log_name),
            ("HAETAE_SMS_URL", &mut self.sms_url),
            ("HAETAE_SMS_TOKEN", &mut self.sms_token),
            ("HAETAE_TIME_URL", &mut self.time_url),
            ("HAETAE_STORE", &mut self.store),
            ("HAETAE_STORE_VISITS", &mut self.store_visits),
            ("HAETAE_STORE_KEYS", &mut self.store_keys),
            ("HAETAE_FORWARD_TO_ME", &mut self.forward_to_me),
        ];
        for (name, field) in optional {
            if let Some(text) = environment(name) {
                *field = Some(text);
            }
        }
        if let Some(text) = environment("HAETAE_DATA") {
            self.data = text.into();
        }
        if let Some(text) = environment("HAETAE_KEYS") {
            self.keys = Some(text.into());
        }
        if let Some(hours) = parsed(&environment, "HAETAE_BACKUP_EVERY_HOURS", "a number of hours")?
        {
            self.backup_every_hours = hours;
        }
        if let Some(days) = parsed(&environment, "HAETAE_ISSUER_DAYS", "a number of days")? {
            self.issuer_days = days;
        }
        if let Some(text) = environment("HAETAE_BACKUP_TO") {
            self.backup_to = Some(text.into());
        }
        if let Some(text) = environment("HAETAE_BACKUP_KEYS_TO") {
            self.backup_keys_to = Some(text.into());
        }
        if let Some(text) = environment("HAETAE_BACKUP_RECIPIENTS") {
            self.backup_recipients = text.split_whitespace().map(str::to_owned).collect();
        }
        Ok(())
    }

    /// Checks every value.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.region()?;
        self.zone()?;
        self.web()?;
        self.backend()?;
        self.backup()?;
        self.check_forward()?;
        if self.ops_listen == Some(self.listen) && self.listen.port() != 0 {
            return Err(wrong("ops_listen", "write another port than that of listen"));
        }
        if self.disk_low_percent > 100 {
            return Err(wrong("disk_low_percent", "write 0 to 100"));
        }
        if !code::issuer::DAYS.contains(&self.issuer_days) {
            let (least, most) = (code::issuer::DAYS.start(), code::issuer::DAYS.end());
            return Err(wrong("issuer_days", format!("write {least} to {most}")));
        }
        if let Some(tag) = self.names.keys().find(|it| kernel::Locale::from_tag(it).is_none()) {
            return Err(wrong("names", format!("{tag:?} is not one of ko, en, zh-Hans")));
        }
        if self
            .sms_url
            .as_ref()
            .is_some_and(|it| !it.starts_with("https://") && !it.starts_with("http://127.0.0.1"))
        {
            return Err(wrong("sms_url", "text messages hold codes: write an https:// address"));
        }
        Ok(())
    }

    /// The region.
    pub fn region(&self) -> Result<Region, ConfigError> {
        self.region.parse().map_err(|error| wrong("region", format!("{error}")))
    }

    /// The time zone.
    pub fn zone(&self) -> Result<Zone, ConfigError> {
        Zone::try_new(&self.zone).map_err(|error| wrong("zone", format!("{error}")))
    }

    /// The log's name (C2SP: a schemeless URL).
    pub fn log_name(&self) -> Result<String, ConfigError> {
        if let Some(name) = &self.log_name {
            return Ok(name.clone());
        }
        let origin = self.web()?.origin;
        let host = origin.host_str().unwrap_or("localhost");
        Ok(format!("{host}/log/{}", self.region))
    }

    /// Where the databases are.
    pub fn backend(&self) -> Result<Backend, ConfigError> {
        let Some(url) = &self.store else {
            if self.store_visits.is_some() || self.store_keys.is_some() {
                return Err(wrong("store", "store_visits and store_keys stand beside a store"));
            }
            return Ok(self.data.clone().into());
        };
        Backend::postgres(url, self.store_visits.as_deref(), self.store_keys.as_deref())
            .map_err(|fault| wrong("store", fault.chain()))
    }

    fn check_forward(&self) -> Result<(), ConfigError> {
        let Some(listen) = self.forward_listen else {
            let alone = self.forward_to_me.is_none();
            let problem = "write forward_listen too: where that is taken";
            return if alone { Ok(()) } else { Err(wrong("forward_to_me", problem)) };
        };
        if self.store.is_none() {
            let problem = "several processes can share databases on a server alone: write a store";
            return Err(wrong("forward_listen", problem));
        }
        if [Some(self.listen), self.ops_listen].contains(&Some(listen)) && listen.port() != 0 {
            return Err(wrong("forward_listen", "write a port of its own"));
        }
        self.forward_to_me(listen).map(|_| ())
    }

    /// Where the other processes find this one, which listens for them on `bound`.
    pub fn forward_to_me(&self, bound: SocketAddr) -> Result<String, ConfigError> {
        let text = self.forward_to_me.clone().unwrap_or_else(|| format!("http://{bound}"));
        let url: url::Url =
            text.parse().map_err(|error| wrong("forward_to_me", format!("{error}")))?;
        let is_private = match url.host() {
            Some(url::Host::Ipv4(it)) => it.is_loopback() || it.is_private(),
            Some(url::Host::Ipv6(it)) => it.is_loopback() || it.is_unique_local(),
            Some(url::Host::Domain(it)) => it == "localhost",
            None => false,
        };
        let is_plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        match url.scheme() {
            "https" if is_plain => {}
            "http" if is_plain && is_private => {}
            _ => {
                let problem = "write https://HOST:PORT, or http:// with a loopback or private \
                               address: sessions and health data go there";
                return Err(wrong("forward_to_me", problem));
            }
        }
        Ok(text.trim_end_matches('/').to_owned())
    }

    /// The key folder.
    pub fn keys(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.data.join("keys"))
    }

    /// Where backups go, if anywhere.
    pub fn backup(&self) -> Result<Option<Target>, ConfigError> {
        let recipients: Result<Vec<Recipient>, BackupError> =
            self.backup_recipients.iter().map(|it| it.parse()).collect();
        let recipients = recipients
            .map_err(|error: BackupError| wrong("backup_recipients", error.to_string()))?;
        let Some(to) = self.backup_to.clone() else { return Ok(None) };
        if recipients.is_empty() {
            let problem = "write whom backups are encrypted to: age1…, as age-keygen prints it";
            return Err(wrong("backup_recipients", problem));
        }
        let keys_to = self.backup_keys_to.clone();
        if keys_to.as_ref().is_some_and(|it| it.starts_with(&to) || to.starts_with(it)) {
            return Err(wrong("backup_keys_to", BackupError::Together.to_string()));
        }
        Ok(Some(Target { to, keys_to, recipients, whole: false }))
    }

    /// What `web` needs of it.
    pub fn web(&self) -> Result<web::Config, ConfigError> {
        if self.origin.is_empty() {
            return Err(wrong(
                "origin",
                "write where citizens find the service, e.g. https://code.city.example",
            ));
        }
        let origin: url::Url =
            self.origin.parse().map_err(|error| wrong("origin", format!("{error}")))?;
        let local = matches!(origin.host_str(), Some("localhost" | "127.0.0.1"));
        if origin.scheme() != "https" && !local {
            return Err(wrong("origin", "cameras, passkeys and sessions need https://"));
        }
        let name = |tag: &str| {
            let found = self.names.get(tag).or_else(|| self.names.get("ko"));
            found.cloned().unwrap_or_else(|| self.region.clone())
        };
        Ok(web::Config {
            origin,
            region_names: ["ko", "en", "zh-Hans"].map(name),
            demo: self.demo,
            zone: self.zone()?,
            behind_proxy: self.behind_proxy,
            limits: web::LimitConfig::default(),
            issuer_days: self.issuer_days,
            disk: web::DiskConfig {
                folder: self.data.clone(),
                low_percent: self.disk_low_percent,
                full_mib: self.disk_full_mib,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("haetae.toml");
        std::fs::write(&path, text).unwrap();
        let find = |name: &str| {
            environment.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
        };
        Config::load(Some(&path), find).map_err(|it| it.to_string())
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "origin = 'https://code.city.example'\nregion = 'kr-11'";
        let config = load(text, &[("HAETAE_REGION", "kr-26")]).unwrap();
        assert_eq!(config.region, "kr-26");
        assert_eq!(config.log_name().unwrap(), "code.city.example/log/kr-26");
        assert_eq!(config.ops_listen, None, "closed unless somebody opens it");
        let ops = ("HAETAE_OPS_LISTEN", "127.0.0.1:9");
        let disk = ("HAETAE_DISK_FULL_MIB", "7");
        let config = load(&format!("{text}\nops_listen = '127.0.0.1:8'"), &[ops, disk]).unwrap();
        assert_eq!(config.ops_listen.unwrap().port(), 9);
        assert_eq!(config.web().unwrap().disk.full_mib, 7);
        assert_eq!(config.log_format, LogFormat::Text);
        let json = load(&format!("{text}\nlog_format = 'json'"), &[]).unwrap();
        assert_eq!(json.log_format, LogFormat::Json);
        let config = load(text, &[("HAETAE_LOG_FORMAT", "json")]).unwrap();
        assert_eq!(config.log_format, LogFormat::Json);
        let error = load(text, &[("HAETAE_OPS_LISTEN", "here")]).unwrap_err();
        assert!(error.contains("HAETAE_OPS_LISTEN") && error.contains("ADDRESS:PORT"), "{error}");
    }

    #[test]
    fn what_is_missing_misspelt_or_unsafe_is_refused_in_words() {
        let cases = [
            ("", "origin"),
            ("origin = 'http://city.example'", "https"),
            ("origin = 'https://a.example'\nregoin = 'kr-11'", "regoin"),
            ("origin = 'https://a.example'\nregion = 'KR'", "region"),
            ("origin = 'https://a.example'\nzone = 'Asia/Soul'", "zone"),
            ("origin = 'https://a.example'\nsms_url = 'http://sms.example'", "sms_url"),
            ("origin = 'https://a.example'\nops_listen = '127.0.0.1:8080'", "ops_listen"),
            ("origin = 'https://a.example'\nlog_format = 'xml'", "xml"),
            ("origin = 'https://a.example'\nbackup_to = '/b'", "backup_recipients"),
            ("origin = 'https://a.example'\nbackup_recipients = ['age1x']", "age1x"),
            ("origin = 'https://a.example'\ndisk_low_percent = 101", "disk_low_percent"),
            ("origin = 'https://a.example'\nissuer_days = 7", "issuer_days"),
            ("origin = 'https://a.example'\nstore = 'mysql://a'", "postgres://"),
            ("origin = 'https://a.example'\nstore = 'postgres://u@h/d?sslmode=prefer'", "sslmode"),
            ("origin = 'https://a.example'\nforward_listen = '127.0.0.1:9'", "forward_listen"),
            ("origin = 'https://a.example'\nforward_to_me = 'https://b:9'", "forward_to_me"),
            ("origin = 'https://a.example'\nstore_keys = 'postgres://u@h/d'", "store"),
        ];
        for (text, word) in cases {
            let error = load(text, &[]).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_passed_on_goes_in_the_clear_within_a_private_network_alone() {
        let of = |to: Option<&str>, bound: &str| {
            let config = Config { forward_to_me: to.map(str::to_owned), ..Config::default() };
            config.forward_to_me(bound.parse().unwrap()).map_err(|it| it.to_string())
        };
        assert_eq!(of(None, "10.0.0.5:8090").unwrap(), "http://10.0.0.5:8090");
        assert_eq!(of(None, "[::1]:8090").unwrap(), "http://[::1]:8090");
        assert_eq!(of(Some("https://b.example:9/"), "0.0.0.0:1").unwrap(), "https://b.example:9");
        for (to, bound) in [
            (None, "0.0.0.0:8090"),
            (None, "192.0.2.1:8090"),
            (Some("http://b.example:9"), "10.0.0.5:1"),
            (Some("https://b.example/path"), "10.0.0.5:1"),
            (Some("ftp://10.0.0.5"), "10.0.0.5:1"),
            (Some("nowhere"), "10.0.0.5:1"),
        ] {
            assert!(of(to, bound).unwrap_err().contains("forward_to_me"), "{to:?} {bound}");
        }
    }

    #[test]
    fn backups_need_somebody_who_can_open_them_and_keep_the_keys_elsewhere() {
        let origin = ("HAETAE_ORIGIN", "https://a.example");
        assert!(load("", &[origin]).unwrap().backup().unwrap().is_none(), "none by default");
        let age = "age1m777y9z57409qg2e2a7r6x00xvs6jxmuz7sx6axexfmvx9rexvfqj3tg63";
        let to = [origin, ("HAETAE_BACKUP_TO", "/b"), ("HAETAE_BACKUP_RECIPIENTS", age)];
        let target = load("", &to).unwrap().backup().unwrap().unwrap();
        assert_eq!((target.recipients.len(), target.keys_to), (1, None));
        let within = [to[0], to[1], to[2], ("HAETAE_BACKUP_KEYS_TO", "/b/keys")];
        assert!(load("", &within).unwrap_err().contains("backup_keys_to"));
    }

    #[test]
    fn the_sample_configuration_in_the_documents_is_valid() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/haetae.toml");
        Config::load(Some(Path::new(path)), |_| None).unwrap();
    }
}
