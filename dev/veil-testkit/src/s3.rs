//! A real S3 store in this process: s3s over a folder, every signature verified, and faults in front of it on demand.
//!
//! The store is not a mock: it checks SigV4 in header and query, ranges and checksums, and keeps its objects as plain files
//! (`<folder>/<bucket>/<key>`) for a test to look at. A layer before it answers what the store can't be made to say
//! ([`Fault`]), closes its port and opens it again, answers browsers' CORS questions, and keeps a list of what was asked.

mod fault;
mod layer;
mod uploads;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, JoinSet};

pub use self::fault::{Fault, Trouble};
use self::layer::Layer;
use self::uploads::Uploads;

/// The store's one credential, as AWS's documents write examples.
const ACCESS_KEY_ID: &str = "AKIATESTKITEXAMPLE00";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYTESTKITKEY";

/// The bucket that is there from the beginning.
const BUCKET: &str = "videos";

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A running store on a port of the system's choosing; dropping it ends it and deletes its objects.
pub struct S3Server {
    // Dropped in this order: first what works in the folder, then the folder.
    runtime: Option<Runtime>,
    listening: Mutex<Option<JoinHandle<()>>>,
    layer: Arc<Layer>,
    address: SocketAddr,
    folder: TempDir,
}

impl S3Server {
    /// Starts a store with an empty bucket named `videos`.
    ///
    /// # Errors
    /// When the system gives no port, thread or folder.
    pub fn start() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join(BUCKET))?;
        let store = FileSystem::new(folder.path())
            .map_err(|error| io::Error::other(format!("the store's folder: {error:?}")))?;
        let mut service = S3ServiceBuilder::new(store);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
        service.set_route(Uploads { root: folder.path().to_owned() });
        let layer = Arc::new(Layer::new(service.build()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3-server")
            .enable_all()
            .build()?;
        let listener = listen(&runtime, (Ipv4Addr::LOCALHOST, 0).into())?;
        let address = listener.local_addr()?;
        let listening = Mutex::new(Some(runtime.spawn(accept(listener, Arc::clone(&layer)))));
        Ok(Self { runtime: Some(runtime), listening, layer, address, folder })
    }

    /// The text that names the store and its bucket: `s3://videos?endpoint=http://127.0.0.1:PORT&region=us-east-1`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_below("")
    }

    /// The same with a prefix in the bucket.
    #[must_use]
    pub fn url_below(&self, prefix: &str) -> String {
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!(
            "s3://{BUCKET}{slash}{prefix}?endpoint={}&region={}",
            self.endpoint(),
            self.region()
        )
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The name of the bucket.
    #[must_use]
    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// The region; the store takes any.
    #[must_use]
    pub fn region(&self) -> &'static str {
        "us-east-1"
    }

    /// The id of the store's credential.
    #[must_use]
    pub fn access_key_id(&self) -> &'static str {
        ACCESS_KEY_ID
    }

    /// The secret of the store's credential.
    #[must_use]
    pub fn secret(&self) -> &'static str {
        SECRET_ACCESS_KEY
    }

    /// The variables that give a program this store's credential, and no other way to one.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, &'static str); 5] {
        [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// The folder that holds the bucket's objects as files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// The folder that holds the buckets, and the store's own notes.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The keys of uploads in parts that were begun and neither finished nor discarded.
    #[must_use]
    pub fn unfinished(&self) -> Vec<String> {
        uploads::unfinished(self.root(), BUCKET).map(|(key, _)| key).collect()
    }

    /// How many parts have arrived of those uploads.
    #[must_use]
    pub fn unfinished_parts(&self) -> usize {
        uploads::part_count(self.root(), BUCKET)
    }

    /// Adds a fault; the first one that fits a request is what happens to it.
    pub fn fault(&self, fault: Fault) {
        self.layer.add(fault);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.layer.heal();
    }

    /// Every request so far, as `METHOD /path STATUS`, without queries, which hold signatures; status 0 is none.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.layer.seen()
    }

    /// Forgets the requests so far.
    pub fn forget_seen(&self) {
        self.layer.forget_seen();
    }

    /// Closes the port and every connection: who connects is refused.
    pub fn go_away(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(listening), Some(runtime)) = (listening, &self.runtime) {
            listening.abort();
            // Waits until the port is closed; an aborted task ends with an error, which is meant.
            let _ = runtime.block_on(listening);
        }
    }

    /// Opens the port again, with every object that was there.
    ///
    /// # Errors
    /// When somebody else has the port by now.
    pub fn come_back(&self) -> io::Result<()> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(runtime)) = (&*listening, &self.runtime) {
            let listener = listen(runtime, self.address)?;
            *listening = Some(runtime.spawn(accept(listener, Arc::clone(&self.layer))));
        }
        Ok(())
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(runtime: &Runtime, address: SocketAddr) -> io::Result<TcpListener> {
    let _inside = runtime.enter();
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until it is aborted; its connections end with it.
async fn accept(listener: TcpListener, layer: Arc<Layer>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let layer = Arc::clone(&layer);
                connections.spawn(async move {
                    let service = hyper::service::service_fn(move |request| {
                        let layer = Arc::clone(&layer);
                        async move { layer.answer(request).await }
                    });
                    let mut server = http1::Builder::new();
                    server.timer(TokioTimer::new());
                    // A connection that ends in an error is a fault that a test asked for, or the client's own.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests;
