//! Redis streams, over RESP2 as the Redis documentation has it (redis.io/docs/latest/develop/reference/protocol-spec),
//! which Redis 5 and later, Valkey, KeyDB and Dragonfly understand. Apart, because a script on the server makes it exactly
//! once.

use super::{
    Entry, Form, Home, Pace, Secret, Sink, SinkError, SinkKind,
    link::{Link, Remote, TlsSettings},
};
use honeyplant_core::settings::{Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    time::Duration,
};

/// Events to a Redis stream, one entry each, with the fields `id` (the `event.id`), `site` and `event` (the line).
///
/// Take it to bring several sensors to one place with little machinery. It needs Redis 5 or later, or one that speaks like
/// it, and a user who may run `EVAL`, `XADD`, `GET`, `SET`, `TYPE` and `XLEN` on the stream and on the key beside it. That
/// key, `{STREAM}:position:INSTALL:SINK`, keeps how far this install has come, and a script puts events and position there
/// at once: each event of each install is in the stream **exactly once** and in order, however many install write to it.
/// Let Redis keep what it was given (`appendonly yes`), or what it forgets with its power is gone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// Where Redis is, such as `redis.example.org:6379`.
    to: String,
    /// The key of the stream.
    #[serde(default = "stream")]
    stream: String,
    /// About how many entries the stream keeps; the oldest go. Without it all are kept.
    #[serde(default)]
    keep: Option<u64>,
    /// The user, if Redis knows users (ACL).
    #[serde(default)]
    user: Option<String>,
    /// The password of the user, or of Redis itself.
    #[serde(default)]
    password: Option<Secret>,
    /// The number of the database.
    #[serde(default)]
    database: u32,
    /// The form of the field `event`.
    #[serde(default)]
    format: Form,
    /// How to speak TLS; without this table it is not spoken.
    #[serde(default)]
    tls: Option<TlsSettings>,
}

fn stream() -> String {
    "honeyplant".into()
}

/// The kind `redis`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn example(&self) -> &'static str {
        "to = \"redis.example.org:6379\"\nstream = \"honeyplant\"\nkeep = 1000000\nuser = \"sensor\"\npassword = \"secret\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        if table.stream.is_empty() {
            problems.push(Problem::new(settings.key_of("stream"), "a stream has a name").hint("such as `honeyplant`"));
        }
        if table.user.is_some() && table.password.is_none() {
            problems.push(Problem::new(settings.key_of("password"), "a user needs a password"));
        }
        let remote = match Remote::new(&table.to, table.tls.as_ref(), settings.key()) {
            Ok(remote) if problems.is_empty() => remote,
            Ok(_) => return Err(problems),
            Err(problem) => {
                problems.push(problem);
                return Err(problems);
            }
        };
        Ok(Box::new(Redis {
            remote,
            position: position(&table.stream, &home.observer.install, home.name),
            site: home.observer.site.clone(),
            install: home.observer.install.clone(),
            table,
            link: None,
            text: Vec::new(),
        }))
    }
}

/// The key of the position. A cluster keeps keys together that have the same text in braces; of a key without braces that
/// text is the whole key.
fn position(stream: &str, install: &str, sink: &str) -> String {
    let tagged = stream.split_once('{').is_some_and(|(_, rest)| rest.find('}').is_some_and(|end| end > 0));
    if tagged {
        format!("{stream}:position:{install}:{sink}")
    } else {
        format!("{{{stream}}}:position:{install}:{sink}")
    }
}

/// Adds what is at the position or after, and moves the position. If an entry cannot be added, the script ends there and
/// the position stays.
const SCRIPT: &str = "\
local at = tonumber(redis.call('GET', KEYS[2]) or '0')
local added = 0
for i = 5, #ARGV, 2 do
  if tonumber(ARGV[i]) >= at then
    local id = ARGV[3] .. '-' .. ARGV[i]
    if ARGV[1] == '' then
      redis.call('XADD', KEYS[1], '*', 'id', id, 'site', ARGV[2], 'event', ARGV[i + 1])
    else
      redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'id', id, 'site', ARGV[2], 'event', ARGV[i + 1])
    end
    added = added + 1
  end
end
if tonumber(ARGV[4]) > at then redis.call('SET', KEYS[2], ARGV[4]) end
return added";

/// Adds the lines of the journal to a stream.
#[derive(Debug)]
struct Redis {
    remote: Remote,
    table: Table,
    position: String,
    site: String,
    install: String,
    link: Option<BufReader<Link>>,
    text: Vec<u8>,
}

impl Redis {
    fn connect(&self) -> Result<BufReader<Link>, SinkError> {
        let mut link = BufReader::new(self.remote.connect().map_err(|error| self.remote.failed(error))?);
        if let Some(password) = &self.table.password {
            let mut command = vec![&b"AUTH"[..]];
            command.extend(self.table.user.iter().map(String::as_bytes));
            command.push(password.reveal().as_bytes());
            self.ask(&mut link, &command)?;
        }
        if self.table.database > 0 {
            self.ask(&mut link, &[b"SELECT", self.table.database.to_string().as_bytes()])?;
        }
        Ok(link)
    }

    /// What Redis answers to a command.
    fn ask(&self, link: &mut BufReader<Link>, command: &[&[u8]]) -> Result<Reply, SinkError> {
        let mut text = Vec::new();
        write_command(command, &mut text);
        self.told(link.get_mut().write_all(&text).and_then(|()| Reply::read(link)))
    }

    /// The reply, unless it is an error.
    fn told(&self, reply: io::Result<Reply>) -> Result<Reply, SinkError> {
        match reply.map_err(|error| self.remote.failed(error))? {
            Reply::Error(words) if words.starts_with("MOVED") => {
                let hint = "the stream is at another node of the cluster, which is the one to write to";
                Err(self.remote.failed(format!("{hint}: {words}")))
            }
            Reply::Error(words) => Err(self.remote.failed(words)),
            reply => Ok(reply),
        }
    }
}

impl Sink for Redis {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let Some(last) = batch.last() else { return Ok(()) };
        let written: Vec<_> = batch
            .iter()
            .filter_map(|entry| {
                let mut line = Vec::new();
                self.table.format.write(entry, &mut line).then(|| (entry.sequence.to_string(), line))
            })
            .collect();
        let (keep, next) =
            (self.table.keep.map_or_else(String::new, |keep| keep.to_string()), (last.sequence + 1).to_string());
        let mut command = vec![&b"EVAL"[..], SCRIPT.as_bytes(), b"2"];
        let words = [&self.table.stream, &self.position, &keep, &self.site, &self.install, &next];
        command.extend(words.map(String::as_bytes));
        command.extend(written.iter().flat_map(|(sequence, line)| [sequence.as_bytes(), line.as_slice()]));
        self.text.clear();
        write_command(&command, &mut self.text);
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.connect()?,
        };
        self.told(link.get_mut().write_all(&self.text).and_then(|()| Reply::read(&mut link)))?;
        // Only a connection on which all went well is used again.
        self.link = Some(link);
        Ok(())
    }

    fn pace(&self) -> Pace {
        Pace { most: 2048, every: Duration::from_millis(20) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let mut link = self.connect()?;
        let (stream, position) = (self.table.stream.as_bytes(), self.position.as_bytes());
        let kind = self.ask(&mut link, &[b"TYPE", stream])?;
        if !matches!(&kind, Reply::Text(kind) if kind == b"stream" || kind == b"none") {
            return Err(self.remote.failed(format!("the key `{}` is there, and is no stream", self.table.stream)));
        }
        // A script with nothing to add needs the same rights, but XADD, and moves nothing.
        self.ask(&mut link, &[b"EVAL", SCRIPT.as_bytes(), b"2", stream, position, b"", b"", b"", b"0"])?;
        let Reply::Number(length) = self.ask(&mut link, &[b"XLEN", stream])? else {
            return Err(self.remote.failed("it does not answer as Redis does"));
        };
        Ok(format!("Redis at {}, {length} entries in `{}`", self.remote.name(), self.table.stream))
    }
}

/// Appends a command, which is an array of bulk strings.
fn write_command(words: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// What Redis answers.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Text(Vec<u8>),
    Number(i64),
    Error(String),
    Nothing,
}

impl Reply {
    /// As much is read of a line or a text.
    const LIMIT: u64 = 64 << 10;

    fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let mut line = Vec::new();
        from.take(Self::LIMIT).read_until(b'\n', &mut line)?;
        let text = match line.strip_suffix(b"\r\n") {
            Some(text) => text,
            None if line.is_empty() => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up")),
            None => return Err(strange()),
        };
        let (kind, rest) = text.split_first().ok_or_else(strange)?;
        let number = || str::from_utf8(rest).ok().and_then(|text| text.parse::<i64>().ok()).ok_or_else(strange);
        match kind {
            b'+' => Ok(Self::Text(rest.to_vec())),
            b'-' => Ok(Self::Error(String::from_utf8_lossy(rest).into_owned())),
            b':' => number().map(Self::Number),
            b'$' => match u64::try_from(number()?) {
                Err(_) => Ok(Self::Nothing),
                Ok(length) if length > Self::LIMIT => Err(strange()),
                Ok(length) => {
                    let mut text = Vec::new();
                    from.take(length + 2).read_to_end(&mut text)?;
                    let whole = text.len() as u64 == length + 2;
                    text.strip_suffix(b"\r\n")
                        .filter(|_| whole)
                        .map(|text| Self::Text(text.to_vec()))
                        .ok_or_else(strange)
                }
            },
            _ => Err(strange()),
        }
    }
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it does not answer as Redis does; is it one?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_an_array_whatever_is_in_it() {
        let mut out = Vec::new();
        write_command(&[b"SET", b"", "\r\nä\0".as_bytes()], &mut out);
        assert_eq!(out, "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$5\r\n\r\nä\0\r\n".as_bytes());
    }

    #[test]
    fn replies_are_told_apart() {
        let mut wire = &b"+OK\r\n-ERR no\r\n:-7\r\n$4\r\na\r\nb\r\n$-1\r\n"[..];
        let expected = [
            Reply::Text(b"OK".to_vec()),
            Reply::Error("ERR no".into()),
            Reply::Number(-7),
            Reply::Text(b"a\r\nb".to_vec()),
            Reply::Nothing,
        ];
        for reply in expected {
            assert_eq!(Reply::read(&mut wire).unwrap(), reply);
        }
        for wrong in ["", "HTTP/1.1 400\r\n", "+OK", "$9\r\nshort\r\n", "$99999999999\r\n", ":x\r\n", "\r\n"] {
            assert!(Reply::read(&mut wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cluster_keeps_the_position_beside_the_stream() {
        assert_eq!(position("plant", "0123abcd", "redis"), "{plant}:position:0123abcd:redis");
        assert_eq!(position("a{b}c", "0123abcd", "redis"), "a{b}c:position:0123abcd:redis");
    }
}
