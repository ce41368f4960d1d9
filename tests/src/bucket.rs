//! An S3 server on the loopback, over a directory that goes with it.

use crate::apiserver::Components;
use crate::keeper::Keeper;
use crate::required::Missing;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// The program.
const SERVER: &str = "versitygw";

/// The key id that the server knows.
pub const ACCESS_KEY: &str = "meshplan";
/// Its secret.
pub const SECRET_KEY: &str = "meshplan-secret";
/// The bucket that is there.
pub const BUCKET: &str = "states";

/// A running server with one bucket. It ends with its owner.
pub struct Server {
    _keeper: Keeper,
    address: SocketAddr,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts it; nothing where it was not built, which is said.
    pub fn start() -> Option<Self> {
        let mut missing = Missing::default();
        let Some(components) = Components::find(&mut missing) else {
            missing.close();
            return None;
        };
        let keeper = Keeper::new("bucket");
        let directory = keeper.directory();
        let (data, meta) = (directory.join("data"), directory.join("meta"));
        std::fs::create_dir_all(data.join(BUCKET)).unwrap();
        std::fs::create_dir(&meta).unwrap();
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let port = format!("--port={address}");
        let credentials = [format!("--access={ACCESS_KEY}"), format!("--secret={SECRET_KEY}"), port, "--quiet".to_owned()];
        let serving = ["posix".to_owned(), "--sidecar".to_owned(), meta.display().to_string(), data.display().to_string()];
        keeper.start(SERVER, &components.program(SERVER), &[&credentials[..], &serving].concat());
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = || keeper.log(SERVER);
            assert!(started.elapsed() < Duration::from_secs(30), "the server does not listen:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { _keeper: keeper, address })
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}
