//! Jobs with the real program: made, stopped, killed at the worst moment, and done once.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use veil_testkit::{Process, Spawned, binary, descendants, wait_gone};

use crate::desk::{Desk, LIMIT};
use crate::house::short_clip;

/// A scene that takes seconds to render, and says what it is.
fn scene(text: &str, seconds: f64) -> Value {
    json!({ "text": text, "duration": seconds, "voice": { "provider": "none" } })
}

/// A desk with jobs on it.
struct Queue {
    desk: Desk,
}

impl Queue {
    fn new() -> Self {
        let _ = binary("veilcast-voice-espeak");
        Self { desk: Desk::new() }
    }

    fn submit(&self, job: &Value) -> String {
        self.desk.write("job.json", job.to_string().as_bytes());
        let job = self.desk.answer("jobs submit job.json");
        job["id"].as_str().unwrap().to_owned()
    }

    fn make(&self, scenes: &[Value], height: u32) -> String {
        let document = json!({ "title": "A film", "height": height, "fps": 24, "scenes": scenes });
        self.submit(&json!({ "kind": "make", "document": document, "base": "/", "draft": true }))
    }

    fn job(&self, id: &str) -> Value {
        self.desk.answer(&format!("jobs show {id}"))["job"].clone()
    }

    fn log(&self, id: &str) -> Vec<String> {
        let log = self.desk.answer(&format!("jobs log {id}"));
        log["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap().to_owned())
            .collect()
    }

    /// Works until nothing is left to do.
    fn work(&self) {
        self.desk.ok("worker --until-done");
    }

    fn start(&self, args: &str) -> Spawned {
        self.desk.start(&format!("exec \"$VEILCAST\" worker {args}"))
    }

    /// Waits until a job is in a state.
    fn wait(&self, id: &str, state: &str) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let job = self.job(id);
            if job["state"] == state {
                return job;
            }
            assert!(Instant::now() < deadline, "{job}\n{:#?}", self.log(id));
            sleep(Duration::from_millis(50));
        }
    }

    /// Waits until a worker has processes for a job that runs.
    fn children(&self, worker: &mut Spawned, id: &str) -> Vec<Process> {
        self.wait(id, "running");
        let deadline = Instant::now() + LIMIT;
        loop {
            let found = descendants(worker.id());
            if !found.is_empty() {
                return found;
            }
            assert!(worker.try_wait().unwrap().is_none(), "it ended: {}", worker.stderr());
            assert!(Instant::now() < deadline);
            sleep(Duration::from_millis(2));
        }
    }

    /// Waits for the process that renders in an attempt: not a short probe before it.
    fn renderer(&self, worker: &mut Spawned, id: &str, attempt: i64) -> Process {
        let deadline = Instant::now() + LIMIT;
        loop {
            let job = self.job(id);
            let mut found = descendants(worker.id());
            if job["progress"]["step"] == "rendering"
                && job["attempts"] == attempt
                && !found.is_empty()
            {
                return found.remove(0);
            }
            assert!(worker.try_wait().unwrap().is_none(), "{job} {:#?}", self.log(id));
            assert!(Instant::now() < deadline, "{job} {:#?}", self.log(id));
        }
    }

    /// Signals what renders in an attempt until the attempt ends: a piece may have ended by itself when the signal comes.
    fn strike(&self, worker: &mut Spawned, id: &str, attempt: i64, signal: Signal) {
        loop {
            let renderer = self.renderer(worker, id, attempt);
            let pid = rustix::process::Pid::from_raw(renderer.pid.cast_signed()).unwrap();
            let struck = rustix::process::kill_process(pid, signal).is_ok();
            let until = Instant::now() + Duration::from_secs(1);
            while struck && Instant::now() < until {
                let job = self.job(id);
                if job["attempts"] != attempt || job["state"] != "running" {
                    assert_eq!(wait_gone(&[renderer], LIMIT), []);
                    return;
                }
            }
        }
    }

    /// Files in the folder of a job, but for its log.
    fn left(&self, id: &str) -> Vec<String> {
        let entries = fs::read_dir(self.desk.path(&format!("data/jobs/{id}"))).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "log").collect();
        names.sort();
        names
    }
}

#[test]
fn every_verb_is_a_job() {
    let queue = Queue::new();
    let made = queue.make(&[scene("Hello", 1.0)], 160);
    let clip = short_clip();
    let import = json!({ "kind": "import", "source": clip, "name": "Clip" });
    let imported = queue.submit(&import);
    queue.desk.write("secret.txt", b"what nobody sees");
    let secret = json!({ "kind": "passphrase", "text": "open sesame" });
    let payload = [queue.desk.path("secret.txt")];
    let hidden = queue.submit(&json!({
        "kind": "hide", "carrier": clip, "payload": payload, "output": "out.mkv", "secret": secret,
    }));
    queue.work();
    let show = queue.desk.answer(&format!("jobs show {hidden}"));
    assert_eq!(show["job"]["state"], "done", "{show}");
    let video = show["paths"][0].as_str().unwrap();
    let revealed = queue.submit(&json!({ "kind": "reveal", "video": video, "secret": secret }));
    queue.work();
    for id in [&made, &imported, &hidden, &revealed] {
        let job = queue.job(id);
        assert_eq!((&job["state"], &job["attempts"]), (&json!("done"), &json!(1)), "{job}");
        let command = job["commands"][0].as_str().unwrap_or_default();
        assert!(command.contains("/ff"), "{job}");
    }
    let names = |id: &str| queue.job(id)["outputs"].clone();
    assert_eq!(names(&made)[0]["name"], "A_film.mp4");
    let show = queue.desk.answer(&format!("jobs show {revealed}"));
    let found = fs::read(show["paths"][0].as_str().unwrap()).unwrap();
    assert_eq!(found, b"what nobody sees");
    let title = queue.job(&imported)["title"].clone();
    let titles = queue.desk.answer("list")["titles"].clone();
    assert_eq!((titles[0]["id"].clone(), &titles[0]["title"]), (title, &json!("Clip")));
    // No passphrase lies anywhere: not in the table, not in a log.
    for file in veil_testkit::files_below(&queue.desk.path("data")).unwrap() {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"open sesame"), "{file:?}");
    }
}

#[test]
fn what_fails_says_why_and_can_be_tried_again() {
    let queue = Queue::new();
    let id = queue.submit(&json!({ "kind": "import", "source": "/none/film.mov" }));
    queue.work();
    let job = queue.job(&id);
    assert_eq!((&job["state"], &job["title"]), (&json!("failed"), &Value::Null));
    assert!(job["error"].as_str().unwrap().contains("cannot be read"), "{job}");
    assert_eq!(queue.desk.answer(&format!("jobs retry {id}"))["state"], "waiting");
    queue.work();
    assert_eq!(queue.job(&id)["attempts"], 2);
    queue.desk.fails("jobs cancel 1", "job 1 is failed", "retry");
    queue.desk.fails("jobs show 99", "there is no job 99", "jobs list");
    queue.desk.write("bad.json", b"{\"kind\": \"erase\"}");
    queue.desk.fails("jobs submit bad.json", "bad.json is no job", "--help");
    let listed = queue.desk.answer("jobs list --state failed");
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(listed["queue"]["pending"], 0);
}

#[test]
fn a_killed_program_goes_on_where_it_was_and_renders_nothing_twice() {
    let queue = Queue::new();
    let id = queue.make(&[scene("Short", 0.5), scene("Long", 90.0), scene("Later", 90.0)], 640);
    let mut worker = queue.start("--core-budget 1");
    let children = queue.children(&mut worker, &id);
    let entries = queue.desk.path("data/cache/make/entries");
    let deadline = Instant::now() + LIMIT;
    // The first scene is in the cache and a piece of the second, which is under way.
    while fs::read_dir(&entries).map_or(0, Iterator::count) < 2 {
        assert!(Instant::now() < deadline, "{:#?}", queue.log(&id));
        sleep(Duration::from_millis(5));
    }
    worker.kill().unwrap();
    assert_eq!(wait_gone(&children, LIMIT), []);
    assert_eq!(queue.job(&id)["state"], "running", "nobody has told the table");
    let kept = fs::read_dir(&entries).unwrap().count();
    queue.work();
    let job = queue.job(&id);
    assert_eq!((&job["state"], &job["attempts"]), (&json!("done"), &json!(2)), "{job}");
    let log = queue.log(&id);
    // A scene of 90 s has six pieces.
    let rendered = format!("of 3 scenes rendered, {} of 13 pieces", 13 - kept);
    assert!(log.iter().any(|line| line.ends_with(&rendered)), "{kept}: {log:#?}");
    assert_eq!(queue.left(&id), ["attempt-2"]);
    let runs = fs::read_dir(queue.desk.path("data/cache/make/work"));
    assert_eq!(runs.map_or(0, Iterator::count), 0);
}

#[test]
fn an_import_that_died_with_the_program_begins_again_cleanly() {
    let queue = Queue::new();
    let clip = crate::house::long_clip();
    let id =
        queue.submit(&json!({ "kind": "import", "source": clip, "name": "Film", "ladder": "144" }));
    let mut worker = queue.start("");
    let title = loop {
        let job = queue.job(&id);
        if let (Some(title), false) = (job["title"].as_str(), descendants(worker.id()).is_empty()) {
            break title.to_owned();
        }
    };
    worker.kill().unwrap();
    queue.work();
    let job = queue.job(&id);
    assert_eq!((&job["state"], &job["attempts"]), (&json!("done"), &json!(2)), "{job}");
    let listed = queue.desk.answer("list");
    assert_eq!(listed["titles"].as_array().unwrap().len(), 1);
    assert_eq!((&listed["titles"][0]["id"], &listed["importing"]), (&job["title"], &json!([])));
    assert_ne!(job["title"], title.as_str());
    assert!(!queue.desk.path(&format!("data/bucket/t/{title}")).exists());
}

#[test]
fn a_killed_ffmpeg_is_tried_again_a_few_times_and_the_job_says_so() {
    let queue = Queue::new();
    let id = queue.make(&[scene("Long", 480.0)], 640);
    let mut worker = queue.start("--until-done");
    for attempt in 1..=3 {
        queue.strike(&mut worker, &id, attempt, Signal::KILL);
    }
    assert!(worker.wait(LIMIT).unwrap().success());
    let job = queue.job(&id);
    assert_eq!((&job["state"], &job["attempts"]), (&json!("failed"), &json!(3)), "{job}");
    assert!(job["error"].as_str().unwrap().contains("a process was killed"), "{job}");
    let log = queue.log(&id);
    assert_eq!(log.iter().filter(|line| *line == "it is tried again").count(), 2, "{log:#?}");
    assert!(log.iter().any(|line| line.contains("signal: 9")), "{log:#?}");
    assert_eq!(queue.left(&id), [""; 0]);
}

#[test]
fn a_running_job_is_cancelled_paused_and_resumed_from_elsewhere() {
    let queue = Queue::new();
    let id = queue.make(&[scene("Long", 60.0)], 640);
    let mut worker = queue.start("");
    let first = queue.children(&mut worker, &id);
    queue.desk.ok(&format!("jobs pause {id}"));
    queue.wait(&id, "paused");
    assert_eq!(wait_gone(&first, LIMIT), []);
    queue.desk.ok(&format!("jobs resume {id}"));
    let second = queue.children(&mut worker, &id);
    queue.desk.ok(&format!("jobs cancel {id}"));
    let job = queue.wait(&id, "cancelled");
    assert_eq!((&job["attempts"], &job["error"]), (&json!(2), &Value::Null), "{job}");
    assert_eq!(wait_gone(&second, LIMIT), []);
    assert_eq!(queue.left(&id), [""; 0]);
    // A worker that is told to stop leaves its job waiting.
    queue.desk.ok(&format!("jobs retry {id}"));
    let third = queue.children(&mut worker, &id);
    assert!(worker.terminate(LIMIT).unwrap().success());
    assert_eq!(wait_gone(&third, LIMIT), []);
    assert_eq!(queue.job(&id)["state"], "waiting");
    assert_eq!(fs::read_dir(queue.desk.path("data/jobs/owners")).unwrap().count(), 0);
}

#[test]
fn a_job_that_stands_still_is_stopped_and_tried_once_more() {
    let queue = Queue::new();
    let id = queue.make(&[scene("Long", 480.0)], 640);
    let mut worker = queue.start("--core-budget 1 --stall 2s --until-done");
    for attempt in 1..=2 {
        queue.strike(&mut worker, &id, attempt, Signal::STOP);
    }
    assert!(worker.wait(LIMIT).unwrap().success());
    let job = queue.job(&id);
    assert_eq!((&job["state"], &job["attempts"]), (&json!("failed"), &json!(2)), "{job}");
    assert!(job["error"].as_str().unwrap().contains("stood still"), "{job}");
}

#[test]
fn a_drained_queue_ends_what_runs_and_begins_nothing() {
    let queue = Queue::new();
    let first = queue.make(&[scene("One", 20.0)], 640);
    let mut worker = queue.start("--slots 1");
    queue.children(&mut worker, &first);
    let second = queue.make(&[scene("Two", 0.5)], 160);
    assert_eq!(queue.desk.answer("jobs drain")["drained"], true);
    queue.wait(&first, "done");
    sleep(Duration::from_millis(1500));
    assert_eq!(queue.job(&second)["state"], "waiting");
    queue.desk.ok("jobs drain --off");
    queue.wait(&second, "done");
    worker.terminate(LIMIT).unwrap();
}
