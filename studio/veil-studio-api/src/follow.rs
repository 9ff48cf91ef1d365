//! What jobs and watched folders tell, told on as events.

use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use veil_studio::jobs::{Change, JobState};

use crate::app::Api;
use crate::routes::media;
use crate::wire::jobs::{Job, Queue};

/// Tells on what changes, for as long as jobs do.
pub(crate) async fn follow(api: Api) {
    let mut changes = api.jobs().subscribe();
    loop {
        match changes.recv().await {
            Ok(event) => tell(&api, event.change),
            // Whoever follows us has missed something too.
            Err(RecvError::Lagged(_)) => api.events().tell("reset", &json!({})),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Tells on what comes out of watched folders, for as long as they are watched.
pub(crate) async fn follow_watched(api: Api) {
    let Some(mut taken) = api.watch().map(|watch| watch.subscribe()) else { return };
    loop {
        match taken.recv().await {
            Ok(medium) => media::arrived(&api, medium),
            Err(RecvError::Lagged(_)) => api.events().tell("reset", &json!({})),
            Err(RecvError::Closed) => return,
        }
    }
}

fn tell(api: &Api, change: Change) {
    match change {
        Change::Job(job) => {
            if job.state == JobState::Done {
                api.payloads().done(job.id);
            }
            if let (JobState::Done, Some(title)) = (job.state, &job.title) {
                api.events().tell("title", &json!({ "id": title }));
            }
            api.events().tell("job", &Job::from(*job));
        }
        Change::Removed(id) => {
            api.payloads().done(id);
            api.events().tell("job", &json!({ "id": id.to_string(), "removed": true }));
        }
        Change::Queue(queue) => api.events().tell("queue", &Queue::from(queue)),
    }
}
