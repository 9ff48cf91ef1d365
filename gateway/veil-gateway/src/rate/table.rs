//! Who has asked how much: one number a subject, in a table of bounded size.
//!
//! Owns the arithmetic. The number is the time at which the subject will have paid for everything (the
//! *theoretical arrival time* of GCRA); time is an argument. Beside it stands when a refusal was last told of, so that a
//! flood is told of once a second. Refuses to know HTTP.

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

/// Longest that a subject can be made to wait, beyond its burst: failures are charged even to who has
/// nothing left, and a mistake must end.
const DEBT_MAX: Duration = Duration::from_secs(60);

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    V4(u32),
    /// The first half of an IPv6 address.
    V6(u64),
    /// A keyed hash of a grant and a bearer.
    Grant(u64),
}

impl Subject {
    pub(crate) fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6(u64::try_from(address.to_bits() >> 64).unwrap_or(0)),
        }
    }
}

/// A rate and a burst.
#[derive(Clone, Copy)]
pub(super) struct Quota {
    /// What one request takes, in nanoseconds.
    each_ns: u64,
    /// How far ahead of the clock a subject may be.
    burst_ns: u64,
}

impl Quota {
    /// A quota of `per_s` requests a second after `burst` at once; none for a rate of 0.
    pub(super) fn new(per_s: u32, burst: u32) -> Option<Self> {
        let each_ns = 1_000_000_000_u64.checked_div(per_s.into())?;
        Some(Self { each_ns, burst_ns: each_ns * u64::from(burst) })
    }

    fn cost(self, requests: u32) -> u64 {
        self.each_ns * u64::from(requests)
    }
}

/// A request that came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// When one would be let through.
    pub(crate) wait: Duration,
    /// Whether this refusal is told of: one a second is, of each subject, with how many weren't since the last that was.
    pub(crate) untold: Option<u32>,
}

/// One subject's account.
#[derive(Default)]
struct Account {
    paid_until_ns: AtomicU64,
    /// The second of the last refusal that was told of, from 1.
    told_s: AtomicU32,
    untold: AtomicU32,
}

impl Account {
    /// Counts a refusal.
    fn refuse(&self, now: Duration) -> Option<u32> {
        let second = u32::try_from(now.as_secs() + 1).unwrap_or(u32::MAX);
        if self.told_s.swap(second, Ordering::Relaxed) == second {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.untold.swap(0, Ordering::Relaxed))
    }
}

/// What every subject has paid until.
pub(super) struct Table {
    accounts: Cache<Subject, Arc<Account>, UnitWeighter, RandomState>,
}

impl Table {
    pub(super) fn new(entries: usize) -> Self {
        let (hasher, lifecycle) = (RandomState::new(), DefaultLifecycle::default());
        let accounts = Cache::with(entries, entries as u64, UnitWeighter, hasher, lifecycle);
        Self { accounts }
    }

    /// Counts `requests`, or refuses them uncounted and says when they would be let through.
    pub(super) fn take(
        &self,
        subject: Subject,
        requests: u32,
        quota: Quota,
        now: Duration,
    ) -> Result<(), Refused> {
        let now_ns = nanoseconds(now);
        let limit_ns = now_ns + quota.burst_ns;
        let after = |paid_until_ns: u64| paid_until_ns.max(now_ns) + quota.cost(requests);
        let account = self.account(subject);
        let paid = &account.paid_until_ns;
        let taken = paid.fetch_update(Ordering::AcqRel, Ordering::Acquire, |paid| {
            Some(after(paid)).filter(|paid| *paid <= limit_ns)
        });
        taken.map(drop).map_err(|paid| {
            let wait = Duration::from_nanos(after(paid) - limit_ns);
            Refused { wait, untold: account.refuse(now) }
        })
    }

    /// Counts `requests` that have already been answered, whatever is left.
    pub(super) fn charge(&self, subject: Subject, requests: u32, quota: Quota, now: Duration) {
        let now_ns = nanoseconds(now);
        let debt_ns = now_ns + quota.burst_ns + nanoseconds(DEBT_MAX);
        let charge = |paid: u64| (paid.max(now_ns) + quota.cost(requests)).min(debt_ns.max(paid));
        let paid = &self.account(subject).paid_until_ns;
        let _ = paid.fetch_update(Ordering::AcqRel, Ordering::Acquire, |paid| Some(charge(paid)));
    }

    fn account(&self, subject: Subject) -> Arc<Account> {
        let fresh = || Ok::<_, std::convert::Infallible>(Arc::default());
        match self.accounts.get_or_insert_with(&subject, fresh) {
            Ok(account) => account,
        }
    }
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Subject = Subject::V4(1);
    const BOB: Subject = Subject::V4(2);

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// 10 a second, 5 at once.
    fn quota() -> Quota {
        Quota::new(10, 5).unwrap()
    }

    /// How many of 100 requests at `ms` are let through.
    fn through(table: &Table, subject: Subject, ms: u64) -> usize {
        (0..100).filter(|_| table.take(subject, 1, quota(), at(ms)).is_ok()).count()
    }

    /// How long Alice has to wait for requests at `ms`, if she has to.
    fn wait(table: &Table, requests: u32, ms: u64) -> Result<(), Duration> {
        table.take(ALICE, requests, quota(), at(ms)).map_err(|refused| refused.wait)
    }

    #[test]
    fn of_a_flood_one_refusal_a_second_is_told_with_how_many_were_not() {
        let table = Table::new(1024);
        let told = |subject, ms| table.take(subject, 1, quota(), at(ms)).map_err(|it| it.untold);
        assert_eq!(through(&table, BOB, 0), 5);
        assert_eq!(through(&table, ALICE, 0), 5);
        assert_eq!(told(ALICE, 10), Err(None));
        assert_eq!(told(ALICE, 20), Err(None));
        table.charge(ALICE, 100, quota(), at(0));
        // 95 of the hundred were refused, one of them was told of; and two since.
        assert_eq!(told(ALICE, 1000), Err(Some(96)));
        assert_eq!(told(ALICE, 1999), Err(None));
        assert_eq!(told(ALICE, 2000), Err(Some(1)));
        table.charge(BOB, 100, quota(), at(0));
        assert_eq!(told(BOB, 2000), Err(Some(94)), "each by itself");
    }

    #[test]
    fn a_burst_and_then_the_rate_for_each_by_itself() {
        let table = Table::new(1024);
        assert_eq!(through(&table, ALICE, 0), 5);
        assert_eq!(through(&table, ALICE, 99), 0);
        assert_eq!(through(&table, ALICE, 100), 1);
        assert_eq!(through(&table, ALICE, 350), 2);
        assert_eq!(through(&table, BOB, 350), 5);
        assert_eq!(through(&table, ALICE, 1_000_000), 5);
        assert_eq!(wait(&table, 1, 1_000_010), Err(at(90)));
        assert_eq!(wait(&table, 3, 1_000_010), Err(at(290)));
    }

    #[test]
    fn a_failure_is_charged_even_to_who_has_nothing_left_but_not_for_ever() {
        let table = Table::new(1024);
        table.charge(ALICE, 4, quota(), at(0));
        assert_eq!(through(&table, ALICE, 0), 1);
        table.charge(ALICE, 20, quota(), at(0));
        assert_eq!(wait(&table, 1, 0), Err(at(2100)));
        for _ in 0..1000 {
            table.charge(ALICE, 20, quota(), at(0));
        }
        assert_eq!(wait(&table, 1, 0), Err(DEBT_MAX + at(100)));
        assert_eq!(through(&table, ALICE, 60_000), 0);
        assert_eq!(through(&table, ALICE, 60_100), 1);
    }

    #[test]
    fn a_flood_of_addresses_grows_nothing_and_forgets_nobody_who_comes_often() {
        let table = Table::new(1024);
        for round in 0..20 {
            assert_eq!(through(&table, ALICE, 0), if round == 0 { 5 } else { 0 }, "{round}");
            for host in 0..5000 {
                let _ = table.take(Subject::V6(round * 5000 + host), 1, quota(), at(0));
            }
        }
        assert!(table.accounts.len() <= 1024, "{}", table.accounts.len());
    }

    #[test]
    fn an_ipv6_client_is_its_half_and_a_mapped_one_its_ipv4_address() {
        let subject = |text: &str| Subject::address(text.parse().unwrap());
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::9"));
        assert_ne!(subject("2001:db8:1:2::1"), subject("2001:db8:1:3::1"));
        assert_eq!(subject("::ffff:192.0.2.1"), subject("192.0.2.1"));
        assert_ne!(subject("192.0.2.1"), subject("192.0.2.2"));
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        assert!(Quota::new(0, 5).is_none());
    }
}
