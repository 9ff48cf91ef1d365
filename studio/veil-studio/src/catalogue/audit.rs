//! The audit trail: what was shared, taken back, and done to keys, in SQLite.
//!
//! Specification: `docs/format/audit.md`. Owns: adding an entry, and checking all of them. Entries are written by the transaction of what they
//! record, wherever that is a row of this catalogue; nothing changes or deletes one (the table's triggers refuse it).
//!
//! Invariant: an entry's hash covers it and the hash before it, so that a trail that was edited, reordered or cut open doesn't hold. Who can
//! write the file can write another trail; a hash that was noted elsewhere tells ([`Verdict::head`]).

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, SqliteConnection};

use super::Catalogue;
use super::listing::Part;
use crate::StudioError;

/// What comes before the first entry.
const GENESIS: [u8; 32] = [0; 32];

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A grant was given.
    Share,
    /// A grant that was given could not be published, and is gone.
    ShareUndone,
    /// A grant was taken back.
    Revoke,
    /// A title's key was drawn.
    TitleKey,
    /// A title was removed, and its key with it.
    TitleRemoved,
    /// A leak was examined.
    Trace,
    /// The studio's identity was made.
    Identity,
    /// The gateway's signing credential was made.
    GatewayCredential,
}

impl Action {
    /// Its name in the trail.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::ShareUndone => "share-undone",
            Self::Revoke => "revoke",
            Self::TitleKey => "title-key",
            Self::TitleRemoved => "title-removed",
            Self::Trace => "trace",
            Self::Identity => "identity",
            Self::GatewayCredential => "gateway-credential",
        }
    }
}

/// What is to be noted.
pub(crate) struct Event<'e> {
    pub(crate) action: Action,
    pub(crate) subject: &'e str,
    pub(crate) details: Value,
    /// RFC 3339.
    pub(crate) at: &'e str,
}

/// An entry of the trail.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: i64,
    /// RFC 3339.
    pub at: String,
    /// Who did it.
    pub actor: String,
    /// What was done ([`Action::text`]).
    pub action: String,
    /// Whom or what it was done to: an id.
    pub subject: String,
    /// A JSON object.
    pub details: String,
    /// In hex.
    pub hash: String,
}

impl Entry {
    /// The hash that it should have after `before`: SHA-256 of that hash and the entry as a JSON array.
    #[must_use]
    fn expected(&self, before: &[u8; 32]) -> [u8; 32] {
        let entry = json!([self.seq, self.at, self.actor, self.action, self.subject, self.details]);
        let mut hasher = Sha256::new();
        hasher.update(before);
        hasher.update(entry.to_string());
        hasher.finalize().into()
    }
}

/// How far a check of the trail has come: the entries up to here hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    seq: i64,
    hash: [u8; 32],
}

impl Chain {
    /// Goes on by an entry; `false` where it isn't the next one, and the check stays where it is.
    fn takes(&mut self, entry: &Entry) -> bool {
        let hash = entry.expected(&self.hash);
        let holds = entry.seq == self.seq + 1 && entry.hash == hex(&hash);
        if holds {
            *self = Self { seq: entry.seq, hash };
        }
        holds
    }
}

/// What a check of the trail found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Entries that hold, from the first one on.
    pub sound: i64,
    /// All entries.
    pub total: i64,
    /// The hash of the last entry that holds, in hex; zeros where there is none.
    pub head: String,
    /// The number of the first entry that doesn't hold.
    pub broken_at: Option<i64>,
    /// Whether the hash that was asked for is one of the trail; `true` where none was.
    pub has_expected: bool,
}

impl Verdict {
    /// Whether all of it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken_at.is_none() && self.has_expected
    }
}

impl Catalogue {
    /// Notes something that is no row of this catalogue.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub(crate) async fn note(&self, event: Event<'_>) -> Result<(), StudioError> {
        // A lock for writing from the start: reading first and writing then fails where somebody else wrote meanwhile.
        let mut change = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        self.append(&mut change, event).await?;
        Ok(change.commit().await?)
    }

    /// Adds an entry within a transaction that has written before.
    pub(super) async fn append(
        &self,
        change: &mut SqliteConnection,
        event: Event<'_>,
    ) -> Result<(), StudioError> {
        let query = sqlx::query_as::<_, (i64, String)>(
            "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1",
        );
        let last = query.fetch_optional(&mut *change).await?;
        let (seq, before) = match &last {
            Some((seq, hash)) => (*seq, parse(hash).unwrap_or(GENESIS)),
            None => (0, GENESIS),
        };
        let entry = Entry {
            seq: seq + 1,
            at: event.at.to_owned(),
            actor: self.actor.to_owned(),
            action: event.action.text().to_owned(),
            subject: event.subject.to_owned(),
            details: event.details.to_string(),
            hash: String::new(),
        };
        let hash = hex(&entry.expected(&before));
        let query = sqlx::query(
            "INSERT INTO audit (seq, at, actor, action, subject, details, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(entry.seq).bind(entry.at).bind(entry.actor).bind(entry.action);
        let query = query.bind(entry.subject).bind(entry.details).bind(hash);
        Ok(query.execute(change).await.map(drop)?)
    }

    /// Entries after the one numbered `after`, oldest first.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`].
    pub async fn audit(&self, after: i64, limit: u32) -> Result<Part<Entry>, StudioError> {
        let query =
            sqlx::query_as::<_, Entry>("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?");
        let items = query.bind(after).bind(i64::from(limit) + 1).fetch_all(&self.pool).await?;
        let total = sqlx::query_scalar("SELECT count(*) FROM audit").fetch_one(&self.pool).await?;
        Ok(Part::cut(items, limit, total, |entry| entry.seq.to_string()))
    }

    /// Checks every entry, and whether `expected` (in hex) is the hash of one.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`] where it can't be read.
    pub async fn verify_audit(&self, expected: Option<&str>) -> Result<Verdict, StudioError> {
        let mut chain = Chain::default();
        let mut verdict = Verdict {
            sound: 0,
            total: 0,
            head: hex(&GENESIS),
            broken_at: None,
            has_expected: expected.is_none(),
        };
        let query = sqlx::query_as::<_, Entry>("SELECT * FROM audit ORDER BY seq");
        let mut entries = query.fetch(&self.pool);
        while let Some(entry) = entries.try_next().await? {
            verdict.total += 1;
            if verdict.broken_at.is_none() && chain.takes(&entry) {
                verdict.sound += 1;
                verdict.has_expected |=
                    expected.is_some_and(|it| it.eq_ignore_ascii_case(&entry.hash));
                verdict.head = entry.hash;
            } else {
                verdict.broken_at = verdict.broken_at.or(Some(verdict.total));
            }
        }
        Ok(verdict)
    }

    /// Whether the trail holds, at the price of what is new in it: what this process found to hold isn't read again, but for the last entry,
    /// which has to be the one that it was. [`Self::verify_audit`] reads all of it.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`] where it can't be read.
    pub async fn audit_holds(&self) -> Result<bool, StudioError> {
        let mut held = self.held.lock().await;
        let query = sqlx::query_as::<_, Entry>("SELECT * FROM audit WHERE seq >= ? ORDER BY seq");
        let mut entries = query.bind(held.seq).fetch(&self.pool);
        if held.seq > 0 {
            let last = entries.try_next().await?;
            if last.is_none_or(|last| last.seq != held.seq || last.hash != hex(&held.hash)) {
                return Ok(false);
            }
        }
        while let Some(entry) = entries.try_next().await? {
            if !held.takes(&entry) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let byte = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes?.try_into().ok()
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trail of three, and what becomes of it after somebody changed the file.
    async fn check(change: &str, expected: impl FnOnce(&Verdict) -> bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.sqlite");
        let catalogue = Catalogue::open(&path).await.unwrap();
        for subject in ["a", "b", "c"] {
            let event = Event {
                action: Action::Share,
                subject,
                details: json!({ "title": "x" }),
                at: "2026-11-22T00:00:00Z",
            };
            catalogue.note(event).await.unwrap();
        }
        let before = catalogue.verify_audit(None).await.unwrap();
        assert!(before.holds() && before.sound == 3);
        sqlx::raw_sql(sqlx::AssertSqlSafe(change.to_owned()))
            .execute(&catalogue.pool)
            .await
            .unwrap();
        let verdict = catalogue.verify_audit(Some(&before.head)).await.unwrap();
        assert!(expected(&verdict), "{change}: {verdict:?}");
        let whole = verdict.broken_at.is_none();
        assert_eq!(catalogue.audit_holds().await.unwrap(), whole, "{change}");
        catalogue.close().await;
    }

    #[tokio::test]
    async fn a_trail_that_was_tampered_with_does_not_hold() {
        let open = "DROP TRIGGER audit_stays; DROP TRIGGER audit_keeps;";
        let broken =
            |at| move |verdict: &Verdict| verdict.broken_at == Some(at) && !verdict.holds();
        check("SELECT 1", Verdict::holds).await;
        check(&format!("{open} UPDATE audit SET subject = 'x' WHERE seq = 2"), broken(2)).await;
        check(&format!("{open} UPDATE audit SET details = '{{}}' WHERE seq = 1"), broken(1)).await;
        check(&format!("{open} DELETE FROM audit WHERE seq = 2"), broken(2)).await;
        check(
            &format!("{open} UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 9"),
            broken(2),
        )
        .await;
        // What is cut off at the end is told by the hash that was noted.
        check(&format!("{open} DELETE FROM audit WHERE seq = 3"), |verdict| {
            verdict.broken_at.is_none() && !verdict.has_expected && !verdict.holds()
        })
        .await;
    }

    #[tokio::test]
    async fn a_second_look_reads_what_is_new_and_knows_the_last_entry_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(&folder.path().join("catalogue.sqlite")).await.unwrap();
        let note = async |subject| {
            let event = Event { action: Action::Share, subject, details: json!({}), at: "now" };
            catalogue.note(event).await.unwrap();
        };
        let tamper = async |change: &str| {
            let all = format!(
                "DROP TRIGGER IF EXISTS audit_stays; DROP TRIGGER IF EXISTS audit_keeps; {change}"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(all)).execute(&catalogue.pool).await.unwrap();
        };
        assert!(catalogue.audit_holds().await.unwrap());
        note("a").await;
        note("b").await;
        assert!(catalogue.audit_holds().await.unwrap());
        // The first was read; whoever wants to know of it again asks for all.
        tamper("UPDATE audit SET subject = 'x' WHERE seq = 1").await;
        assert!(catalogue.audit_holds().await.unwrap());
        assert!(!catalogue.verify_audit(None).await.unwrap().holds());
        note("c").await;
        assert!(catalogue.audit_holds().await.unwrap());
        note("d").await;
        tamper("UPDATE audit SET subject = 'x' WHERE seq = 4").await;
        assert!(!catalogue.audit_holds().await.unwrap());
        tamper("DELETE FROM audit WHERE seq > 2").await;
        assert!(!catalogue.audit_holds().await.unwrap());
        catalogue.close().await;
    }

    #[tokio::test]
    async fn the_file_itself_refuses_to_change_an_entry() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(&folder.path().join("catalogue.sqlite")).await.unwrap();
        let event = Event { action: Action::Identity, subject: "k", details: json!({}), at: "now" };
        catalogue.note(event).await.unwrap();
        for change in ["UPDATE audit SET at = ''", "DELETE FROM audit"] {
            let refused = sqlx::query(change).execute(&catalogue.pool).await.unwrap_err();
            assert!(refused.to_string().contains("only added to"), "{refused}");
        }
        catalogue.close().await;
    }
}
