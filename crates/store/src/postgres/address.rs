//! Where a PostgreSQL database is, and how it is reached: by TLS with a verified certificate, unless
//! the URL says `sslmode=disable` or the server is on a socket of this machine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Fault;
use crate::fault::Doing as _;

/// One database on a server.
#[derive(Clone)]
pub struct Address {
    config: Config,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl std::fmt::Debug for Address {
    /// Never the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Address").field(&self.name()).finish()
    }
}

/// A server that does not answer within this is not reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection on which nothing came for this long is asked whether it is alive.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
const KEEPALIVE_TRIES: u32 = 3;
/// What was sent and not confirmed for this long ends the connection.
const UNCONFIRMED: Duration = Duration::from_secs(20);

impl Address {
    /// Reads `postgres://user:password@host/name?sslmode=…&sslrootcert=…`.
    ///
    /// `sslmode` is `disable` (plain) or `require`, `verify-ca`, `verify-full`, which all verify the
    /// certificate and the name; without it TLS is required. `sslrootcert` is a file with the
    /// authority's certificates; without it the system's are trusted. A host that is a folder (with
    /// `/` as `%2F`) is a local socket. The fault does not repeat the URL: it holds a password.
    pub fn parse(url: &str) -> Result<Self, Fault> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Fault::new("the store's address must begin with postgres://"));
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut root, mut others) = ("require", None, Vec::new());
        for pair in query.split('&').filter(|it| !it.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", it)) => mode = it,
                Some(("sslrootcert", it)) => root = Some(it.replace("%2F", "/")),
                _ => others.push(pair),
            }
        }
        let doing = "reading the store's address";
        let mut config: Config = format!("{base}?{}", others.join("&")).parse().doing(doing)?;
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(Fault::new("the store's address names no database"));
        }
        let local = config.get_hosts().iter().all(|it| matches!(it, Host::Unix(_)));
        let tls = match mode {
            _ if local => None,
            "disable" => None,
            "require" | "verify-ca" | "verify-full" => {
                Some(client(root.as_deref().map(Path::new))?)
            }
            "prefer" | "allow" => {
                return Err(Fault::new(format!(
                    "sslmode={mode} would go on without TLS when somebody in between says so: write \
                     require or disable"
                )));
            }
            _ => return Err(Fault::new("sslmode is not disable, require or verify-full")),
        };
        config
            .ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable })
            .application_name("haetae")
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_TRIES)
            .tcp_user_timeout(UNCONFIRMED);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        Ok(Self { config, tls })
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// The database of the same server whose name has `suffix` at its end.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Self {
        let mut beside = self.clone();
        beside.config.dbname(format!("{}{suffix}", self.name()));
        beside
    }

    /// Connects; the connection's own work runs on `runtime` until the client is dropped.
    pub(super) async fn connect(
        &self,
        runtime: &tokio::runtime::Handle,
    ) -> Result<tokio_postgres::Client, Fault> {
        let doing = format!("connecting to the database {}", self.name());
        if let Some(tls) = &self.tls {
            let tls = MakeRustlsConnect::new(rustls::ClientConfig::clone(tls));
            let (client, connection) = self.config.connect(tls).await.doing(&doing)?;
            runtime.spawn(async move { log(connection.await) });
            Ok(client)
        } else {
            let (client, connection) = self.config.connect(NoTls).await.doing(&doing)?;
            runtime.spawn(async move { log(connection.await) });
            Ok(client)
        }
    }
}

/// Whoever uses the connection meets the error too; this line says when it was.
fn log(ended: Result<(), tokio_postgres::Error>) {
    if let Err(error) = ended {
        tracing::warn!(%error, "a connection to PostgreSQL ended");
    }
}

fn client(root: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, Fault> {
    let mut roots = rustls::RootCertStore::empty();
    let doing = "reading the certificates of authorities";
    if let Some(path) = root {
        for certificate in CertificateDer::pem_file_iter(path).doing(doing)? {
            roots.add(certificate.doing(doing)?).doing(doing)?;
        }
    } else {
        let system = rustls_native_certs::load_native_certs();
        // Systems carry some that are malformed; the others still hold.
        roots.add_parsable_certificates(system.certs);
    }
    if roots.is_empty() {
        return Err(Fault::new(
            "no authority is known that could vouch for the server: name one with sslrootcert, or \
             install ca-certificates",
        ));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing("setting up TLS")?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_spoken_only_where_the_address_says_so_or_never_leaves_the_machine() {
        let plain = |url: &str| Address::parse(url).unwrap().tls.is_none();
        assert!(plain("postgres://u:p@db.example/city?sslmode=disable"));
        assert!(plain("postgres://u@%2Frun%2Fpostgresql/city"));
        assert!(plain("postgres:///city?host=/run/postgresql&sslmode=require"));
        for mode in ["prefer", "allow", "nonsense"] {
            let url = format!("postgres://u:secret@db.example/city?sslmode={mode}");
            let fault = Address::parse(&url).unwrap_err().chain();
            assert!(fault.contains("sslmode") && !fault.contains("secret"), "{fault}");
        }
        let none = Address::parse("postgres://u@db.example/city?sslrootcert=/nowhere").unwrap_err();
        assert!(none.chain().contains("authorities"), "TLS without being asked: {none}");
    }

    #[test]
    fn an_address_names_its_database_and_never_shows_its_password() {
        let it = Address::parse("postgres://u:secret@%2Ftmp/city").unwrap();
        assert_eq!((it.name(), it.beside("_keys").name()), ("city", "city_keys"));
        assert_eq!(format!("{it:?}"), "Address(\"city\")");
        assert!(Address::parse("postgres://u@h?sslmode=disable").is_err(), "no database");
        assert!(Address::parse("mysql://u@h/d").is_err());
        let misspelt = Address::parse("postgres://u:secret@h/d?sslmode=disable&conect_timeout=1");
        assert!(!misspelt.unwrap_err().chain().contains("secret"));
    }
}
