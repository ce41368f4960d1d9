//! An S3 server on the loopback, over a directory that goes with it.

use crate::required::Missing;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The key id that the server knows.
pub const ACCESS_KEY: &str = "meshplan";
/// Its secret.
pub const SECRET_KEY: &str = "meshplan-secret";
/// The bucket that is there.
pub const BUCKET: &str = "states";

/// A running server with one bucket.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Server {
    /// Starts it; nothing where it was not built, which is said.
    pub fn start() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("real/s3/build.sh");
        let made = Command::new("bash").arg(script).arg("--made").output().unwrap();
        if !made.status.success() {
            let mut missing = Missing::default();
            missing.note(["versitygw"]);
            missing.close();
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let (data, meta) = (directory.path().join("data"), directory.path().join("meta"));
        std::fs::create_dir_all(data.join(BUCKET)).unwrap();
        std::fs::create_dir(&meta).unwrap();
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut command = Command::new("timeout");
        command.arg("600").arg(String::from_utf8(made.stdout).unwrap().trim()).arg("--port").arg(address.to_string());
        command.args(["--quiet", "posix", "--sidecar"]).arg(meta).arg(data);
        command.env("ROOT_ACCESS_KEY", ACCESS_KEY).env("ROOT_SECRET_KEY", SECRET_KEY);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, address, _directory: directory };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "the server does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
