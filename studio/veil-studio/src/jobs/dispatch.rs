//! Who is woken when: apalis, over a table of its own that can be thrown away at any moment.
//!
//! A task there is a token: it says that a job waits, and which one brought it about. Whoever gets it claims the job whose turn it is by then,
//! so that priorities, pauses and cancels need nothing of the queue, and a lost or doubled token costs a look. Owns: that table, and apalis's
//! worker. Refuses to know: what jobs are.
//!
//! Invariant: the truth is in the job table; there are never more tokens than slots, however many jobs wait.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{
    BackendExt as _, BoxDynError, Data, TaskSink as _, WorkerBuilder, WorkerBuilderExt as _,
};
use apalis_sqlite::{Config, SqliteStorage};
use futures_util::future::BoxFuture;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{JobError, JobId};

/// The name of our queue in the table.
const QUEUE: &str = "jobs";
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// How often a worker says that it lives; who has missed two is dead, and its tokens are given away again.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// A job waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    job: i64,
}

/// What is done for a token.
#[derive(Clone)]
pub(super) struct Turn(Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>);

impl Turn {
    pub(super) fn new(turn: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(turn))
    }
}

/// The queue of tokens.
#[derive(Clone)]
pub(super) struct Dispatch {
    pool: SqlitePool,
    storage: SqliteStorage<Token>,
}

impl Dispatch {
    /// Opens the queue. What can't be opened is thrown away and made anew: nothing in it is needed.
    pub(super) async fn open(path: &Path) -> Result<Self, JobError> {
        let _lock = crate::catalogue::lock_beside(path).await?;
        let pool = match connect(path).await {
            Ok(pool) => pool,
            Err(_) => {
                for end in ["", "-wal", "-shm"] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(end);
                    let _ = std::fs::remove_file(name);
                }
                connect(path).await?
            }
        };
        // Not `setup`: it turns synchronous writing off.
        let config = Config::default()
            .queue(QUEUE)
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(2);
        let storage = SqliteStorage::new(&pool).with_config(config);
        Ok(Self { pool, storage })
    }

    /// Forgets all tokens and workers, where nobody else works.
    pub(super) async fn clear(&self) -> Result<(), JobError> {
        sqlx::query("DELETE FROM Jobs").execute(&self.pool).await?;
        sqlx::query("DELETE FROM Workers").execute(&self.pool).await?;
        Ok(())
    }

    /// Sees to it that there are as many tokens as `wanted`, which names jobs that wait.
    pub(super) async fn fill(&self, wanted: &[JobId]) -> Result<(), JobError> {
        let spent = "DELETE FROM Jobs WHERE status IN ('Done', 'Failed', 'Killed')";
        sqlx::query(spent).execute(&self.pool).await?;
        let query = "SELECT count(*) FROM Jobs WHERE status IN ('Pending', 'Queued')";
        let there: i64 = sqlx::query_scalar(query).fetch_one(&self.pool).await?;
        let there = usize::try_from(there).unwrap_or(0);
        let tokens = wanted.iter().skip(there).map(|job| Token { job: job.0 }).collect();
        let mut storage = self.storage.clone();
        storage.push_bulk(tokens).await.map_err(|error| JobError::Dispatch(error.to_string()))
    }

    /// Takes a turn for each token, `slots` at once, until told to stop. Whoever sends on `wake` has it look for tokens.
    pub(super) async fn work(
        &self,
        name: String,
        slots: usize,
        mut wake: mpsc::Receiver<()>,
        (turn, stop): (Turn, CancellationToken),
    ) -> Result<(), JobError> {
        let woken = stream::poll_fn(move |context| wake.poll_recv(context));
        let backend = self.storage.clone().poll_with_stream(woken);
        let worker = WorkerBuilder::new(name.as_str())
            .backend(backend)
            .concurrency(slots)
            .data(turn)
            .build(take);
        let stopped = async move {
            stop.cancelled().await;
            Ok::<(), std::io::Error>(())
        };
        worker.run_until(stopped).await.map_err(|error| JobError::Dispatch(error.to_string()))
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn take(_: Token, turn: Data<Turn>) -> Result<(), BoxDynError> {
    let Turn(turn) = &*turn;
    turn().await;
    Ok(())
}

async fn connect(path: &Path) -> Result<SqlitePool, JobError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_damaged_queue_is_thrown_away_and_tokens_are_as_many_as_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.sqlite");
        std::fs::write(&path, "no database").unwrap();
        let dispatch = Dispatch::open(&path).await.unwrap();
        let tokens = async || {
            let query = "SELECT count(*) FROM Jobs WHERE status = 'Pending'";
            sqlx::query_scalar::<_, i64>(query).fetch_one(&dispatch.pool).await.unwrap()
        };
        let wanted = [1, 2, 3].map(JobId);
        dispatch.fill(&wanted).await.unwrap();
        dispatch.fill(&wanted).await.unwrap();
        assert_eq!(tokens().await, 3);
        let (turns, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let (counted, stopped) = (Arc::clone(&turns), stop.clone());
        let turn = Turn::new(move || {
            if counted.fetch_add(1, Ordering::Relaxed) == 2 {
                stopped.cancel();
            }
            Box::pin(async {})
        });
        let (wake, woken) = mpsc::channel(1);
        wake.send(()).await.unwrap();
        dispatch.work("one".to_owned(), 2, woken, (turn, stop)).await.unwrap();
        assert_eq!((turns.load(Ordering::Relaxed), tokens().await), (3, 0));
        dispatch.clear().await.unwrap();
    }
}
