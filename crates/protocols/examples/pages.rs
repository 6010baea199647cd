//! Measures what a request of a web server costs: `cargo run --release -p honeyplant-protocols --example pages [REQUESTS]`.
//! Each is recorded. Apart from the tests, because a figure is no assertion.

use honeyplant_core::{
    conversation::{Context, Outcome, Step},
    event::{Carrier, Session},
    random::Random,
};
use honeyplant_dialogue::stage;
use honeyplant_protocols::PROTOCOLS;
use std::{
    io::{self, Write},
    time::Instant,
};

/// A page of two kilobytes, and one that shows a tag.
fn profile() -> String {
    format!(
        "[tags]\nlevel = {{ type = 'INT', value = 7 }}\n[http]\nkeep-alive = {{ requests = 4000000000 }}\n\
         [http.routes.'/']\ntext = '{}'\ntype = 'text/html'\n\
         [http.routes.'/level']\ntext = '{{{{ tags.level }}}}'\ntype = 'text/html'\n",
        "0123456789abcdef".repeat(128)
    )
}

#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
fn main() -> io::Result<()> {
    let requests: u32 = std::env::args().nth(1).and_then(|requests| requests.parse().ok()).unwrap_or(1_000_000);
    let stage = stage(PROTOCOLS, &profile()).map_err(io::Error::other)?;
    let endpoint = stage.endpoints.first().ok_or_else(|| io::Error::other("nothing is served"))?;
    let session = Session {
        id: 1,
        peer: ([192, 0, 2, 7], 40_007).into(),
        local: ([192, 0, 2, 1], 80).into(),
        carrier: Carrier::Tcp,
        protocol: endpoint.protocol,
        device: stage.device.clone(),
    };
    for path in ["/", "/level", "/missing"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: decoy\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n");
        let mut conversation = endpoint.service.converse();
        let (mut random, mut out, mut outcome) = (Random::seeded(1), Vec::new(), Outcome::default());
        let (start, mut events, mut octets) = (Instant::now(), 0, 0);
        for _ in 0..requests {
            out.clear();
            let now = stage.started;
            let mut cx = Context { now, session: &session, random: &mut random, out: &mut out, outcome: &mut outcome };
            if conversation.receive(request.as_bytes(), &mut cx) != Step::Took(request.len()) {
                return Err(io::Error::other("the request was not taken"));
            }
            events += outcome.events.drain(..).count();
            octets += out.len();
        }
        let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(requests);
        let answer = octets / requests.max(1) as usize;
        writeln!(io::stdout(), "GET {path}: {each:.0} ns for {answer} octets; {events} events")?;
    }
    Ok(())
}
