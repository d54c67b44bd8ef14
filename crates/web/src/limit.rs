//! How often one address may ask: token buckets in memory, one set for ordinary requests, one for
//! where secrets could be guessed. Addresses live in the buckets only and are dropped when idle.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use axum::extract::ConnectInfo;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::Request;

use crate::app::LimitConfig;
use crate::route::Rate;

pub(crate) struct Limits {
    clock: DefaultClock,
    normal: DefaultKeyedRateLimiter<IpAddr>,
    strict: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limits {
    pub(crate) fn new(config: LimitConfig) -> Self {
        let of = |per_minute: u32| {
            RateLimiter::keyed(Quota::per_minute(
                NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN),
            ))
        };
        Self {
            clock: DefaultClock::default(),
            normal: of(config.normal_per_minute),
            strict: of(config.strict_per_minute),
        }
    }

    /// Takes a token; otherwise says how many seconds to wait.
    pub(crate) fn take(&self, rate: Rate, address: IpAddr) -> Result<(), u32> {
        let bucket = match rate {
            Rate::Normal => &self.normal,
            Rate::Strict => &self.strict,
        };
        bucket.check_key(&address).map_err(|early| {
            let wait = early.wait_time_from(self.clock.now()).as_secs().saturating_add(1);
            u32::try_from(wait).unwrap_or(u32::MAX)
        })
    }

    /// Forgets addresses whose buckets are full again.
    pub(crate) fn sweep(&self) {
        self.normal.retain_recent();
        self.strict.retain_recent();
    }
}

/// The client's address, as another process of this region says it of a request that it passes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) IpAddr);

/// The client's address: the connection's, or behind a proxy the last one that the proxy added to
/// `X-Forwarded-For`. IPv6 by its /64, which is what one household or phone has.
pub(crate) fn address<B>(req: &Request<B>, behind_proxy: bool) -> IpAddr {
    if let Some(Client(known)) = req.extensions().get() {
        return *known;
    }
    let forwarded = req
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|it| it.to_str().ok())
        .next_back()
        .filter(|_| behind_proxy)
        .and_then(|it| it.rsplit(',').next()?.trim().parse().ok());
    let connection = req.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
    match forwarded.or(connection) {
        Some(IpAddr::V6(it)) => match it.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() >> 64 << 64)),
        },
        Some(v4) => v4,
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_runs_empty_for_one_address_and_not_for_another() {
        let limits = Limits::new(LimitConfig { normal_per_minute: 100, strict_per_minute: 3 });
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..3 {
            assert_eq!(limits.take(Rate::Strict, one), Ok(()));
        }
        let wait = limits.take(Rate::Strict, one).unwrap_err();
        assert!((1..=21).contains(&wait), "{wait}");
        assert_eq!(limits.take(Rate::Strict, other), Ok(()));
        assert_eq!(limits.take(Rate::Normal, one), Ok(()));
    }

    #[test]
    fn forwarded_addresses_count_only_behind_a_proxy() {
        let mut req = Request::builder()
            .header("x-forwarded-for", "203.0.113.9, 198.51.100.4")
            .body(())
            .unwrap();
        req.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        assert_eq!(address(&req, false), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(address(&req, true), IpAddr::from([198, 51, 100, 4]));
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_a_bucket() {
        let of = |text: &str| {
            let req = Request::builder().header("x-forwarded-for", text).body(()).unwrap();
            address(&req, true)
        };
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), IpAddr::from([192, 0, 2, 1]));
    }
}
