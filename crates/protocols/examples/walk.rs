//! Measures what a step of an SNMP walk costs: `cargo run --release -p honeyplant-protocols --example walk [WALKS]`. The
//! agent has 10 000 objects and more, and every step is recorded. Apart from the tests, because a figure is no assertion.

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

/// A table of 100 columns, of which the tag shows in one, and of 100 rows.
fn profile() -> String {
    let columns: String = (1..100).map(|n| format!("{n} = {{ type = 'gauge', value = {n} }}\n")).collect();
    format!(
        "[tags]\nlevel = {{ type = 'INT', value = 7 }}\n[snmp]\ncommunities = [{{ name = 'public' }}]\n\
         [[snmp.mib.tables]]\nentry = '1.3.6.1.4.1.32473.1.1'\ncount = 100\n[snmp.mib.tables.columns]\n{columns}\
         100 = {{ type = 'integer', tag = 'level' }}\n"
    )
}

/// The request behind an answer: the same message, with GetNextRequest in the place of Response.
fn turned(answer: &mut [u8]) {
    // Version and community have the same length each time; the PDU begins behind them.
    let head = if answer.get(1).is_some_and(|length| *length >= 0x80) { 3 } else { 2 };
    if let Some(tag) = answer.get_mut(head + 3 + 8) {
        *tag = 0xA1;
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
fn main() -> io::Result<()> {
    let walks: u32 = std::env::args().nth(1).and_then(|walks| walks.parse().ok()).unwrap_or(50);
    let stage = stage(PROTOCOLS, &profile()).map_err(io::Error::other)?;
    let endpoint = stage.endpoints.first().ok_or_else(|| io::Error::other("nothing is served"))?;
    let mut conversation = endpoint.service.converse();
    let session = Session {
        id: 1,
        peer: ([192, 0, 2, 7], 40_007).into(),
        local: ([192, 0, 2, 1], 161).into(),
        carrier: Carrier::Udp,
        protocol: endpoint.protocol,
        device: stage.device.clone(),
    };
    let (mut random, mut out, mut outcome) = (Random::seeded(1), Vec::new(), Outcome::default());
    let first = b"\x30\x23\x02\x01\x01\x04\x06public\xA1\x16\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x0B\x30\x09\x06\x05\x2B\x06\x01\x02\x01\x05\x00";
    let (start, mut steps, mut events) = (Instant::now(), 0_u32, 0);
    for _ in 0..walks {
        let mut request = first.to_vec();
        loop {
            out.clear();
            let mut cx = Context {
                now: stage.started,
                session: &session,
                random: &mut random,
                out: &mut out,
                outcome: &mut outcome,
            };
            let Step::Took(_) = conversation.receive(&request, &mut cx) else { break };
            events += outcome.events.drain(..).count();
            steps += 1;
            // endOfMibView, and nothing behind it.
            if out.is_empty() || out.ends_with(&[0x82, 0]) {
                break;
            }
            request.clear();
            request.extend_from_slice(&out);
            turned(&mut request);
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let (rate, each) = (f64::from(steps) / seconds, seconds * 1e9 / f64::from(steps));
    writeln!(
        io::stdout(),
        "{steps} GetNext in {walks} walks with {events} events: {rate:.0} a second, {each:.0} ns each"
    )
}
