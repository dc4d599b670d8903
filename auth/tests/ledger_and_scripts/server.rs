//! A redis-server, and the requests of the REST protocol as its commands.

use std::collections::BTreeMap;
use std::process::{Child, Command as Process, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use auth::redis::RestRequest;
use serde_json::{Value, json};

/// A redis-server on a socket of its own, killed when the test ends.
pub struct Server {
    process: Child,
    pub connection: redis::Connection,
}

impl Server {
    pub fn start() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("session-guard-{}-{number}.sock", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let process = Process::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("this test needs redis-server; install it (Debian: apt install redis-server)");
        let client = redis::Client::open(format!("unix://{}", socket.display())).unwrap();
        let connection = (0..200)
            .find_map(|_| {
                std::thread::sleep(Duration::from_millis(25));
                client.get_connection().ok()
            })
            .expect("redis-server does not answer");
        Self { process, connection }
    }

    /// Lets Redis be full, so that it refuses what needs memory, or not.
    pub fn set_full(&mut self, full: bool) {
        let most = if full { "1" } else { "0" };
        let mut set = redis::cmd("CONFIG");
        set.arg(&["SET", "maxmemory", most]).query::<()>(&mut self.connection).unwrap();
    }

    /// All records under a key.
    pub fn records(&mut self, key: &str) -> BTreeMap<String, String> {
        redis::cmd("HGETALL").arg(key).query(&mut self.connection).unwrap()
    }

    /// When a key expires, in milliseconds since the Unix epoch; `None` if it never does.
    pub fn expires(&mut self, key: &str) -> Option<u64> {
        let at: i64 = redis::cmd("PEXPIRETIME").arg(key).query(&mut self.connection).unwrap();
        u64::try_from(at).ok()
    }

    /// Sends the words of a request, as the REST endpoint would, and answers in its form.
    pub fn send(&mut self, request: &RestRequest) -> String {
        let words: Vec<String> = serde_json::from_str(request.body.as_ref().unwrap()).unwrap();
        let mut command = redis::cmd(&words[0]);
        // Redis does not know the flag of the first line.
        command.arg(words[1].split_once('\n').unwrap().1).arg(&words[2..]);
        match command.query::<redis::Value>(&mut self.connection) {
            Ok(value) => json!({ "result": as_json(value) }).to_string(),
            Err(error) => json!({ "error": error.to_string() }).to_string(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn as_json(value: redis::Value) -> Value {
    match value {
        redis::Value::Nil => Value::Null,
        redis::Value::BulkString(bytes) => String::from_utf8(bytes).unwrap().into(),
        redis::Value::Int(number) => number.into(),
        redis::Value::Array(items) => items.into_iter().map(as_json).collect(),
        other => panic!("no script answers {other:?}"),
    }
}
