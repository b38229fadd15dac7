//! A web server on this machine, which does to a request whatever a test wants.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// It runs until it is dropped.
pub(crate) struct Server {
    /// Its address, without a slash at the end.
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
}

/// A request that wants an answer.
pub(crate) struct Request {
    stream: TcpStream,
    /// What is asked for.
    pub(crate) path: String,
    /// How many requests came before.
    pub(crate) before: usize,
    stopped: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(Request) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let stopped = Arc::<AtomicBool>::default();
        let (answer, list, end) = (Arc::new(answer), asked.clone(), stopped.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let Some(path) = path_of(&stream) else { continue };
                let mut list = list.lock().unwrap();
                let before = list.len();
                list.push(path.clone());
                let request = Request { stream, path, before, stopped: end.clone() };
                let answer = answer.clone();
                thread::spawn(move || answer(request));
            }
        });
        Self { address, asked, stopped }
    }

    /// One that gives this file to everyone.
    pub(crate) fn of(file: Vec<u8>) -> Self {
        Self::start(move |request| request.file(&file))
    }

    /// The paths that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // So that it looks.
        drop(TcpStream::connect(self.address.trim_start_matches("http://")));
    }
}

fn path_of(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    // The rest of the request, which would otherwise break the connection at its end.
    for line in lines {
        if line.ok()?.is_empty() {
            break;
        }
    }
    Some(first.split(' ').nth(1)?.to_owned())
}

/// Answers. A client that has gone away is no fault of theirs.
impl Request {
    fn head(&mut self, status: &str, headers: &str) {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
        drop(self.stream.write_all(head.as_bytes()));
    }

    /// The whole file.
    pub(crate) fn file(mut self, file: &[u8]) {
        self.head("200 OK", &format!("Content-Length: {}\r\n", file.len()));
        drop(self.stream.write_all(file));
    }

    /// The file's beginning, after a promise of all of it or none.
    pub(crate) fn part_of(mut self, file: &[u8], length: usize, is_promised: bool) {
        let promise = format!("Content-Length: {}\r\n", file.len());
        self.head("200 OK", if is_promised { &promise } else { "" });
        drop(self.stream.write_all(&file[..length]));
    }

    /// A status and nothing else.
    pub(crate) fn status(mut self, status: &str) {
        self.head(status, "Content-Length: 0\r\n");
    }

    /// A size, without so many bytes behind it.
    pub(crate) fn size(mut self, length: u64) {
        self.head("200 OK", &format!("Content-Length: {length}\r\n"));
    }

    /// The way to another address.
    pub(crate) fn redirect(mut self, to: &str) {
        self.head("302 Found", &format!("Location: {to}\r\nContent-Length: 0\r\n"));
    }

    /// The file's first bytes, and then a byte each `pause` for as long as the server runs, or
    /// nothing more at all.
    pub(crate) fn slowly(mut self, file: &[u8], pause: Option<Duration>) {
        self.head("200 OK", &format!("Content-Length: {}\r\n", file.len()));
        drop(self.stream.write_all(&file[..10]));
        for byte in &file[10..] {
            thread::sleep(pause.unwrap_or(Duration::from_millis(50)));
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            if pause.is_some() && self.stream.write_all(&[*byte]).is_err() {
                return;
            }
        }
    }
}
