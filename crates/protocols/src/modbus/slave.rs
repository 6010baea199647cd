//! All units behind one address: who a message is for. Apart, because it takes a unit identifier and a PDU, as every
//! carrier of Modbus has them, and nothing else of the carrier.

use super::{
    attempt,
    diagnostics::{Bus, Cast},
    settings::Absent,
    unit::{Exchange, Unit},
    wire::{Exception, Request, name},
};
use honeyplant_core::{
    bytes::Short,
    conversation::Context,
    event::{Operation, Verdict},
};
use std::sync::{Mutex, PoisonError};

/// The units of a device, and the line that they share.
#[derive(Debug)]
pub(super) struct Slave {
    pub(super) units: Vec<Unit>,
    /// Which unit each identifier means.
    pub(super) ids: Vec<Option<usize>>,
    pub(super) absent: Absent,
    /// Whether unit 0 means all units.
    pub(super) broadcast: bool,
    pub(super) bus: Mutex<Bus>,
}

impl Slave {
    /// Deals with one message. What is appended to `out` is the answering PDU; nothing is no answer.
    pub(super) fn answer(&self, id: u8, pdu: &[u8], out: &mut Vec<u8>, cx: &mut Context<'_>) {
        let mut bus = self.bus.lock().unwrap_or_else(PoisonError::into_inner);
        bus.message();
        let function = pdu.first().copied().unwrap_or_default();
        let request = Request::parse(pdu);
        let operation = |verdict| Operation {
            name: request.map_or_else(|_| name(function), |request| request.name()),
            code: function.into(),
            unit: Some(id.into()),
            verdict,
        };
        if self.broadcast && id == 0 {
            return match request {
                Ok(request) if request.is_for_all() => {
                    for (index, unit) in self.units.iter().enumerate() {
                        let operation = Operation { unit: Some(unit.id.into()), ..operation(Verdict::Done) };
                        let message = Message { request: Ok(request), operation, cast: Cast::All };
                        self.tell(index, message, &mut bus, &mut Vec::new(), cx);
                    }
                }
                _ => attempt::record(request, operation(Verdict::Silent { reason: "it was for all units" }), cx),
            };
        }
        if let Some(index) = self.ids.get(usize::from(id)).copied().flatten() {
            let message = Message { request, operation: operation(Verdict::Done), cast: Cast::One };
            return self.tell(index, message, &mut bus, out, cx);
        }
        let exception = match self.absent {
            Absent::Silence => {
                return attempt::record(request, operation(Verdict::Silent { reason: "there is no such unit" }), cx);
            }
            Absent::GatewayPath => Exception::GatewayPathUnavailable,
            Absent::GatewayTarget => Exception::GatewayTargetDeviceFailedToRespond,
            Absent::DeviceFailure => Exception::ServerDeviceFailure,
        };
        exception.put(function, out);
        attempt::record(request, operation(attempt::refused(exception)), cx);
    }

    /// Lets one unit deal with a message.
    fn tell(&self, index: usize, message: Message<'_>, bus: &mut Bus, out: &mut Vec<u8>, cx: &mut Context<'_>) {
        let Message { request, operation, cast } = message;
        let (Some(unit), Some((line, messages))) = (self.units.get(index), bus.line(index)) else {
            return;
        };
        line.receive(cast);
        let start = out.len();
        let function = operation.code as u8;
        // AP §6.8: a unit that only listens takes nothing but the command to restart.
        if line.listens_only() && !matches!(request, Ok(Request::Diagnostics { sub_function: 1, .. })) {
            line.send(Ok(()), false, false);
            return attempt::record(
                request,
                Operation { verdict: Verdict::Silent { reason: "it only listens" }, ..operation },
                cx,
            );
        }
        let listened = line.listens_only();
        let result = if !unit.has(function) {
            Err(Exception::IllegalFunction)
        } else {
            request
                .map_err(|_| Exception::IllegalDataValue)
                .and_then(|request| unit.perform(request, line, messages, &mut Exchange { operation, out, cx }))
        };
        if let Err(exception) = result {
            attempt::record(request, Operation { verdict: attempt::refused(exception), ..operation }, cx);
            if !listened {
                exception.put(function, out);
            }
        }
        line.send(result, cast == Cast::One && out.len() > start, function != 11);
    }
}

/// One message on its way to a unit.
struct Message<'a> {
    request: Result<Request<'a>, Short>,
    operation: Operation,
    cast: Cast,
}
