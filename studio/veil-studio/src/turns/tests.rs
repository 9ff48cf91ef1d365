//! Runs that line up, all of them in this process: each has its own handles on the tickets, and locks are the handles'.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;
use std::time::Duration;

use tokio::task::JoinSet;

use super::*;

const MB: u64 = 1_000_000;
const BUDGET: Resources = Resources { memory_bytes: 300 * MB, cores: 3 };

fn cost(memory_mb: u64, cores: u64) -> Resources {
    Resources { memory_bytes: memory_mb * MB, cores }
}

fn waiting(folder: &Path) -> Turns {
    Turns::open(folder, BUDGET, Patience::Wait).unwrap()
}

fn refusing(folder: &Path) -> Turns {
    Turns::open(folder, BUDGET, Patience::Refuse).unwrap()
}

fn tickets(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name != "door").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_at_once_never_take_more_than_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let taken = Arc::new(Mutex::new((Resources::default(), 0)));
    let mut runs = JoinSet::new();
    for run in 0..12 {
        let (turns, taken) = (waiting(folder.path()), Arc::clone(&taken));
        let cost = cost([100, 250, 50][run % 3], [1, 1, 2][run % 3]);
        runs.spawn(async move {
            let turn = turns.take(cost).await.unwrap();
            {
                let (now, most) = &mut *taken.lock().unwrap();
                now.memory_bytes += cost.memory_bytes;
                now.cores += cost.cores;
                *most = now.cores.max(*most);
                assert!(now.memory_bytes <= BUDGET.memory_bytes, "{now:?}");
                assert!(now.cores <= BUDGET.cores, "{now:?}");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
            let (now, _) = &mut *taken.lock().unwrap();
            now.memory_bytes -= cost.memory_bytes;
            now.cores -= cost.cores;
            drop(turn);
        });
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
    assert_eq!(*taken.lock().unwrap(), (Resources::default(), 3), "three cores were in use");
    assert_eq!(tickets(folder.path()), 0);
}

#[tokio::test]
async fn who_waits_knows_how_many_are_before_and_nobody_overtakes() {
    let folder = tempfile::tempdir().unwrap();
    let first = waiting(folder.path()).take(cost(200, 1)).await.unwrap();
    let (second, third) = (waiting(folder.path()), waiting(folder.path()));
    let mut told = (second.before(), third.before());
    // It would fit beside the first, but the second is before it.
    let second = tokio::spawn(async move { second.take(cost(200, 1)).await });
    told.0.wait_for(|before| *before == 1).await.unwrap();
    let third = tokio::spawn(async move { third.take(cost(50, 1)).await });
    told.1.wait_for(|before| *before == 2).await.unwrap();
    let busy = refusing(folder.path()).take(cost(1, 1)).await.unwrap_err();
    assert_eq!(busy.to_string(), "3 runs before this one");
    assert_eq!(tickets(folder.path()), 3);

    drop(first);
    let second = second.await.unwrap().unwrap();
    let third = third.await.unwrap().unwrap();
    assert_eq!((*told.0.borrow(), *told.1.borrow()), (0, 0));
    drop((second, third));
    refusing(folder.path()).take(BUDGET).await.unwrap();
}

#[tokio::test]
async fn who_stops_waiting_leaves_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let first = waiting(folder.path()).take(BUDGET).await.unwrap();
    let second = waiting(folder.path());
    let mut told = second.before();
    let second = tokio::spawn(async move { second.take(BUDGET).await });
    told.wait_for(|before| *before == 1).await.unwrap();
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    assert_eq!(tickets(folder.path()), 1);
    drop(first);
    refusing(folder.path()).take(BUDGET).await.unwrap();
}

#[tokio::test]
async fn a_ticket_that_nobody_holds_counts_for_nothing_and_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let turn = waiting(folder.path()).take(BUDGET).await.unwrap();
    let (_, left) = turn.ticket.keep().unwrap();
    assert_eq!(tickets(folder.path()), 1);
    let turn = refusing(folder.path()).take(BUDGET).await.unwrap();
    assert!(!left.exists());
    drop(turn);
}

#[tokio::test]
async fn a_ticket_that_nobody_understands_takes_everything() {
    let folder = tempfile::tempdir().unwrap();
    let turns = refusing(folder.path());
    let path = turns.folder.join("000000000007-strange");
    let strange = File::create(&path).unwrap();
    strange.lock().unwrap();
    assert!(matches!(turns.take(cost(1, 1)).await, Err(TurnError::Busy { before: 1 })));
    drop(strange);
    turns.take(cost(1, 1)).await.unwrap();
}

#[tokio::test]
async fn a_run_that_could_never_begin_is_refused_and_cores_are_never_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let turns = waiting(folder.path());
    let never = turns.take(cost(301, 1)).await.unwrap_err();
    let said = "this run needs 301 MB of memory, and all runs together may have 300 MB";
    assert_eq!(never.to_string(), said);
    assert!(never.hint().contains("--memory-budget"));
    let turn = turns.take(cost(1, 64)).await.unwrap();
    assert!(refusing(folder.path()).take(cost(1, 1)).await.is_err());
    drop(turn);
}

#[tokio::test]
async fn files_have_the_permissions_of_their_folder() {
    let parent = tempfile::tempdir().unwrap();
    let own = parent.path().join("a/b");
    let shared = parent.path().join("shared");
    let _turns = Turns::open(&own, BUDGET, Patience::Wait).unwrap().take(BUDGET).await.unwrap();
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o770)).unwrap();
    let _more = Turns::open(&shared, BUDGET, Patience::Wait).unwrap().take(BUDGET).await.unwrap();
    for (folder, mode) in [(own, 0o600), (shared, 0o660)] {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let modes: Vec<u32> =
            entries.map(|entry| entry.metadata().unwrap().permissions().mode() & 0o777).collect();
        assert_eq!(modes, [mode, mode]);
    }
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Turns::open(&file, BUDGET, Patience::Wait).unwrap_err();
    assert!(matches!(refused, TurnError::Folder { .. }));
    assert!(refused.hint().contains("VEILCAST_BUDGET_DIR"));
}
